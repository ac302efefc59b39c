from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from models.train.batches import as_input
from models.train.export import copy_weights
from models.train.initialization import initialize_from
from models.train.network import build_served, build_trained
from models.train.runs import BEST_WEIGHTS, RunError, start_run
from models.train.settings import Settings
from tests.train.data_files import noise

SMALL = replace(Settings(), stem=(4, 2), blocks=((8, 2), (8, 1)))
DEEPER = replace(SMALL, blocks=(*SMALL.blocks, (8, 1)))


def kept_run(folder: Path, seed: int, settings: Settings = SMALL) -> tuple[Path, keras.Model]:
    """A run whose network has chance weights, and the network."""
    keras.utils.set_random_seed(seed)
    model = build_trained(settings)
    start_run(folder, settings)
    model.save_weights(folder / BEST_WEIGHTS)
    return folder, model


def answers(model: keras.Model) -> dict[str, NDArray[np.float32]]:
    return {head: np.asarray(rows) for head, rows in model(as_input(noise(5)), training=False).items()}


def test_a_deeper_network_starts_out_with_the_answers_of_the_shallower(tmp_path: Path) -> None:
    run, shallow = kept_run(tmp_path / "run", 1)
    deeper = build_trained(DEEPER)
    before = answers(deeper)
    initialize_from(deeper, [run])
    for head, rows in answers(shallow).items():
        assert answers(deeper)[head] == pytest.approx(rows, abs=1e-4)
        assert not np.allclose(before[head], rows, atol=1e-2)


def test_what_a_deeper_network_adds_can_be_learnt(tmp_path: Path) -> None:
    run, _ = kept_run(tmp_path / "run", 1)
    deeper = build_trained(DEEPER)
    initialize_from(deeper, [run])
    deeper.compile("sgd", loss={"label": "mse", "votes": "mse"}, run_eagerly=True)
    before = deeper.get_layer("block2_second_norm").gamma.numpy()
    deeper.train_on_batch(as_input(noise(5)), {"label": np.ones((5, 7)), "votes": np.ones((5, 8))})
    assert not before.any()
    assert deeper.get_layer("block2_second_norm").gamma.numpy().any()


def test_several_runs_start_a_network_with_their_mean(tmp_path: Path) -> None:
    runs, networks = zip(*(kept_run(tmp_path / str(seed), seed) for seed in (1, 2)), strict=True)
    model = build_trained(SMALL)
    initialize_from(model, runs)
    first, second, mean = (network.get_layer("stem").kernel.numpy() for network in (*networks, model))
    assert mean == pytest.approx((first + second) / 2)


def test_a_network_starts_out_with_the_answers_of_model_files(tmp_path: Path) -> None:
    _, trained = kept_run(tmp_path / "run", 1)
    served = build_served(SMALL)
    copy_weights(trained, served)
    served.save(tmp_path / "expression.keras")
    kernel, bias = trained.get_layer("votes").get_weights()
    np.savez(tmp_path / "fer_plus_head.npz", kernel=kernel, bias=bias)
    model = build_trained(SMALL)
    initialize_from(model, [tmp_path])
    for head, rows in answers(trained).items():
        assert answers(model)[head] == pytest.approx(rows, abs=1e-4)


@pytest.mark.parametrize(
    "settings",
    [replace(SMALL, stem=(6, 2)), replace(SMALL, blocks=(*SMALL.blocks, (16, 2)))],
    ids=["another width", "a new block that changes the width"],
)
def test_a_network_of_another_shape_cannot_be_started_from(tmp_path: Path, settings: Settings) -> None:
    run, _ = kept_run(tmp_path / "run", 1)
    with pytest.raises(RunError, match="initialize"):
        initialize_from(build_trained(settings), [run])
