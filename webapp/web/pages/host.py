"""The pages of hosts: signing in, the list of rooms, a room's board, the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from webapp.accounts.hosts import MIN_PASSWORD_LENGTH
from webapp.accounts.identity import HostUser
from webapp.errors import BadRequestError, RoomError, StoreError, TooManyAttemptsError
from webapp.rooms.information import DEFAULT_LANGUAGE, VIDEO_NOTICES
from webapp.rooms.service import can_write_parquet
from webapp.store.records import HostRecord
from webapp.web.authentication import current_host, session_only, sign_in_page
from webapp.web.context import services
from webapp.web.pages.view_models import HostItem, KeyItem, RoomForm, RoomListItem, RoomView
from webapp.web.problems import page_text, problem_page, status_of
from webapp.web.security import check_forgery
from webapp.web.urls import join_url, qr_code

FIRST_ACCESS = "first_access"
"""Where a session keeps what `FirstAccess.open` gave."""

Page = str | Response | tuple[str, int]

blueprint = Blueprint("host", __name__, url_prefix="/host")


@blueprint.errorhandler(RoomError)
@blueprint.errorhandler(StoreError)
def show_problem(error: RoomError | StoreError) -> Page:
    """What could not be done, as a page of its own."""
    return problem_page(status_of(error), page_text(error))


# Signing in


@blueprint.get("")
def index() -> Page:
    """The list of rooms, or the form to sign in; with the right token, on to the first account."""
    if token := request.args.get("token", ""):
        session.pop(FIRST_ACCESS, None)
        if proof := services().accounts.first_access.open(token, request.remote_addr):
            session[FIRST_ACCESS] = proof
            return redirect(url_for("host.welcome"))
        return _useless_link_page()
    return sign_in_page() if current_host() is None else _rooms_of_host()


@blueprint.get("/welcome")
def welcome() -> Page:
    """The form for the first account."""
    return _welcome_page() if _has_first_access() else _useless_link_page()


@blueprint.post("/welcome")
def first_account() -> Page:
    """Create the first account, and sign in with it."""
    if not _has_first_access():
        return _useless_link_page()
    check_forgery()
    name, password = request.form.get("name"), request.form.get("password")
    try:
        record = services().accounts.first_access.add_host(session.get(FIRST_ACCESS), name, password)
    except BadRequestError as error:
        return _welcome_page(error), 400
    return _useless_link_page() if record is None else _sign_in(record)


@blueprint.post("/login")
def sign_in() -> Page:
    """Sign in with a name and a password."""
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        record = services().accounts.hosts.by_password(name, password, request.remote_addr)
    except TooManyAttemptsError as error:
        return sign_in_page(page_text(error), name, is_wrong=False)[0], status_of(error)
    if record is None:
        return sign_in_page(_("The name or the password is wrong."), name)
    check_forgery()
    return _sign_in(record)


@blueprint.post("/logout")
@session_only
def sign_out() -> Page:
    """Sign out, here and everywhere else."""
    services().accounts.sessions.end_all(current_user.id)
    logout_user()
    session.clear()
    return redirect(url_for("host.index"))


# Rooms


@blueprint.post("/rooms")
@session_only
def create_room() -> Page:
    """Create a room, and go to its board."""
    form = request.form
    try:
        room = services().rooms.create_room(form.get("name"), form.get("information"), _settings_of(form))
    except BadRequestError as error:
        return _rooms_page(RoomForm.sent(form), error), 400
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


# The account


@blueprint.get("/account")
@session_only
def account() -> Page:
    """The host's keys and password, and the other hosts."""
    return _account_page()


@blueprint.post("/account/password")
@session_only
def change_password() -> Page:
    """Change the host's password; only this session goes on."""
    old, new = request.form.get("old", ""), request.form.get("password")
    try:
        changed = services().accounts.hosts.change_password(
            current_user.record, old, new, request.remote_addr
        )
    except BadRequestError as error:
        return _account_page(password_error=error), 400
    login_user(HostUser(changed, "session"))
    flash("Your password is changed. Everywhere else you must sign in again.")
    return redirect(url_for("host.account"))


