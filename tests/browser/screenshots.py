"""Takes the screenshots of the README and the documents: `make screenshots` writes them to docs/images.

Everybody in them is NASA's portrait of Eileen Collins, which is in the public domain and comes with
scikit-image. The report shows made-up numbers.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, ViewportSize, sync_playwright

from tests.browser import live, videos
from tests.browser.chromium import camera_arguments, find_chromium
from tests.helpers.crowd import Crowd
from tests.helpers.exports import CODE, START_MS, add_marker, exported, new_archive, sample
from tests.helpers.host_browser import PASSWORD
from tests.helpers.made_videos import Visit, constant_times, write_video
from tests.helpers.room_client import TOKEN, api
from tests.helpers.serving import PROJECT_ROOT, Server
from tests.vision.images import FACE, ImageArray, astronaut, mirrored
from webapp.protocol import LABELS
from webapp.store.database import open_database

IMAGES = PROJECT_ROOT / "docs" / "images"
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
MAX_PNG_BYTES = 150_000
PALETTE_SIZES = (256, 192, 128, 96, 64, 48)
"""From many colours to few, until the file is small enough."""

STYLE = PROJECT_ROOT / "static" / "css" / "base.css"

TIMELINE_S = 12
"""How long the pages run before the shot, so that their timelines show something."""

TIMEOUT_S = 60
"""For a page to show what it should; generous, as a busy machine is slow and not wrong."""

WIDE = (1280, 720)
"""A camera's frame with room for five faces."""

INFORMATION = """\
You will watch **three short films** of two minutes each. Your camera is on meanwhile, and this website \
estimates which expression your face shows.

- You can pause or leave at any time, without giving a reason.
- Afterwards you can have everything recorded about you deleted.

Questions? Ask the researcher beside you before you begin."""

CLIP_S = 6
CLIP_RATE = 10
CLIP = (Visit("astronaut", 0, 4.5, left=True), Visit("astronaut", 1.5, 6, left=False))
"""Who is seen in the video of the page for files, and when."""

REPORT_S = 240
MADE_UP_INTERVAL_S = 0.25


class TooLargeError(Exception):
    """A screenshot does not fit into MAX_PNG_BYTES."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A screenshot: what shows a page and takes it, in which window, and who sits before the camera."""

    take: Callable[[Page, Server], bytes]
    viewport: ViewportSize
    camera: str = "Camera"


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
        browsers = {name: start_browser(playwright, chromium, name) for name in CAMERAS}
        for name, shot in SHOTS.items():
            write_shot(browsers[shot.camera], folder / f"{name}.png", shot, server)
    return 0


def start_browser(playwright: Playwright, chromium: str, camera: str) -> Browser:
    """A browser with one of CAMERAS; pages show the name of its file."""
    video = videos.write(Path(f"{camera}.mjpeg"), [CAMERAS[camera]()] * 2)
    return playwright.chromium.launch(executable_path=chromium, args=camera_arguments(video))


def write_shot(browser: Browser, path: Path, shot: Shot, server: Server) -> None:
    """Write what a page shows as a small PNG."""
    context = browser.new_context(viewport=shot.viewport, color_scheme="light", locale="en")
    context.set_default_timeout(1000 * TIMEOUT_S)
    png = small_png(shot.take(context.new_page(), server))
    context.close()
    path.write_bytes(png)
    print(f"{path}: {len(png) / 1000:.0f} kB", flush=True)


def take_start(page: Page, server: Server) -> bytes:
    """The start page; what moves on it stands still."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(server.url, wait_until="networkidle")
    page.wait_for_selector('[data-screen="start"]', state="visible")
    return page.screenshot()


def take_live(page: Page, server: Server) -> bytes:
    """The live view with one face."""
    open_live(page, server)
    page.wait_for_timeout(1000 * TIMELINE_S)
    return page.screenshot()


def take_five(page: Page, server: Server) -> bytes:
    """The live view with five faces."""
    open_live(page, server)
    page.wait_for_function("document.querySelectorAll('#faces button').length === 5")
    page.wait_for_timeout(1000 * TIMELINE_S)
    return page.screenshot()


def open_live(page: Page, server: Server) -> None:
    """Open the live view, and wait for a face."""
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")


def take_files(page: Page, server: Server) -> bytes:
    """The page for files with the results of a video, at a moment with two faces."""
    with tempfile.TemporaryDirectory() as folder:
        clip = write_video(Path(folder) / "interview.mp4", constant_times(CLIP_S, CLIP_RATE), CLIP)
        page.goto(f"{server.url}/files")
        page.set_input_files("#file-input", clip)
        page.wait_for_selector("#result[data-shows='all']", state="visible")
        page.wait_for_function("() => document.getElementById('video').readyState >= 2")
        for _ in range(3):
            page.press("#scrubber", "ArrowUp")
        page.wait_for_function("() => document.querySelectorAll('#faces button').length === 2")
        page.evaluate("document.activeElement.blur()")
        page.wait_for_timeout(500)
        return page.screenshot()


def take_consent(page: Page, server: Server) -> bytes:
    """What participants read before they consent."""
    page.goto(f"{server.url}/r/{create_room(server)}")
    page.wait_for_selector('[data-screen="start"]', state="visible")
    return page.screenshot()


def take_board(page: Page, server: Server) -> bytes:
    """A dashboard that records four participants with video; one is not in front of the camera."""
    sign_in(page, server, "Ada")
    room = create_room(server, video=True)
    return recording(page, server, room, [*participants_jpeg(), empty_jpeg()], people=4, faces=3)


def take_thirty(page: Page, server: Server) -> bytes:
    """A dashboard that records thirty participants."""
    sign_in(page, server, "Grace")
    return recording(page, server, create_room(server), participants_jpeg(), people=30, faces=30)


def recording(page: Page, server: Server, room: str, frames: list[bytes], people: int, faces: int) -> bytes:
    """The dashboard of a room while people are recorded, of whom so many show a face."""
    page.goto(f"{server.url}/host/rooms/{room}")
    with Crowd(server, room, people, frames, frames_per_s=1.5):
        page.wait_for_function(
            "count => document.querySelectorAll('.tile[data-expression=\"happy\"]').length === count",
            arg=faces,
        )
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        api(server, "POST", f"/rooms/{room}/markers", {"label": "Film begins"})
        page.wait_for_timeout(1000 * TIMELINE_S)
        return page.screenshot()


def take_report(page: Page, _: Server) -> bytes:
    """The report of three made-up participants."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_bytes(made_up_report(f"sqlite:///{folder}/made-up.sqlite"))
        page.goto(path.as_uri())
        return page.screenshot()


