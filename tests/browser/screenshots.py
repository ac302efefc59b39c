"""Takes the screenshots of the README and the documents: `make screenshots` writes them to docs/images.

    make screenshots SHOTS="--language ar --scheme dark --size 390x844 --only start consent"

takes some in another language, color scheme or window, to be looked at in build/screenshots.

Everybody in them is NASA's portrait of Eileen Collins, which is in the public domain and comes with
scikit-image. The report shows made-up numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, Playwright, ViewportSize, sync_playwright

from tests.browser import live, videos
from tests.browser.chromium import camera_arguments, find_chromium
from tests.browser.portraits import CAMERAS, empty_jpeg, participants_jpeg
from tests.browser.room_pages import sign_in
from tests.browser.small_png import small_png
from tests.helpers.crowd import Crowd
from tests.helpers.exports import CODE, START_MS, add_marker, exported, new_archive, sample
from tests.helpers.made_videos import Visit, constant_times, write_video
from tests.helpers.room_client import TOKEN, api
from tests.helpers.serving import PROJECT_ROOT, Server
from webapp.protocol import LABELS
from webapp.store.database import open_database
from webapp.web.catalogues import LANGUAGES

IMAGES = PROJECT_ROOT / "docs" / "images"
LOOKED_AT = PROJECT_ROOT / "build" / "screenshots"
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
TIMELINE_S = 12
"""How long the pages run before the shot, so that their timelines show something."""

TIMEOUT_S = 60
"""For a page to show what it should; generous, as a busy machine is slow and not wrong."""

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


@dataclass(frozen=True, slots=True)
class Look:
    """How pages look: in which language and scheme, and in which window if not that of each screenshot."""

    language: str = "en"
    scheme: Literal["light", "dark"] = "light"
    size: tuple[int, int] | None = None

    def viewport_of(self, shot: Shot) -> ViewportSize:
        """The window of a screenshot."""
        return {"width": self.size[0], "height": self.size[1]} if self.size else shot.viewport

    @property
    def name(self) -> str:
        """As the name of a folder."""
        size = ["{}x{}".format(*self.size)] if self.size else []
        return "-".join([self.language, self.scheme, *size])


DEFAULT = Look()
"""That of the documents."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A screenshot: what shows a page and takes it, in which window, and who sits before the camera."""

    take: Callable[[Page, Server], bytes]
    viewport: ViewportSize
    camera: str = "Camera"


def main(arguments: Sequence[str] = ()) -> int:
    """Take screenshots; the exit status is 1 where there is no browser."""
    given = parsed(arguments)
    look = Look(given.language, given.scheme, given.size)
    folder = IMAGES if look == DEFAULT and not given.only else LOOKED_AT / look.name
    return take_all(folder, look, given.only or list(SHOTS))


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line asks for; it ends the program where that is not understood."""
    parser = argparse.ArgumentParser(prog="make screenshots", description="Take screenshots of the pages.")
    parser.add_argument("--language", default="en", choices=tuple(LANGUAGES))
    parser.add_argument("--scheme", default="light", choices=("light", "dark"))
    parser.add_argument("--size", type=size_of_text, help="of the window, such as 1920x1080")
    parser.add_argument("--only", nargs="+", choices=tuple(SHOTS), default=[])
    return parser.parse_args(arguments)


def size_of_text(text: str) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        ValueError: the text is no size.
    """
    width, _, height = text.partition("x")
    return int(width), int(height)


def take_all(folder: Path, look: Look, names: Sequence[str]) -> int:
    """Take the screenshots of these names; 1 where there is no browser, else 0."""
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
        for name in names:
            write_shot(browsers[SHOTS[name].camera], folder / f"{name}.png", SHOTS[name], server, look)
    return 0


def start_browser(playwright: Playwright, chromium: str, camera: str) -> Browser:
    """A browser with one of CAMERAS; pages show the name of its file."""
    video = videos.write(Path(f"{camera}.mjpeg"), [CAMERAS[camera]()] * 2)
    return playwright.chromium.launch(executable_path=chromium, args=camera_arguments(video))


def write_shot(browser: Browser, path: Path, shot: Shot, server: Server, look: Look = DEFAULT) -> None:
    """Write what a page shows as a PNG; a small one for the documents."""
    locale = look.language.replace("_", "-")
    context = browser.new_context(viewport=look.viewport_of(shot), color_scheme=look.scheme, locale=locale)
    context.set_default_timeout(1000 * TIMEOUT_S)
    taken = shot.take(context.new_page(), server)
    png = small_png(taken) if look == DEFAULT else taken
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
    page.wait_for_function("() => document.querySelectorAll('#faces button').length === 5")
    page.wait_for_timeout(1000 * TIMELINE_S)
    return page.screenshot()


def open_live(page: Page, server: Server) -> None:
    """Open the live view, and wait for a face."""
    page.goto(server.url)
    live.start(page)
    page.wait_for_selector("#readout[data-expression='happy']")


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
