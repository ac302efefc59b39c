"""Scripts and style sheets are sent compressed; pages are not.

A page holds the token of its session beside what a stranger may have put there, such as a room's name. From
the length of such a page, compressed, the token can be guessed (BREACH). Scripts and style sheets hold no
secrets.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Flask, Response, request

COMPRESSED_TYPES = ("text/css", "text/javascript")
CACHED_FILES = 256
"""A page has some thirty, and texts in one language; all of them together fit."""


def compress_static(app: Flask) -> None:
    """Have an application compress its scripts and style sheets for those who accept that."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """The response, compressed where it is a script or a style sheet and the browser accepts gzip."""
    if response.mimetype not in COMPRESSED_TYPES:
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code == 200 and request.accept_encodings["gzip"]:
        response.direct_passthrough = False
        response.set_data(gzipped(response.get_data()))
        response.content_encoding = "gzip"
        tag, _ = response.get_etag()
        if tag:  # weak: it names what the file says, not its bytes
            response.set_etag(tag, weak=True)
    return response


@lru_cache(CACHED_FILES)
def gzipped(data: bytes) -> bytes:
    """Data in gzip's format, the same bytes for the same data."""
    return gzip.compress(data, mtime=0)
