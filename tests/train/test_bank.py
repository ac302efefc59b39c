from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.train.bank import Bank, BankError, fingerprint, read_bank
from models.train.views import View
from tests.train.data_files import noise


def small_bank() -> Bank:
    rng = np.random.default_rng(1)
    views = np.stack(
        [[View(float(face), shift_x=number / 8).as_row() for number in range(2)] for face in range(3)]
    )
    logits = {"label": rng.normal(size=(3, 2, 7)), "votes": rng.normal(size=(3, 2, 8))}
    half = {head: rows.astype(np.float16) for head, rows in logits.items()}
    return Bank(views, half, fingerprint(noise(3)), ("first", "second"))


def test_a_bank_is_read_as_it_was_written(tmp_path: Path) -> None:
    bank = small_bank()
    bank.save(tmp_path / "bank" / "bank.npz")
    again = read_bank(tmp_path / "bank" / "bank.npz")
    assert again.teachers == ("first", "second")
    again.check(noise(3))
    assert np.array_equal(again.views, bank.views)
    assert all(np.array_equal(again.logits[head], rows) for head, rows in bank.logits.items())


def test_every_epoch_has_another_view_until_all_were_seen() -> None:
    bank, chosen = small_bank(), np.array([2, 0])
    first, second, again = (bank.views_of(chosen, epoch) for epoch in (0, 1, 2))
    assert [view.rotation_degrees for view in first[0]] == [2, 0]
    assert first[0] == again[0] != second[0]
    for head, rows in first[1].items():
        assert rows.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-6)
        assert np.array_equal(rows, again[1][head]) and not np.allclose(rows, second[1][head])


def test_a_missing_bank_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(BankError, match="make bank"):
        read_bank(tmp_path / "bank.npz")


def test_a_bank_with_views_of_another_kind_is_refused(tmp_path: Path) -> None:
    bank = small_bank()
    Bank(bank.views[..., :4], bank.logits, bank.faces, bank.teachers).save(tmp_path / "bank.npz")
    with pytest.raises(BankError, match="views of 4 numbers, expected 5"):
        read_bank(tmp_path / "bank.npz")
