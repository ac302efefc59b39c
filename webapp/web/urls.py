"""Where people reach a room: the address that its link and QR code carry."""

from __future__ import annotations

from urllib.parse import urlsplit

import segno
from flask import request

from webapp.config import Settings
from webapp.server.addresses import is_this_machine
from webapp.server.startup_banner import EVERYWHERE, page_urls


def join_url(settings: Settings, code: str) -> str:
    """The address of a room under the name by which its host reached the server.

    Where the host sits at the server itself and others can reach it, under its address in the network.
    """
    root = (
        page_urls(settings)[0]
        if is_this_machine(request.host) and settings.host in EVERYWHERE
        else request.host_url
    )
    return f"{root}r/{code}"


def qr_code(url: str) -> str | None:
    """A QR code as the address of an image, or None where no phone could use the page behind it.

    Phones reach no other machine's localhost, and give no page the camera over plain http.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or is_this_machine(parts.netloc):
        return None
    image: str = segno.make(url, error="m", micro=False).svg_data_uri(border=2, dark="#000", light="#fff")
    return image
