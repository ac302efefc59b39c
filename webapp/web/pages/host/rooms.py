"""The hosts' pages about rooms: the list, a new room, a room's dashboard."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import format_date, format_decimal
from flask_babel import gettext as _

from webapp.accounts.audit import shown_code
from webapp.errors import BadRequestError
from webapp.rooms.information import DEFAULT_LANGUAGE, VIDEO_NOTICES
from webapp.rooms.service import can_write_parquet
from webapp.rooms.settings import MAX_NAME_LENGTH
from webapp.server.upkeep import Concern, concerns
from webapp.web.audited import name_subject
from webapp.web.authentication import session_only
from webapp.web.catalogues import LANGUAGES
from webapp.web.context import services
from webapp.web.languages import current_language
from webapp.web.pages.host.blueprint import Page, blueprint, text_of
from webapp.web.pages.host.room_form import RoomForm, field_of
from webapp.web.pages.view_models import RoomListItem, RoomView
from webapp.web.urls import join_url, qr_code

SORTS = ("created", "recorded", "name")
"""How the list of rooms can be sorted; the first is how it is unless asked."""


@session_only
def rooms_page() -> str:
    """The list of rooms: those whose name or code has the text that is searched for."""
    rooms = services().rooms
    items = [
        RoomListItem.of(
            room, rooms.recordings.status(room)["stored"], join_url(services().settings, room.code)
        )
        for room in rooms.listed()
    ]
    searched, sort = request.args.get("q", "").strip(), request.args.get("sort", SORTS[0])
    return render_template(
        "dashboard/rooms.html",
        rooms=_sorted([item for item in items if item.matches(searched)], sort),
        total=len(items),
        searched=searched,
        sort=sort,
        retention_days=services().settings.retention_days,
        concerns=[_concern_text(one) for one in concerns(services().settings)],
    )


def _concern_text(concern: Concern) -> str:
    """What an administrator has to see to, in the language of the page."""
    if concern.subject == "disk":
        free = format_decimal(round(concern.free_bytes / 1e9, 1))
        return str(
            _("The server's disk has only %(size)s GB free. Free some, or recordings will stop.", size=free)
        )
    end = format_date(concern.end, "long")
    if concern.is_own:
        return str(_("The server's certificate ends on %(date)s. Install a new one before then.", date=end))
    return str(_("The server's certificate ends on %(date)s. Restart the server to renew it.", date=end))


@blueprint.get("/rooms/new")
@session_only
def new_room() -> Page:
    """The form for a new room; with `copy`, filled in with everything of the room that has this code."""
    copied = request.args.get("copy")
    if copied is None:
        return _form_page(RoomForm.empty(current_language()))
    room = services().rooms.room(copied)
    name = _("%(room)s (copy)", room=room.record.name)[:MAX_NAME_LENGTH]
    return _form_page(RoomForm.copy_of(room, name))


@blueprint.post("/rooms/new")
@session_only
def draft_room() -> Page:
    """The form as it was filled in, with a preview, or with room for another language."""
    form = RoomForm.sent(request.form)
    if request.form.get("action") == "add-language":
        return _form_page(form.with_language(request.form.get("add_language", "")))
    try:
        return _form_page(form, has_preview=True)
    except BadRequestError as error:
        return _form_page(form, error), 400


@blueprint.post("/rooms")
@session_only
def create_room() -> Page:
    """Create a room, and go to its board."""
    form = RoomForm.sent(request.form)
    try:
        room = services().rooms.create_room(
            form.name, form.information, _settings_of(form), form.given_translations()
        )
    except BadRequestError as error:
        return _form_page(form, error), 400
    name_subject(shown_code(room.code))
    return redirect(url_for("host.board", code=room.code))


@blueprint.get("/rooms/<code>")
@session_only
def board(code: str) -> Page:
    """A room's board."""
    room = services().rooms.room(code)
    url = join_url(services().settings, room.code)
    return render_template(
        "dashboard/room.html",
        room=RoomView.of(room),
        join_url=url,
        qr_code=qr_code(url),
        has_parquet=can_write_parquet(),
    )


def _form_page(form: RoomForm, error: BadRequestError | None = None, has_preview: bool = False) -> str:
    return render_template(
        "dashboard/new_room.html",
        form=form,
        error=text_of(error),
        wrong_field=field_of(error),
        previews=form.previews() if has_preview else [],
        languages=LANGUAGES,
        uses_lsl=services().settings.lsl,
        video_notice=VIDEO_NOTICES[form.language or DEFAULT_LANGUAGE],
    )


def _settings_of(form: RoomForm) -> dict[str, Any]:
    """The settings of a room from the form of the page."""
    labels = [line.strip() for line in form.marker_labels.splitlines() if line.strip()]
    people = form.max_participants
    return {
        "max_participants": int(people) if people.isdecimal() and len(people) < 6 else people,
        "show_results": form.show_results,
        "marker_labels": labels,
        "video": form.video,
        "language": form.language,
        **form.experiment.settings(),
    }


def _sorted(items: list[RoomListItem], sort: str) -> list[RoomListItem]:
    if sort == "name":
        return sorted(items, key=lambda item: item.name.casefold())
    if sort == "recorded":
        return sorted(items, key=lambda item: -(item.last_recorded_ms or 0.0))
    return sorted(items, key=lambda item: -item.created_ms)
