"""A page of somebody else: a web server on another port, and so of another origin, that embeds rooms."""

from __future__ import annotations

import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.helpers.serving import PROJECT_ROOT

EXAMPLE = PROJECT_ROOT / "docs" / "examples" / "jspsych"

BLANK = b"<!doctype html><html lang=en><meta charset=utf-8><title>Experiment</title><body><h1>Experiment</h1>"


class ExperimentSite:
    """`with ExperimentSite() as site:` serves the example of docs/, jsPsych from npm, and `/blank`."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    """Serves the example's folder; its `node_modules` are the project's own."""

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        """Answer with a file, or with the blank page."""
        if self.path.partition("?")[0] == "/blank":
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(BLANK)))
            self.end_headers()
            self.wfile.write(BLANK)
        else:
            super().do_GET()

    def translate_path(self, path: str) -> str:
        """The file behind a path."""
        relative = Path(path.partition("?")[0].lstrip("/"))
        root = PROJECT_ROOT if relative.parts[:1] == ("node_modules",) else EXAMPLE
        return str(root / relative)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in http.server
        """Say nothing."""
