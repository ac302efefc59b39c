from __future__ import annotations

import keras

from models.train.network import build_served
from models.train.student.settings import STUDENT
from webapp.config import Settings


def test_the_student_has_the_network_that_ships() -> None:
    ships = keras.saving.load_model(Settings().model_path.with_suffix(".keras"), compile=False)
    shapes = [weight.shape for weight in build_served(STUDENT).weights]
    assert [weight.shape for weight in ships.weights] == shapes


def test_the_student_learns_mostly_from_its_teachers_views() -> None:
    assert 0.5 <= STUDENT.distillation <= 1
