from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.train.bank import Bank, BankError, fingerprint
from models.train.batches import Batches, mixup
from models.train.data import FaceSet
from models.train.settings import Settings
from models.train.views import View, render
from tests.train.data_files import light_and_dark, noise


def test_an_epoch_can_be_made_again_and_the_next_one_differs() -> None:
    settings = replace(Settings(), batch=4)
    batches, again = (Batches(light_and_dark(12), settings) for _ in range(2))
    again.start_epoch(1)
    later = again[0][0]
    assert not np.array_equal(batches[0][0], later)
    again.start_epoch(0)
    for index in range(len(batches)):
        assert np.array_equal(batches[index][0], again[index][0])


def test_faces_are_smaller_where_the_settings_say_so() -> None:
    batches = Batches(light_and_dark(4), replace(Settings(), batch=4, epochs=4, sides=((0.0, 32), (0.5, 48))))
    shapes = []
    for epoch in range(4):
        batches.start_epoch(epoch)
        shapes.append(batches[0][0].shape)
    assert shapes == [(4, 32, 32, 1)] * 2 + [(4, 48, 48, 1)] * 2


def test_every_face_comes_with_its_own_target() -> None:
    batches = Batches(light_and_dark(12), replace(Settings(), batch=4, cutout_rate=0.0, light=0.0))
    for index in range(len(batches)):
        images, rows = batches[index]
        assert images.shape == (4, 48, 48, 1)
        light = images.mean(axis=(1, 2, 3)) > 128
        assert (rows["label"].argmax(axis=1) == np.where(light, 3, 0)).all()
        assert (rows["votes"].argmax(axis=1) == np.where(light, 1, 4)).all()


def test_a_face_blended_with_another_takes_as_much_of_its_target() -> None:
    faces = np.repeat(np.array([0, 100, 200], np.float32), 48 * 48).reshape(3, 48, 48, 1)
    wanted = {"label": np.array([[0.0], [1.0], [2.0]], np.float32)}
    mixed, rows = mixup(faces, wanted, 1.0, np.random.default_rng(1))
    parts = rows["label"][:, 0] / 2 - np.array([0, 0.5, 1])
    assert (np.abs(parts) > 0.01).all() and parts[1] >= -0.25
    assert mixed.mean(axis=(1, 2, 3)) == pytest.approx(rows["label"][:, 0] * 100, abs=0.01)
    untouched, rows = mixup(faces, wanted, 0.0, np.random.default_rng(1))
    assert np.array_equal(untouched, faces) and np.array_equal(rows["label"], wanted["label"])


STILL = replace(
    Settings(), batch=4, light=0.0, contrast=0.0, corruption_rate=0.0, cutout_rate=0.0, mixup_rate=0.0
)


def bank_of(faces: FaceSet, views: int) -> Bank:
    """Views that are each another shift, and answers that tell face and view."""
    rows = np.stack([View(shift_x=number / 48).as_row() for number in range(views)])
    number = np.arange(len(faces))[:, None] + 0.1 * np.arange(views)
    logits = {"label": np.zeros((len(faces), views, 7)), "votes": np.zeros((len(faces), views, 8))}
    for head in logits.values():
        head[..., 0] = number
    half = {head: rows.astype(np.float16) for head, rows in logits.items()}
    return Bank(np.tile(rows, (len(faces), 1, 1)), half, fingerprint(faces.images), ("all-knowing",))


def test_a_student_sees_the_very_view_that_the_teachers_answered_for() -> None:
    faces, views = FaceSet(noise(8), np.zeros(8, np.int64), np.zeros((8, 10), np.float32)), 3
    bank = bank_of(faces, views)
    batches = Batches(faces, replace(STILL, distillation=1.0), bank)
    seen = set()
    for epoch in range(views):
        batches.start_epoch(epoch)
        for index in range(len(batches)):
            images, wanted = batches[index]
            for image, row in zip(images[..., 0], wanted["label"], strict=True):
                number, view = divmod(round(float(np.log(row[0] / row[1])), 1), 1)
                shown = render(faces.images[int(number)], View(shift_x=round(view * 10) / 48), 48)
                assert np.abs(image - shown).max() <= 1
                seen.add((int(number), round(view * 10)))
    assert len(seen) == 8 * views


def test_corruptions_change_what_the_student_sees_and_not_its_target() -> None:
    faces = FaceSet(noise(8), np.zeros(8, np.int64), np.zeros((8, 10), np.float32))
    clean, corrupted = (
        Batches(faces, replace(STILL, distillation=1.0, cutout_rate=rate), bank_of(faces, 2))[0]
        for rate in (0.0, 1.0)
    )
    assert np.array_equal(clean[1]["label"], corrupted[1]["label"])
    assert all((before != after).any() for before, after in zip(clean[0], corrupted[0], strict=True))


def test_a_bank_of_other_faces_is_refused() -> None:
    faces = light_and_dark(8)
    with pytest.raises(BankError, match="other faces"):
        Batches(light_and_dark(12), replace(STILL, distillation=1.0), bank_of(faces, 2))