def made_up_report(url: str) -> bytes:
    """A report of two films, whose viewers smile or frown at other times."""
    archive = new_archive(url, "ann", "ben", "cleo")
    archive.recordings.start_recording(CODE, START_MS)
    archive.recordings.stop_recording(1, START_MS + 1000 * REPORT_S)
    for number, person in enumerate(("ann", "ben", "cleo")):
        frames = range(int(REPORT_S / MADE_UP_INTERVAL_S))
        faces = [made_up_face(number, frame * MADE_UP_INTERVAL_S) for frame in frames]
        archive.recordings.add_samples(
            [sample(person, frame, frame * MADE_UP_INTERVAL_S, face) for frame, face in enumerate(faces)]
        )
    add_marker(archive, "Film begins", 30)
    add_marker(archive, "Film ends", 210)
    archive.close()
    engine = open_database(url)
    report = exported(engine)["report.html"]
    engine.dispose()
    return report


def made_up_face(person: int, at_s: float) -> list[float] | None:
    """Probabilities that rise and fall; none while a person looks away."""
    if 60 + 40 * person < at_s < 68 + 40 * person:
        return None
    phases = (at_s / (17 + 5 * index) + 1.7 * index + 0.4 * person for index in range(len(LABELS)))
    weights = [math.exp(2.2 * math.sin(phase)) for phase in phases]
    weights[LABELS.index("happy")] *= 3 if 90 < at_s < 150 else 1
    weights[LABELS.index("neutral")] *= 4
    return [weight / sum(weights) for weight in weights]


def create_room(server: Server, **settings: object) -> str:
    """A room for a film study; its code."""
    study = {"name": "Film study", "information": INFORMATION}
    settings = {"marker_labels": ["Film begins", "Film ends"], **settings}
    code: str = api(server, "POST", "/rooms", {**study, "settings": settings}).json()["code"]
    return code


def sign_in(page: Page, server: Server, name: str) -> None:
    """Make a host's account."""
    page.goto(f"{server.url}/host?token={TOKEN}")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button.is-main")
    page.wait_for_selector("h1:has-text('Rooms')")


SHOTS = {
    "start": Shot(take_start, DESKTOP),
    "live": Shot(take_live, DESKTOP),
    "five-faces": Shot(take_five, DESKTOP, camera="Wide camera"),
    "phone": Shot(take_live, PHONE),
    "files": Shot(take_files, DESKTOP),
    "consent": Shot(take_consent, DESKTOP),
    "board": Shot(take_board, DESKTOP),
    "board-30": Shot(take_thirty, DESKTOP),
    "report": Shot(take_report, DESKTOP),
}


def framed(portrait: ImageArray, scale: float = 1.3) -> ImageArray:
    """The portrait at this scale in a camera's frame, 640 x 480, which it fills."""
    shift = np.array([[scale, 0, (videos.WIDTH - scale * len(portrait)) / 2], [0, scale, -8]], np.float32)
    size = (videos.WIDTH, videos.HEIGHT)
    return np.asarray(cv2.warpAffine(portrait, shift, size), np.uint8)


def five_faces() -> ImageArray:
    """Five portraits beside each other in a wide frame, every other one mirrored and a little lower."""
    width, height = WIDE[0] // 5, WIDE[1]
    columns = []
    for number in range(5):
        portrait = astronaut() if number % 2 == 0 else mirrored(astronaut())
        scale = 1.5
        face_x = FACE_ACROSS if number % 2 == 0 else len(portrait) - FACE_ACROSS
        shift = np.array(
            [[scale, 0, width / 2 - scale * face_x], [0, scale, -8 - 20 * (number % 2)]], np.float32
        )
        columns.append(cv2.warpAffine(portrait, shift, (width, height)))
    return np.asarray(np.hstack(columns), np.uint8)


FACE_ACROSS = FACE.x + FACE.width / 2
"""The center of the portrait's face."""

CAMERAS: dict[str, Callable[[], ImageArray]] = {
    "Camera": lambda: framed(astronaut()),
    "Wide camera": five_faces,
}


def participants_jpeg() -> list[bytes]:
    """Frames of participants: the portrait, its mirror image, a nearer one."""
    one = astronaut()
    return [as_jpeg(frame) for frame in (framed(one), framed(mirrored(one)), framed(one, 1.4))]


def empty_jpeg() -> bytes:
    """A frame of an empty chair."""
    return as_jpeg(np.full((videos.HEIGHT, videos.WIDTH, 3), 90, np.uint8))


def as_jpeg(frame: ImageArray) -> bytes:
    """A frame as a browser sends it."""
    return cv2.imencode(".jpg", frame)[1].tobytes()


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
