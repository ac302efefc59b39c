"""What an API key may do: the scopes that its host chose for it."""

from __future__ import annotations

from collections.abc import Iterable

from webapp.errors import BadRequestError

SCOPES = ("analyze", "rooms:read", "rooms:write", "markers", "metrics")

DEFAULT_SCOPES = ("analyze", "rooms:read", "markers")
"""What the form for a new key suggests: nothing that changes or deletes a room."""


def check_scopes(given: Iterable[str]) -> tuple[str, ...]:
    """The scopes of a new key, in the order of `SCOPES`.

    Raises:
        BadRequestError: there are none, or one is unknown.
    """
    chosen = set(given)
    unknown = sorted(chosen - set(SCOPES))
    if unknown:
        raise BadRequestError(
            "There is no scope %(scope)s; the scopes are %(scopes)s.",
            "scopes",
            scope=repr(unknown[0]),
            scopes=", ".join(SCOPES),
        )
    if not chosen:
        raise BadRequestError("Choose at least one thing that the key may do.", "scopes")
    return tuple(scope for scope in SCOPES if scope in chosen)
