from __future__ import annotations

from pathlib import Path

import keras

from models.train.network import build_served
from models.train.recipe import LAST, RECIPE
from webapp.config import Settings


def test_a_run_needs_only_runs_before_it() -> None:
    done: list[str] = []
    for run, settings in RECIPE.items():
        assert set(settings.start) | set(settings.teachers) <= set(done)
        done.append(str(run))
    assert Path(done[-1]) == LAST


def test_the_last_run_has_the_network_that_ships() -> None:
    ships = keras.saving.load_model(Settings().model_path.with_suffix(".keras"), compile=False)
    shapes = [weight.shape for weight in build_served(RECIPE[LAST]).weights]
    assert [weight.shape for weight in ships.weights] == shapes
