"""Finds the Chromium that the browser tests drive; as a program, installs one where there is none.

`python -m tests.browser.chromium` says which one it is, or plainly that the browser tests will be left out;
with MIEN_REQUIRE_BROWSER=1 the latter is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

SHELL = "chromium-headless-shell"
"""Debian's package of the browser without its own windows and menus: it opens a page in two fifths of the
processor time, but asks nobody about a camera, and has one of them."""

INSTALL_TIMEOUT_S = 900.0


def find_chromium() -> str | None:
    """The path of a Chromium: the variable CHROMIUM, one on the PATH, or Playwright's own; else None."""
    named = os.environ.get("CHROMIUM")
    installed = next(filter(None, map(shutil.which, NAMES)), None)
    return named or installed or _playwrights_own()


def find_shell() -> str | None:
    """The path of a browser for pages that need no more than SHELL has; none if CHROMIUM names another."""
    return None if os.environ.get("CHROMIUM") else shutil.which(SHELL)


def camera_arguments(video: Path | None = None, allowed: bool = True, cameras: int = 1) -> list[str]:
    """The arguments of a Chromium whose camera plays `video`, and which asks people unless `allowed`."""
    arguments = [f"--use-fake-device-for-media-stream=device-count={cameras}"]
    arguments += [f"--use-file-for-fake-video-capture={video}"] if video else []
    arguments += ["--use-fake-ui-for-media-stream"] if allowed else []
    arguments += ["--no-sandbox"] if os.geteuid() == 0 else []
    return arguments


def is_required() -> bool:
    """Whether the browser tests must not be left out."""
    return os.environ.get("MIEN_REQUIRE_BROWSER") == "1"


def install() -> None:
    """Try the system's packages where that is ours to do, else Playwright's download.

    Ubuntu has no package of Chromium but a snap; Playwright then brings the libraries that it needs, too.
    """
    uses_apt = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if uses_apt:
        _try("apt-get", "update", "--quiet")
        for package in ("chromium", SHELL):
            _try("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package)
    if find_chromium() is None:
        with_libraries = ["--with-deps"] if uses_apt else []
        _try(sys.executable, "-m", "playwright", "install", *with_libraries, "chromium")


def main() -> int:
    """Find or install; the exit status is 1 where a browser is required and there is none."""
    if find_chromium() is None:
        print("No Chromium found; installing one for the browser tests.", flush=True)
        install()
    chromium = find_chromium()
    if chromium:
        print(f"The browser tests use {' and '.join(filter(None, (chromium, find_shell())))}")
        return 0
    print(
        "THE BROWSER TESTS WILL BE LEFT OUT: no Chromium was found and none could be installed.\n"
        "Install Chromium or Chrome, or name one with CHROMIUM=/path/to/it, and run make test again."
    )
    return 1 if is_required() else 0


def _try(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, env=environment, timeout=INSTALL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{command[0]} failed: {error}", file=sys.stderr)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright  # here, as it starts a helper process

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


if __name__ == "__main__":
    sys.exit(main())
