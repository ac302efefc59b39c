"""The bank: what the teachers answer for several clean views of every training face.

A student that learns from it sees exactly these views, with corruptions on top (distillation: Hinton et al.
2015, arXiv 1503.02531; the same view for teacher and student: arXiv 2106.05237). Making a bank needs the
teachers (`models.train.answers`), learning from one does not.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from models.train.targets import Targets
from models.train.views import VIEW_NUMBERS, View

HEADS = ("label", "votes")


class BankError(ValueError):
    """A bank is missing, or was made of other faces."""


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Views of n faces and the teachers' answers for them.

    `views` is (n, views, 5) float32, see `View.as_row`; `logits` holds (n, views, 7) "label" and
    (n, views, 8) "votes" as float16, whose softmax is the teachers' mean probability. `faces` is the
    fingerprint of the images.
    """

    views: NDArray[np.float32]
    logits: dict[str, NDArray[np.float16]]
    faces: str
    teachers: tuple[str, ...]

    def check(self, images: NDArray[np.uint8]) -> None:
        """See that the bank was made of these images.

        Raises:
            BankError: it was made of others.
        """
        if self.faces != fingerprint(images):
            raise BankError(
                f"The bank was made of {len(self.views)} other faces than these {len(images)}; make it again "
                "with `make bank`."
            )

    def views_of(self, chosen: NDArray[np.int64], epoch: int) -> tuple[list[View], Targets]:
        """One view of each of these faces, another one each epoch, and what the teachers answer for it."""
        numbers = (chosen + epoch) % self.views.shape[1]
        views = [View.from_row(row) for row in self.views[chosen, numbers]]
        answers = {
            head: softmax(self.logits[head][chosen, numbers].astype(np.float32), axis=1) for head in HEADS
        }
        return views, answers

    def save(self, path: Path) -> None:
        """Write the bank (.npz)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        arrays: dict[str, Any] = {f"{head}_logits": self.logits[head] for head in HEADS}
        arrays |= {"faces": np.array(self.faces), "teachers": np.array(self.teachers)}
        np.savez(partial, views=self.views, **arrays)
        partial.replace(path)


def read_bank(path: Path) -> Bank:
    """Read what `Bank.save` wrote.

    Raises:
        BankError: there is no bank at `path`, or it holds views of another kind.
    """
    if not path.is_file():
        raise BankError(f"There is no bank at {path}; make it with `make bank`.")
    with np.load(path) as kept:
        logits = {head: kept[f"{head}_logits"] for head in HEADS}
        bank = Bank(kept["views"], logits, str(kept["faces"]), tuple(map(str, kept["teachers"])))
    if bank.views.shape[2] != VIEW_NUMBERS:
        raise BankError(
            f"{path} has views of {bank.views.shape[2]} numbers, expected {VIEW_NUMBERS}; make it again."
        )
    return bank


def fingerprint(images: NDArray[np.uint8]) -> str:
    """Names a set of images."""
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()[:16]
