"""The screenshots of the README can be retaken; they are small and keep the page's colours."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import screenshots, small_png
from tests.helpers.serving import PROJECT_ROOT, Server
from tests.vision.images import ImageArray, astronaut


@pytest.mark.usefixtures("chromium_path")
def test_every_screenshot_has_the_size_of_the_window(tmp_path: Path) -> None:
    """In a process of its own, as Playwright runs once in a process and the browser tests have it."""
    code = "import sys; from pathlib import Path; from tests.browser import screenshots as shots; "
    code += "shots.TIMELINE_S = 0; shots.IMAGES = Path(sys.argv[1]); sys.exit(shots.main())"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT_ROOT, check=True)
    taken = {path.stem: size_of(path) for path in tmp_path.iterdir()}
    windows = {name: shot.viewport for name, shot in screenshots.SHOTS.items()}
    assert taken == {name: (window["width"], window["height"]) for name, window in windows.items()}


def test_pages_can_be_seen_in_another_language_scheme_and_window(
    server: Server, still_browser: Browser, tmp_path: Path
) -> None:
    given = screenshots.parsed(["--language", "zh_Hans", "--scheme", "dark", "--size", "390x844"])
    look = screenshots.Look(given.language, given.scheme, given.size)
    assert look.name == "zh_Hans-dark-390x844"
    languages: list[str | None] = []

    def take(page: Page, server: Server) -> bytes:
        taken = screenshots.take_start(page, server)
        languages.append(page.get_attribute("html", "lang"))
        return taken

    path = tmp_path / "start.png"
    shot = screenshots.Shot(take, screenshots.DESKTOP)
    screenshots.write_shot(still_browser, path, shot, server, look)
    assert languages == ["zh-Hans"] and size_of(path) == (390, 844)
    with Image.open(path) as image:
        assert np.asarray(image.convert("L")).mean() < 64, "it is dark"


def test_the_colours_of_the_page_survive_beside_a_photograph() -> None:
    photograph = astronaut()[:, :, ::-1]
    swatches = [np.full((32, 512, 3), color, np.uint8) for color in small_png.colors_of_page()]
    page = np.vstack([photograph, *swatches])
    png = small_png.small_png(as_png(page))
    assert len(png) <= small_png.MAX_PNG_BYTES
    shown = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert (shown[len(photograph) :] == page[len(photograph) :]).all()


def test_a_screenshot_that_cannot_be_made_small_enough_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_png, "MAX_PNG_BYTES", 1000)
    with pytest.raises(small_png.TooLargeError, match="expected at most 1000"):
        small_png.small_png(as_png(astronaut()))


def as_png(image: ImageArray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size
