"""What a room allows experiments: pages that may embed it, links of panels, the way back. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from webapp.errors import BadRequestError
from webapp.store.text_checks import check_text

MAX_ORIGINS = 20
MAX_URL_LENGTH = 1000
MAX_CODE_LENGTH = 100

PARTICIPANT = "{participant}"
"""Stands in a return address for the id of whoever took part."""

DEFAULT_PORTS = {"http": 80, "https": 443}

HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]")
"""A name or an address as browsers write it in an origin: ASCII, in lower case."""

PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


def check_origins(given: object) -> tuple[str, ...]:
    """The origins of pages that may embed a room, each as browsers write it.

    Raises:
        BadRequestError: it is no list, or has something else than origins in it.
    """
    if not isinstance(given, list | tuple) or len(given) > MAX_ORIGINS:
        raise BadRequestError(
            "%(name)s must be a list of at most %(count)s texts.",
            "allowed_origins",
            name="allowed_origins",
            count=MAX_ORIGINS,
        )
    return tuple(dict.fromkeys(_origin(one) for one in given))


def _origin(given: object) -> str:
    """One origin: `https://lab.example` or `http://localhost:8000`, without the scheme's own port."""
    text = given.strip().lower() if isinstance(given, str) else ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _no_origin(given) from None
    host = parts.netloc.removesuffix("" if port is None else f":{port}")
    if text != f"{parts.scheme}://{parts.netloc}" or parts.scheme not in DEFAULT_PORTS:
        raise _no_origin(given)
    if not HOST.fullmatch(host):
        raise _no_origin(given)
    return f"{parts.scheme}://{host}" + ("" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}")


def _no_origin(given: object) -> BadRequestError:
    return BadRequestError(
        "%(name)s has %(value)s, but must have origins such as https://lab.example or "
        "http://localhost:8000: scheme, name and port, without a path or a wildcard.",
        "allowed_origins",
        name="allowed_origins",
        value=repr(given)[:200],
    )


def check_id_parameter(given: object) -> str:
    """The parameter of a panel's link that has the participant's id, such as PROLIFIC_PID; or none.

    Raises:
        BadRequestError: it is no name of a parameter.
    """
    if given == "" or (isinstance(given, str) and PARAMETER.fullmatch(given)):
        return given
    raise BadRequestError(
        "%(name)s is %(value)s, but must be the name of a parameter, such as PROLIFIC_PID.",
        "id_parameter",
        name="id_parameter",
        value=repr(given)[:200],
    )


def check_return_url(given: object) -> str:
    """The address to which participants return at the end; `{participant}` in it stands for their id.

    Raises:
        BadRequestError: it leads neither to an https page nor to a path of this server.
    """
    text = check_text("return_url", given, MAX_URL_LENGTH, required=False)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _no_return_url(text) from None
    is_path = re.match(r"/(?![/\\])", text) is not None
    is_https = parts.scheme == "https" and bool(parts.hostname) and PARTICIPANT not in parts.netloc
    if text and not ((is_path or is_https) and text.isprintable() and " " not in text and "\\" not in text):
        raise _no_return_url(text)
    return text


def _no_return_url(text: str) -> BadRequestError:
    return BadRequestError(
        "%(name)s is %(value)s, but must begin with https://, or with / for a page of this server.",
        "return_url",
        name="return_url",
        value=repr(text)[:200],
    )


def check_completion_code(given: object) -> str:
    """The code that participants get at the end, or none.

    Raises:
        BadRequestError: it is no text, or too long.
    """
    return check_text("completion_code", given, MAX_CODE_LENGTH, required=False)


def filled(return_url: str, participant: str) -> str:
    """A return address with the id of a participant in it."""
    return return_url.replace(PARTICIPANT, quote(participant, safe=""))


def frame_ancestors(origins: Sequence[str]) -> str:
    """The source list of `frame-ancestors` for a room that these origins may embed."""
    return " ".join(origins) or "'none'"
