"""Which requests and events the activity log notes, and as what.

A request is noted once it was answered without a problem. What it was done to is in its path, or the view
says it: `name_subject(shown_code(room.code))`.
"""

from __future__ import annotations

from flask import Response, g, request

from webapp.accounts.audit import shown_code
from webapp.accounts.identity import HostUser
from webapp.errors import StoreError, TooManyAttemptsError
from webapp.rooms.room import normal_code
from webapp.web.authentication import current_host
from webapp.web.context import services

ACTIONS = {
    "host.first_account": "create first account",
    "host.sign_in": "sign in",
    "host.sign_out": "sign out",
    "host.change_password": "change password",
    "host.add_host": "create account",
    "host.delete_host": "delete account",
    "host.add_key": "create key",
    "host.delete_key": "delete key",
    "host.create_room": "create room",
    "api.create_room": "create room",
    "api.copy_room": "create room",
    "api.close_room": "close room",
    "api.delete_room": "delete room",
    "api.record": "start recording",
    "api.export": "export room",
    "api.delete_participant": "delete participant's data",
    "api.remove_participant": "remove participant",
}
"""The action by endpoint; where it depends on more, the view says it: `name_action`."""

REFUSED_SIGN_IN = "refused sign-in"


def name_subject(subject: str) -> None:
    """Say what the current request acts on, where its path does not."""
    g.audit_subject = subject


def name_action(action: str) -> None:
    """Say what the current request does, where its endpoint does not."""
    g.audit_action = action


def note_actor() -> None:
    """Remember who asks, before a view signs them in or out."""
    if request.endpoint in ACTIONS:
        g.audit_actor = _host()


def note_request(response: Response) -> None:
    """Note what the current request did, if it is one of those that are noted."""
    endpoint = request.endpoint or ""
    if endpoint == "host.sign_in" and response.status_code == 401:  # 429 would be noted without limit
        services().audit.note(None, REFUSED_SIGN_IN)
    elif endpoint in ACTIONS and response.status_code < 400:
        services().audit.note(
            g.get("audit_actor") or _host(), g.get("audit_action", ACTIONS[endpoint]), _subject()
        )


def _host() -> HostUser | None:
    try:
        return current_host()
    except (TooManyAttemptsError, StoreError):
        return None


def _subject() -> str:
    """What the view named, or else the room of the path."""
    if (named := g.get("audit_subject")) is not None:
        return str(named)
    code = (request.view_args or {}).get("code")
    return shown_code(normal_code(code)) if code else ""
