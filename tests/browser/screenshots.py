"""Takes the screenshots of the README: `make screenshots` writes them to docs/images.

Everybody in them is NASA's portrait of Eileen Collins, which is in the public domain and comes with
scikit-image.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import live, videos
from tests.browser.chromium import camera_arguments, find_chromium
from tests.helpers.crowd import Crowd
from tests.helpers.host_browser import PASSWORD
from tests.helpers.room_client import TOKEN, api
from tests.helpers.serving import PROJECT_ROOT, Server
from tests.vision.images import ImageArray, astronaut, mirrored

IMAGES = PROJECT_ROOT / "docs" / "images"
VIEWPORT = {"width": 1280, "height": 800}
MAX_PNG_BYTES = 300_000
PALETTE_SIZES = (256, 192, 128, 64)
"""From many colours to few, until the file is small enough."""

STYLE = PROJECT_ROOT / "static" / "css" / "base.css"

TIMELINE_S = 12
"""How long the pages run before the shot, so that their timelines show something."""

TIMEOUT_S = 120
"""For a page to show what it should; generous, as a busy machine is slow and not wrong."""


class TooLargeError(Exception):
    """A screenshot does not fit into MAX_PNG_BYTES."""


def main(folder: Path = IMAGES) -> int:
    """Take all screenshots; the exit status is 1 where there is no browser."""
    chromium = find_chromium()
    if chromium is None:
        print("No Chromium was found; name one with CHROMIUM=/path/to/it.", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        contextlib.chdir(scratch),  # the page shows the camera's path as its name
        sync_playwright() as playwright,
        Server(MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN) as server,
    ):
        camera = videos.write(Path("Camera.mjpeg"), [framed(astronaut())] * 2)
        browser = playwright.chromium.launch(executable_path=chromium, args=camera_arguments(camera))
        for name, show in SHOTS.items():
            take(browser, folder / f"{name}.png", show, server)
    return 0


def take(browser: Browser, path: Path, show: Callable[[Page, Server], bytes], server: Server) -> None:
    """Write what a page shows as a small PNG."""
    context = browser.new_context(viewport=VIEWPORT, color_scheme="light")  # type: ignore[arg-type]
    context.set_default_timeout(1000 * TIMEOUT_S)
    png = small_png(show(context.new_page(), server))
    context.close()
    path.write_bytes(png)
    print(f"{path}: {len(png) / 1000:.0f} kB")


def show_live(page: Page, server: Server) -> bytes:
    """The live view with one face."""
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    page.wait_for_timeout(1000 * TIMELINE_S)
    return page.screenshot()


def show_board(page: Page, server: Server) -> bytes:
    """The board of a room that is recording, with video; one participant is not in front of the camera."""
    study = {"name": "Film study", "information": "We record which expression your face shows."}
    settings = {"video": True, "marker_labels": ["Film begins", "Film ends"]}
    room = api(server, "POST", "/rooms", {**study, "settings": settings}).json()["code"]
    sign_in(page, server)
    page.goto(f"{server.url}/host/rooms/{room}")
    people = participants_jpeg()
    with Crowd(server, room, len(people), people, frames_per_s=3):
        page.wait_for_function(
            "count => document.querySelectorAll('.tile[data-expression=\"happy\"]').length === count",
            arg=len(people) - 1,
        )
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        api(server, "POST", f"/rooms/{room}/markers", {"label": "Film begins"})
        page.wait_for_timeout(1000 * TIMELINE_S)
        return page.screenshot()


def sign_in(page: Page, server: Server) -> None:
    """Make the first host's account."""
    page.goto(f"{server.url}/host?token={TOKEN}")
    page.fill("[name=name]", "Ada")
    page.fill("[name=password]", PASSWORD)
    page.click("button.is-main")
    page.wait_for_selector("h1:has-text('Rooms')")


SHOTS = {"live": show_live, "board": show_board}


def framed(portrait: ImageArray, scale: float = 1.3) -> ImageArray:
    """The portrait at this scale in a camera's frame, 640 x 480, which it fills."""
    shift = np.array([[scale, 0, (videos.WIDTH - scale * len(portrait)) / 2], [0, scale, -8]], np.float32)
    size = (videos.WIDTH, videos.HEIGHT)
    return np.asarray(cv2.warpAffine(portrait, shift, size), np.uint8)


def participants_jpeg() -> list[bytes]:
    """A frame for each participant: the portrait, its mirror image, a nearer one, an empty chair."""
    one = astronaut()
    frames = [framed(one), framed(mirrored(one)), framed(one, 1.4), np.full_like(framed(one), 90)]
    return [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]


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
    indices, pixels = np.array(drawn), np.asarray(image)
    for index, color in enumerate(own):
        indices[(pixels == color).all(axis=2)] = index
    exact = Image.fromarray(indices)
    exact.putpalette(drawn.getpalette() or [])
    return exact


def colors_of_page() -> list[tuple[int, ...]]:
    """The colours that the style sheet names, as RGB; a palette made from photographs would miss them."""
    found = re.findall(r"--[\w-]+: #([0-9a-f]{6});", STYLE.read_text())
    return [tuple(bytes.fromhex(color)) for color in dict.fromkeys(found)]


if __name__ == "__main__":
    sys.exit(main())
