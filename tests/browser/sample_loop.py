"""Records the start page's loop of the live view: `make screenshots` writes it to static/images.

The page itself draws it, on a real server: NASA's portrait of Eileen Collins, which is in the public domain
and comes with scikit-image, moves before the camera.
"""

from __future__ import annotations

import base64
import io
import math
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.browser import live, videos
from tests.browser.chromium import camera_arguments, find_chromium
from tests.helpers.serving import PROJECT_ROOT, Server
from tests.vision.images import ImageArray, astronaut

IMAGES = PROJECT_ROOT / "static" / "images"
MAX_LOOP_BYTES = 55_000
QUALITIES = (60, 50, 40, 35, 30)
"""From good to poor, until the loop is small enough."""

PERIOD_S = 4
FRAMES_PER_S = 6
SIZE = (560, 420)
VIEWPORT: ViewportSize = {"width": 480, "height": 800}
DENSITY = 4 / 3
"""The stage is as wide as the window: with this density it has the 640 pixels of the camera."""

RECORD = """
async (period_ms) => {
  const [video, overlay] = ["video", "overlay"].map((id) => document.getElementById(id));
  const canvas = new OffscreenCanvas(overlay.width, overlay.height);
  const context = canvas.getContext("2d");
  const taken = [];
  const take = ({ detail }) => {
    context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(overlay, 0, 0);
    taken.push({ at_ms: detail.time_ms, image: canvas.transferToImageBitmap() });
  };
  overlay.addEventListener("mien:drawn", take);
  await new Promise((done) => setTimeout(done, period_ms + 300));
  overlay.removeEventListener("mien:drawn", take);
  return Promise.all(taken.map(async ({ at_ms, image }) => {
    const still = new OffscreenCanvas(image.width, image.height);
    still.getContext("2d").drawImage(image, 0, 0);
    const file = await still.convertToBlob({ type: "image/webp", quality: 0.95 });
    const bytes = new Uint8Array(await file.arrayBuffer());
    return { at_ms, image: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) };
  }));
}
"""


class TooLargeError(Exception):
    """The loop does not fit into MAX_LOOP_BYTES."""


def main(folder: Path = IMAGES) -> int:
    """Record the loop and its still; the exit status is 1 where there is no browser."""
    chromium = find_chromium()
    if chromium is None:
        print("No Chromium was found; name one with CHROMIUM=/path/to/it.", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        sync_playwright() as playwright,
        Server(MIEN_WORKERS="2") as server,
    ):
        count = PERIOD_S * videos.FRAMES_PER_S
        camera = videos.write(Path(scratch) / "loop.mjpeg", [portrait_at(n / count) for n in range(count)])
        browser = playwright.chromium.launch(executable_path=chromium, args=camera_arguments(camera))
        context = browser.new_context(viewport=VIEWPORT, device_scale_factor=DENSITY)
        frames = record(context.new_page(), server)
    write(folder / "live-loop.avif", small_loop(frames))
    write(folder / "live-still.webp", encoded(frames[0], "WEBP", quality=70))
    return 0


def portrait_at(turn: float) -> ImageArray:
    """The portrait, which fills the frame, at a part of its way round, from 0 to 1."""
    angle = 2 * math.pi * turn
    scale = 1.5 + 0.06 * math.sin(2 * angle)
    left, top = -60 + 34 * math.sin(angle), -24 + 14 * math.cos(angle)
    shift = np.array([[scale, 0, left], [0, scale, top]], np.float32)
    return np.asarray(cv2.warpAffine(astronaut(), shift, (videos.WIDTH, videos.HEIGHT)), np.uint8)


def record(page: Page, server: Server) -> list[Image.Image]:
    """One turn of the live view, FRAMES_PER_S a second."""
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    page.wait_for_timeout(1000 * PERIOD_S)  # the motion of the box settles
    taken = page.evaluate(RECORD, 1000 * PERIOD_S)
    start_ms = taken[0]["at_ms"]
    wanted_ms = [start_ms + 1000 * number / FRAMES_PER_S for number in range(PERIOD_S * FRAMES_PER_S)]
    nearest = [min(taken, key=lambda one: abs(one["at_ms"] - at_ms)) for at_ms in wanted_ms]
    return [decoded(one["image"]) for one in nearest]


def decoded(image: str) -> Image.Image:
    """A drawing of the page, in the size that the start page shows."""
    drawn = Image.open(io.BytesIO(base64.b64decode(image))).convert("RGB")
    return drawn.resize(SIZE, Image.Resampling.LANCZOS)


def small_loop(frames: list[Image.Image]) -> bytes:
    """The frames as an animated AVIF that repeats for ever, as good as fits into MAX_LOOP_BYTES.

    Raises:
        TooLargeError: not even the poorest quality does.
    """
    first, *others = frames
    for quality in QUALITIES:
        loop = encoded(
            first,
            "AVIF",
            quality=quality,
            speed=8,
            save_all=True,
            append_images=others,
            duration=1000 // FRAMES_PER_S,
        )
        if len(loop) <= MAX_LOOP_BYTES:
            return loop
    raise TooLargeError(f"{len(loop)} bytes at quality {quality}, expected at most {MAX_LOOP_BYTES}.")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def write(path: Path, content: bytes) -> None:
    """Write a file, and say how large it is."""
    path.write_bytes(content)
    print(f"{path}: {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