@blueprint.post("/account/hosts")
@session_only
def add_host() -> Page:
    """Create an account for another host."""
    try:
        added = services().accounts.hosts.add(request.form.get("name"), request.form.get("password"))
    except BadRequestError as error:
        return _account_page(host_error=error), 400
    flash(f"{added.name} can sign in now.")
    return redirect(url_for("host.account"))


@blueprint.post("/account/hosts/<int:host_id>/deletion")
@session_only
def delete_host(host_id: int) -> Page:
    """Delete a host's account."""
    services().accounts.hosts.remove(host_id)
    return redirect(url_for("host.account"))


@blueprint.post("/account/keys")
@session_only
def add_key() -> Page:
    """Make a key, and show its secret this once."""
    return _account_page(services().accounts.keys.add(current_user.id, request.form.get("name")))


@blueprint.post("/account/keys/<int:key_id>/deletion")
@session_only
def delete_key(key_id: int) -> Page:
    """Delete one of the host's own keys."""
    services().accounts.keys.delete(current_user.id, key_id)
    return redirect(url_for("host.account"))


# What they show


@session_only
def _rooms_of_host() -> Page:
    return _rooms_page(RoomForm.empty())


def _rooms_page(form: RoomForm, error: BadRequestError | None = None) -> str:
    """The list of rooms and the form for another, with what was written in it if that went wrong."""
    rooms = services().rooms
    newest_first = sorted(rooms.rooms().values(), key=lambda room: -room.record.created_ms)
    return render_template(
        "dashboard/rooms.html",
        rooms=[RoomListItem.of(room, rooms.recordings.status(room)["stored"]) for room in newest_first],
        retention_days=services().settings.retention_days,
        video_notice=VIDEO_NOTICES[DEFAULT_LANGUAGE],
        error=_text(error),
        form=form,
    )


def _account_page(
    secret: str | None = None,
    host_error: BadRequestError | None = None,
    password_error: BadRequestError | None = None,
) -> str:
    accounts = services().accounts
    return render_template(
        "dashboard/account.html",
        hosts=[HostItem.of(host, current_user.id) for host in accounts.hosts.all()],
        keys=[KeyItem.of(key) for key in accounts.keys.of(current_user.id)],
        secret=secret,
        least=MIN_PASSWORD_LENGTH,
        host_error=_text(host_error),
        password_error=_text(password_error),
        new_host_name=request.form.get("name", "") if host_error else "",
    )


def _welcome_page(error: BadRequestError | None = None) -> str:
    return render_template(
        "dashboard/welcome.html",
        least=MIN_PASSWORD_LENGTH,
        error=_text(error),
        wrong_field=error.field if error else "",
        name=request.form.get("name", ""),
    )


def _useless_link_page() -> Page:
    """What to do with a link for the first account that is wrong, used or too old."""
    return render_template("dashboard/sign_in.html", is_useless_link=True), 401


def _has_first_access() -> bool:
    return services().accounts.first_access.is_proof(session.get(FIRST_ACCESS))


def _sign_in(record: HostRecord) -> Response:
    session.clear()  # whatever was in it before belongs to nobody
    login_user(HostUser(record, "session"))
    return redirect(url_for("host.index"))


def _settings_of(form: Mapping[str, str]) -> dict[str, Any]:
    """The settings of a room from the form of the page."""
    labels = [line.strip() for line in form.get("marker_labels", "").splitlines() if line.strip()]
    people = form.get("max_participants", "")
    return {
        "show_results": form.get("show_results") == "on",
        "marker_labels": labels,
        "video": form.get("video") == "on",
        **({"max_participants": int(people)} if people.isdecimal() else {}),
    }


def _text(error: BadRequestError | None) -> str | None:
    return None if error is None else page_text(error)
