"""The figures of a model on a set of faces, in their JSON form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.train.calibration import HeldOutCalibration, cross_validated
from models.train.data import UNKNOWN, FaceSet
from models.train.groups import compare_groups
from models.train.intervals import bootstrap, score_intervals
from models.train.scores import FER_PLUS_OF_LABEL, agreement, fer_plus_majority, score
from models.train.voters import LeftOut, correlations, jensen_shannon, kullback_leibler, vote_fractions
from webapp.vision.classify import Classifier, undecided

Images = NDArray[np.uint8]
Probabilities = NDArray[np.float32]
FerPlus = Callable[[Images], NDArray[np.int64]]

NO_ANSWER = UNKNOWN - 1
"""Stands for the answer of a face that was not found; equals no majority, not even UNKNOWN."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is measured: the (n,) faces of a split, and which have a near copy among the training images.

    `copied` is None where there are no training images to compare with. `calibrated_on` says that the model's
    calibration was fitted on these faces: its error is then cross-validated too. `groups` names a group each,
    or nothing.
    """

    faces: FaceSet
    copied: NDArray[np.bool_] | None
    classifier: Classifier
    fer_plus: FerPlus | None
    calibrated_on: bool = False
    groups: tuple[str, ...] = ()


class Predictions(NamedTuple):
    """(n, 7) probabilities of n crops, and of their mirror images where the server's use is measured."""

    plain: Probabilities
    mirrored: Probabilities | None

    @classmethod
    def of(cls, classifier: Classifier, crops: Images, mirror: bool) -> Predictions:
        """What a classifier says of these crops."""
        mirrored = classifier.probabilities(crops[:, :, ::-1]) if mirror else None
        return cls(classifier.probabilities(crops), mirrored)

    def combined(self, calibrated: Callable[[Probabilities], Probabilities] = np.array) -> Probabilities:
        """The probabilities as in `classify.probabilities_with_mirrored`, each crop's calibrated first."""
        rows = calibrated(self.plain)
        if self.mirrored is not None:
            close = undecided(rows)
            rows[close] = (rows[close] + calibrated(self.mirrored)[close]) / 2
        return rows


def figures(
    subject: Subject,
    crops: Images,
    found: NDArray[np.bool_],
    folds: Sequence[HeldOutCalibration] = (),
    mirror: bool = False,
) -> dict[str, Any]:
    """The figures of one way of cropping the faces; `found` (n,) is false where there was nothing to crop.

    `folds` add the score with calibrations that were fitted without the faces they are measured on. `mirror`
    measures the network with the mirror images of undecided crops, as the server uses it; the FER+ head,
    which the server does not have, always sees the crops alone.
    """
    faces = subject.faces
    predictions = Predictions.of(subject.classifier, crops, mirror)
    probabilities = predictions.combined()
    result = {**score(faces.labels, probabilities, found).as_dict(), "found": float(found.mean())}
    draws = [predictions.combined(fold.apply) for fold in folds]
    if draws:
        result["cross_validated"] = cross_validated(draws, faces.labels, found)
    result["answers"] = _answers(faces.labels, draws[0] if draws else probabilities, found)
    result["intervals"] = score_intervals(faces.labels, probabilities, found)
    result["fer_plus"] = _fer_plus_figures(subject, crops, probabilities, found)
    result["groups"] = compare_groups(subject.groups, faces.labels, probabilities, found)
    if subject.copied is not None:
        rest = score(np.where(subject.copied, UNKNOWN, faces.labels), probabilities, found)
        result["without_duplicates"] = {"duplicates": int(subject.copied.sum()), **rest.as_dict()}
    return result


def _answers(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32], found: NDArray[np.bool_]
) -> dict[str, Any]:
    """For the reliability plot: how sure each answer is, and whether it is right."""
    known = found & (labels != UNKNOWN)
    right = probabilities[known].argmax(axis=1) == labels[known]
    return {"confidence": probabilities[known].max(axis=1).round(4).tolist(), "right": right.tolist()}


def _fer_plus_figures(
    subject: Subject, crops: Images, probabilities: NDArray[np.float32], found: NDArray[np.bool_]
) -> dict[str, Any]:
    votes = subject.faces.votes
    majority = fer_plus_majority(votes)
    if subject.fer_plus is None:
        answers = np.array(FER_PLUS_OF_LABEL)[probabilities.argmax(axis=1)]
    else:
        answers = subject.fer_plus(crops)
    answers = np.where(found, answers, NO_ANSWER)
    figures = {
        "images": int((majority != UNKNOWN).sum()),
        "left_out": int((majority == UNKNOWN).sum()),
        "agreement": agreement(majority, answers),
        "classes_answered": 7 if subject.fer_plus is None else 8,
    }
    return figures | (_voter_figures(votes, answers, probabilities, found) if figures["images"] else {})


def _voter_figures(
    votes: NDArray[np.float32],
    answers: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    found: NDArray[np.bool_],
) -> dict[str, Any]:
    """The model beside the people who voted; what needs probabilities is over the faces that were found."""
    fractions, usable = vote_fractions(votes)
    chosen = np.flatnonzero(usable & found)
    said, given = fractions[chosen], probabilities[chosen].astype(np.float64)
    majority = fer_plus_majority(votes)

    def of_drawn(drawn: NDArray[np.intp]) -> dict[str, float]:
        return {"agreement": agreement(majority[drawn], answers[drawn])}

    return {
        "left_out_voter": asdict(LeftOut.of(votes, answers)),
        "divergence_images": len(chosen),
        "kullback_leibler": kullback_leibler(said, given),
        "jensen_shannon": jensen_shannon(said, given),
        "intraclass_correlation": correlations(said, given),
        "intervals": bootstrap(len(votes), of_drawn),
    }
