"""The screenshots of the README can be retaken; they are small and keep the page's colours."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser import screenshots
from tests.vision.images import ImageArray, astronaut


def test_every_screenshot_has_the_size_of_the_window(
    chromium_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screenshots, "TIMELINE_S", 0.0)
    assert screenshots.main(tmp_path) == 0
    taken = {path.stem: size_of(path) for path in tmp_path.iterdir()}
    assert taken == dict.fromkeys(screenshots.SHOTS, (1280, 800))


def test_the_colours_of_the_page_survive_beside_a_photograph() -> None:
    photograph = astronaut()[:, :, ::-1]
    swatches = [np.full((32, 512, 3), color, np.uint8) for color in screenshots.colors_of_page()]
    page = np.vstack([photograph, *swatches])
    png = screenshots.small_png(as_png(page))
    assert len(png) <= screenshots.MAX_PNG_BYTES
    shown = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert (shown[len(photograph) :] == page[len(photograph) :]).all()


def test_a_screenshot_that_cannot_be_made_small_enough_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshots, "MAX_PNG_BYTES", 1000)
    with pytest.raises(screenshots.TooLargeError, match="expected at most 1000"):
        screenshots.small_png(as_png(astronaut()))


def as_png(image: ImageArray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size
