"""Requests of this application: a file that they carry can go straight to where it is kept."""

from __future__ import annotations

from collections.abc import Callable
from io import RawIOBase
from typing import IO, Any, cast

from flask import Request, request

from webapp.errors import BadUploadError

MORE_TIME = "mien.more_time"
"""Where the server's environment has the function that lets a body take more time."""

IS_GONE = "mien.is_gone"
"""Where it has the function that says whether the client has closed the connection."""


class MienRequest(Request):
    """A request whose form may carry one large file."""

    file_target: RawIOBase | None = None
    has_file = False

    def receive_into(self, target: RawIOBase, max_bytes: int) -> None:
        """Have the file of the form written to `target` while it arrives; before the form is first looked at.

        `max_bytes` limits the whole body.
        """
        self.file_target = target
        self.max_content_length = max_bytes

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        *named: Any,  # noqa: ANN401 - as werkzeug has it
        **more: Any,  # noqa: ANN401
    ) -> IO[bytes]:
        """Where the next file of the form goes; werkzeug's documented way to choose."""
        if self.file_target is None:
            return super()._get_file_stream(total_content_length, content_type, *named, **more)
        if self.has_file:
            raise BadUploadError("Send one file at a time; several images fit into a ZIP.")
        self.has_file = True
        return cast(IO[bytes], self.file_target)


def current_request() -> MienRequest:
    """The current request as what it is."""
    return cast(MienRequest, request._get_current_object())  # type: ignore[attr-defined]


def more_time() -> Callable[[float], None]:
    """Lets the rest of the current body take some seconds from now, where the server limits that."""
    allow: Callable[[float], None] = request.environ.get(MORE_TIME, lambda seconds: None)
    return allow


def is_gone() -> Callable[[], bool]:
    """Says whether the current client has closed its connection, where the server knows that."""
    asked: Callable[[], bool] = request.environ.get(IS_GONE, lambda: False)
    return asked
