"""The activity log as hosts see it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import render_template, request
from flask_babel import gettext as _

from webapp.accounts.audit import KEY, SERVER
from webapp.store.records import AuditRecord
from webapp.web.authentication import session_only
from webapp.web.context import services
from webapp.web.pages.host.blueprint import Page, blueprint

PAGE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class ActivityItem:
    """An entry of the log as the page shows it."""

    at_ms: float
    actor: str
    action: str
    subject: str

    @classmethod
    def of(cls, entry: AuditRecord) -> ActivityItem:
        """The values of an entry, in the language of the page."""
        return cls(entry.at_ms, _actor(entry), _action_names().get(entry.action, entry.action), entry.subject)

    @property
    def at(self) -> datetime:
        """When it happened."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)


@blueprint.get("/activity")
@session_only
def activity() -> Page:
    """The last entries, or those before the time `before`, in milliseconds since 1970."""
    before_ms = request.args.get("before", math.inf, float)
    entries = services().audit.entries(before_ms if math.isfinite(before_ms) else 1e15, PAGE_LENGTH + 1)
    shown = [ActivityItem.of(entry) for entry in entries[:PAGE_LENGTH]]
    return render_template(
        "dashboard/activity.html",
        entries=shown,
        older_than=shown[-1].at_ms if len(entries) > PAGE_LENGTH else None,
        is_first=not math.isfinite(before_ms),
        keep_days=services().settings.audit_days,
    )


def _actor(entry: AuditRecord) -> str:
    if entry.proof == SERVER:
        return str(_("the server"))
    if entry.proof.startswith(KEY):
        name = entry.proof.removeprefix(KEY)
        return str(_("%(name)s, with the key %(key)s", name=entry.actor, key=name))
    if entry.proof == "token":
        return str(_("whoever has the token"))
    return entry.actor or str(_("somebody who was not signed in"))


def _action_names() -> dict[str, str]:
    """What each action is called, in the language of the request."""
    return {
        "create first account": _("Created the first account"),
        "sign in": _("Signed in"),
        "refused sign-in": _("Failed to sign in"),
        "sign out": _("Signed out"),
        "change password": _("Changed the password"),
        "create account": _("Created an account"),
        "delete account": _("Deleted an account"),
        "create key": _("Created an API key"),
        "delete key": _("Deleted an API key"),
        "create room": _("Created a room"),
        "close room": _("Closed a room"),
        "delete room": _("Deleted a room"),
        "start recording": _("Started a recording"),
        "stop recording": _("Stopped a recording"),
        "export room": _("Exported a room"),
        "delete participant's data": _("Deleted a participant’s data"),
        "remove participant": _("Removed a participant"),
        "withdraw": _("Withdrew from a study"),
        "delete old rooms": _("Deleted rooms because of their age"),
    }
