"""Checks the texts that people send, before they are stored."""

from __future__ import annotations

import re

from webapp.errors import BadRequestError

UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
"""NUL, which PostgreSQL refuses, and halves of characters (surrogates), which are no text in any encoding."""


def check_text(name: str, given: object, limit: int, required: bool = True) -> str:
    """A text of a request, without blanks around it.

    Raises:
        BadRequestError: it is no text, too long, or missing, or no database can keep it.
    """
    text = given.strip() if isinstance(given, str) else None
    if text is None or len(text) > limit or (required and not text):
        raise BadRequestError(
            "%(name)s must be a text of %(least)s to %(most)s characters.",
            name,
            name=name,
            least=int(required),
            most=limit,
        )
    unusable = UNSTORABLE.search(text)
    if unusable:
        raise BadRequestError(
            "%(name)s has the character %(character)s, which cannot be stored; leave it out.",
            name,
            name=name,
            character=f"U+{ord(unusable.group()):04X}",
        )
    return text
