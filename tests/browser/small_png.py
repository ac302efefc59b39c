"""Screenshots as small PNG files that keep the colours of the pages."""

from __future__ import annotations

import io
import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.helpers.serving import PROJECT_ROOT

MAX_PNG_BYTES = 150_000
PALETTE_SIZES = (256, 192, 128, 96, 64, 48)
"""From many colours to few, until the file is small enough."""

STYLE = PROJECT_ROOT / "static" / "css" / "base.css"


class TooLargeError(Exception):
    """A screenshot does not fit into MAX_PNG_BYTES."""


def small_png(screenshot: bytes) -> bytes:
    """A screenshot with a palette of as many colours as fit into MAX_PNG_BYTES.

    Raises:
        TooLargeError: not even the fewest do.
    """
    image = Image.open(io.BytesIO(screenshot)).convert("RGB")
    for size in PALETTE_SIZES:
        file = io.BytesIO()
        with_palette(image, size).save(file, "PNG", optimize=True)
        if len(file.getvalue()) <= MAX_PNG_BYTES:
            return file.getvalue()
    raise TooLargeError(
        f"{len(file.getvalue())} bytes with {size} colours, expected at most {MAX_PNG_BYTES}."
    )


def with_palette(image: Image.Image, size: int) -> Image.Image:
    """The image in `size` colours: those of the page, exactly, and those that suit the rest best."""
    own = colors_of_page()
    others = image.quantize(size - len(own)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(value for color in own for value in color), *others])
    drawn = image.quantize(
        palette=palette, dither=Image.Dither.NONE
    )  # the nearest colour, or one close to it
    indices, pixels = np.array(drawn), packed(np.asarray(image))
    for index, color in enumerate(own):
        indices[pixels == packed(np.array(color))] = index
    exact = Image.fromarray(indices)
    exact.putpalette(drawn.getpalette() or [])
    return exact


def packed(rgb: NDArray[np.integer]) -> NDArray[np.uint32]:
    """Colours (..., 3) as one number each, which are compared several times as fast."""
    return np.asarray(rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32), np.uint32)


def colors_of_page() -> list[tuple[int, ...]]:
    """The colours that the style sheet names, as RGB; a palette made from photographs would miss them."""
    found = re.findall(r"--[\w-]+: #([0-9a-f]{6});", STYLE.read_text())
    return [tuple(bytes.fromhex(color)) for color in dict.fromkeys(found)]
