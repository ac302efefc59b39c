"""The browser of the benchmarks: a Chromium whose camera plays a video."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import camera_arguments, find_chromium


@contextmanager
def browser_with(write_video: Callable[[Path], Path]) -> Iterator[Browser]:
    """A Chromium for a block; `write_video` writes what its camera plays to a path, which it returns.

    Without a Chromium the program ends and says so.
    """
    chromium = find_chromium()
    if chromium is None:
        sys.exit("No Chromium was found; name one with CHROMIUM=/path/to/it.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        arguments = camera_arguments(write_video(Path(folder) / "camera.mjpeg"))
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()
