"""A TFLite network that takes one array at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray


class TFLiteModel:
    """A loaded network with one input, for one thread; its tensors are allocated once and reused.

    Args:
        model: the content of a .tflite file, or its path.
        threads: the cores that one run may use. Workers use one each: with as many workers as cores, more
            threads would only wait for each other.

    Raises:
        ValueError: LiteRT cannot read the model.
    """

    def __init__(self, model: bytes | Path, threads: int = 1) -> None:
        source = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
        self._interpreter = Interpreter(num_threads=threads, **source)
        self._interpreter.allocate_tensors()
        self.input = self._interpreter.get_input_details()[0]
        self.outputs = self._interpreter.get_output_details()
        self._input_view = self._interpreter.tensor(self.input["index"])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of the input, the batch first."""
        return tuple(int(size) for size in self.input["shape"])

    def input_view(self) -> NDArray[Any]:
        """The network's own input array, to be written in place and released before `run`."""
        view: NDArray[Any] = self._input_view()
        return view

    def run(self) -> list[NDArray[Any]]:
        """Run on what was written to `input_view`; the outputs are copies, in the file's order."""
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(output["index"])) for output in self.outputs]
