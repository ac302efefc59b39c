from __future__ import annotations

import numpy as np
import pytest

from models.train.data import VOTED_EXPRESSIONS
from models.train.scores import FER_PLUS_OF_LABEL
from models.train.voters import (
    LeftOut,
    correlations,
    intraclass_correlation,
    jensen_shannon,
    kullback_leibler,
    valence,
    vote_fractions,
)
from tests.train.data_files import votes
from webapp.protocol import LABELS

HAPPY, SAD = VOTED_EXPRESSIONS.index("happiness"), VOTED_EXPRESSIONS.index("sadness")


def test_one_voter_is_compared_with_the_others_majority() -> None:
    """Of 8 happy and 2 sad voters the 8 agree with the other 9, and the 2 do not."""
    counts = np.array([votes(happiness=8, sadness=2)], np.float32)
    assert LeftOut.of(counts, np.array([HAPPY])) == LeftOut(voter=0.8, model=1.0, votes=10)
    assert LeftOut.of(counts, np.array([SAD])).model == 0


def test_a_voter_does_not_make_the_majority_that_he_is_compared_with() -> None:
    """Of 5 and 4 voters each of the 5 leaves a draw, which is no majority; each of the 4 is outvoted."""
    counts = np.array([votes(happiness=5, sadness=4)], np.float32)
    assert LeftOut.of(counts, np.array([HAPPY])) == LeftOut(voter=0.0, model=1.0, votes=4)


def test_voters_who_could_not_say_disagree_with_those_who_could() -> None:
    counts = np.array([votes(happiness=6, unknown=2, NF=2), votes(unknown=10)], np.float32)
    assert LeftOut.of(counts, np.array([HAPPY, HAPPY])) == LeftOut(voter=0.6, model=1.0, votes=10)


def test_without_votes_nothing_is_counted() -> None:
    assert LeftOut.of(np.zeros((3, 10), np.float32), np.zeros(3, np.int64)) == LeftOut(0.0, 0.0, 0)


def test_fractions_are_of_the_seven_labels_where_these_have_at_least_half_of_the_votes() -> None:
    counts = [votes(happiness=3, sadness=1, contempt=2), votes(happiness=2, contempt=8), votes()]
    fractions, usable = vote_fractions(np.array(counts, np.float32))
    assert usable.tolist() == [True, False, False]
    assert dict(zip(LABELS, fractions[0], strict=True)) == pytest.approx(
        {**dict.fromkeys(LABELS, 0), "happy": 0.75, "sad": 0.25}
    )
    assert len(FER_PLUS_OF_LABEL) == len(LABELS)


def test_divergences_are_those_worked_out_by_hand() -> None:
    said, given = np.array([[0.5, 0.5]]), np.array([[0.75, 0.25]])
    assert kullback_leibler(said, said) == jensen_shannon(said, said) == 0
    assert kullback_leibler(said, given) == pytest.approx(0.5 * np.log(2 / 3) + 0.5 * np.log(2))
    assert jensen_shannon(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])) == pytest.approx(1)


def test_the_intraclass_correlation_is_that_of_shrout_and_fleiss() -> None:
    """Their table of 6 subjects and 4 judges has ICC(2,1) = 0.29; of judges 1 and 2 it is 0.13."""
    first, second = np.array([9, 6, 8, 7, 10, 6.0]), np.array([2, 1, 4, 1, 5, 2.0])
    assert intraclass_correlation(first, second) == pytest.approx(0.1257, abs=1e-4)
    assert intraclass_correlation(first, first) == 1
    assert intraclass_correlation(first, first + 3) < 1  # absolute agreement, not correlation
    assert intraclass_correlation(np.ones(4), np.ones(4)) == 0


def test_valence_is_happy_minus_the_strongest_negative_expression() -> None:
    row = {
        "angry": 0.1,
        "disgust": 0.0,
        "fear": 0.25,
        "happy": 0.5,
        "sad": 0.1,
        "surprise": 0.05,
        "neutral": 0,
    }
    assert valence(np.array([[row[label] for label in LABELS]])) == pytest.approx([0.25])


def test_every_probability_and_valence_are_correlated_with_what_people_said() -> None:
    said = np.random.default_rng(1).dirichlet(np.ones(7), 50)
    assert correlations(said, said) == pytest.approx(dict.fromkeys([*LABELS, "valence"], 1.0))
    others = np.random.default_rng(2).dirichlet(np.ones(7), 50)
    assert all(abs(value) < 0.5 for value in correlations(said, others).values())


def test_of_no_faces_nothing_is_said_without_a_warning() -> None:
    none = np.zeros((0, 7))
    assert kullback_leibler(none, none) == jensen_shannon(none, none) == 0
    assert correlations(none, none) == dict.fromkeys([*LABELS, "valence"], 0.0)
