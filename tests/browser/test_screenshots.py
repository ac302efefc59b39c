"""The screenshots of the README can be retaken; they are small and keep the page's colours."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser import screenshots
from tests.helpers.serving import PROJECT_ROOT
from tests.vision.images import ImageArray, astronaut


@pytest.mark.usefixtures("chromium_path")
def test_every_screenshot_has_the_size_of_the_window(tmp_path: Path) -> None:
    """In a process of its own, as Playwright runs once in a process and the browser tests have it."""
    code = "import sys; from pathlib import Path; from tests.browser import screenshots as shots; "
    code += "shots.TIMELINE_S = 0; sys.exit(shots.main(Path(sys.argv[1])))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT_ROOT, check=True)
    taken = {path.stem: size_of(path) for path in tmp_path.iterdir()}
    windows = {name: shot.viewport for name, shot in screenshots.SHOTS.items()}
    assert taken == {name: (window["width"], window["height"]) for name, window in windows.items()}


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
