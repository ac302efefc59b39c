"""A network that starts from the recognition network; left out where PyTorch is not installed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.train.recognition import BLOCKS, STEM, Convolution
from models.train.settings import Settings
from tests.train.data_files import noise

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")

from torch import Tensor  # noqa: E402 - PyTorch itself
from torch.nn import functional  # noqa: E402

from models.train.student.initialization import initialize_from_recognition  # noqa: E402 - these import PyTorch
from models.train.student.network import StudentNetwork  # noqa: E402

SETTINGS = replace(Settings(), stem=(4, 1), pooled_stem=True, blocks=((4, 1), (8, 2)))


def chance(width: int, width_in: int, side: int, seed: int) -> Convolution:
    random = np.random.default_rng(seed)
    kernel = random.normal(0, 0.02, (width, width_in, side, side)).astype(np.float32)
    return Convolution(
        kernel,
        random.uniform(1, 5, width).astype(np.float32),
        random.normal(0, 0.3, width).astype(np.float32),
    )


CONVOLUTIONS = {
    STEM: chance(4, 1, 5, 1),
    f"{BLOCKS[0]}/1": chance(4, 4, 3, 2),
    f"{BLOCKS[0]}/2": chance(4, 4, 3, 3),
    f"{BLOCKS[1]}/1": chance(8, 4, 3, 4),
    f"{BLOCKS[1]}/2": chance(8, 8, 3, 5),
}


def convolved(values: Tensor, name: str, stride: int = 1) -> Tensor:
    """As the recognition network does it: halving, it takes pixels on the right and below beside its own."""
    given = CONVOLUTIONS[name]
    side = given.kernel.shape[2]
    padding = (0, 1, 0, 1) if stride == 2 else 4 * (side // 2,)
    values = functional.conv2d(functional.pad(values, padding), torch.from_numpy(given.kernel), stride=stride)
    return (
        values * torch.from_numpy(given.scale)[:, None, None] + torch.from_numpy(given.shift)[:, None, None]
    )


def of_recognition(grey: Tensor) -> Tensor:
    """What its stem and first two blocks make of (n, 1, 48, 48) pixels."""
    values = functional.relu(convolved((grey - 117) / 256, STEM))
    values = functional.max_pool2d(functional.pad(values, (0, 1, 0, 1)), 3, 2)
    branch = convolved(functional.relu(convolved(values, f"{BLOCKS[0]}/1")), f"{BLOCKS[0]}/2")
    values = functional.relu(values + branch)
    branch = convolved(functional.relu(convolved(values, f"{BLOCKS[1]}/1", 2)), f"{BLOCKS[1]}/2")
    means = functional.pad(functional.avg_pool2d(values, 2), (0, 0, 0, 0, 0, 4))
    return functional.relu(means + branch)


def test_a_network_answers_at_first_as_the_recognition_network() -> None:
    torch.manual_seed(1)
    network, faces = StudentNetwork(SETTINGS), noise(64)
    initialize_from_recognition(network, CONVOLUTIONS, faces)
    grey = torch.from_numpy(faces[:, None].astype(np.float32))
    given: list[Tensor] = []
    hook = network.blocks.register_forward_hook(lambda _module, _inputs, values: given.append(values))
    with torch.inference_mode():
        network.eval()(grey)
        expected = of_recognition(grey).numpy()
        hook.remove()
    inner = (
        slice(None),
        slice(None),
        slice(2, -2),
        slice(2, -2),
    )  # edges are padded with other values of grey
    assert given[0].numpy()[inner] == pytest.approx(expected[inner], abs=0.01)
    assert np.ptp(expected) > 0.5


def test_kernels_are_as_long_as_those_of_a_new_network() -> None:
    network = StudentNetwork(SETTINGS)
    initialize_from_recognition(network, CONVOLUTIONS, noise(16))
    for part in (network.stem, network.blocks[0].first, network.blocks[1].second):
        norms = part.kernel.weight.detach().flatten(1).norm(dim=1)
        assert norms.numpy() == pytest.approx(np.full(len(norms), 2**0.5), rel=1e-5)


@pytest.mark.parametrize("more", [(*11 * ((8, 1),),), ((12, 2), (8, 1))], ids=["deeper", "wider"])
def test_blocks_that_the_recognition_network_lacks_stay_as_they_are(
    more: tuple[tuple[int, int], ...],
) -> None:
    torch.manual_seed(1)
    network = StudentNetwork(replace(SETTINGS, blocks=(*SETTINGS.blocks, *more)))
    before = [block.first.kernel.weight.detach().clone() for block in network.blocks]
    missing = {f"{name}/{number}": chance(8, 8, 3, 7) for name in BLOCKS[2:] for number in (1, 2)}
    initialize_from_recognition(network, CONVOLUTIONS | missing, noise(16))
    after = [block.first.kernel.weight for block in network.blocks]
    assert torch.equal(after[-1], before[-1])
    assert not torch.equal(after[1], before[1])
