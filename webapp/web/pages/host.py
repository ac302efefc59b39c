"""The pages of hosts: signing in, the list of rooms, a room's board, the account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from webapp.accounts.hosts import MIN_PASSWORD_LENGTH, Hosts, HostUser
from webapp.config import Settings
from webapp.errors import BadRequestError, RoomError, StoreError
from webapp.rooms.service import RoomService, can_write_parquet
from webapp.rooms.settings import VIDEO_NOTICE, RoomSettings
from webapp.store.records import HostRecord
from webapp.web.authentication import check_forgery, current_host, session_only
from webapp.web.pages.view_models import RoomListItem, RoomView
from webapp.web.problems import status_of
from webapp.web.urls import join_url, qr_code

FIRST_ACCESS = "first_access"
"""Where a session keeps what `Hosts.open_first_access` gave."""

Page = str | Response | tuple[str, int]


def create_host_pages(room_service: RoomService, hosts: Hosts, settings: Settings) -> Blueprint:
    """All routes under /host."""
    pages = Blueprint("host", __name__, url_prefix="/host")

    @pages.errorhandler(RoomError)
    @pages.errorhandler(StoreError)
    def show_problem(error: RoomError | StoreError) -> Page:
        return render_template("shared/problem.html", error=error), status_of(error)

    @pages.get("")
    def index() -> Page:
        if token := request.args.get("token", ""):
            session.pop(FIRST_ACCESS, None)
            if proof := hosts.open_first_access(token, request.remote_addr):
                session[FIRST_ACCESS] = proof
                return redirect(url_for("host.welcome"))
        return sign_in_page() if current_host() is None else show_rooms()

    @session_only
    def show_rooms() -> Page:
        return rooms_page()

    @pages.get("/welcome")
    def welcome() -> Page:
        if not hosts.has_first_access(session.get(FIRST_ACCESS)):
            return sign_in_page()
        return render_template("dashboard/welcome.html", least=MIN_PASSWORD_LENGTH)

    @pages.post("/welcome")
    def first_account() -> Page:
        if not hosts.has_first_access(session.get(FIRST_ACCESS)):
            return sign_in_page()
        check_forgery()
        name, password = request.form.get("name"), request.form.get("password")
        try:
            record = hosts.add_first(session.get(FIRST_ACCESS), name, password)
        except BadRequestError as error:
            return render_template("dashboard/welcome.html", least=MIN_PASSWORD_LENGTH, error=error), 400
        return sign_in_page() if record is None else _sign_in(record)

    @pages.post("/login")
    def sign_in() -> Page:
        name, password = request.form.get("name", ""), request.form.get("password", "")
        record = hosts.by_password(name, password, request.remote_addr)
        if record is None:
            return sign_in_page("The name or the password is wrong.")
        check_forgery()
        return _sign_in(record)

    @pages.post("/logout")
    @session_only
    def sign_out() -> Page:
        hosts.end_sessions(current_user.id)
        logout_user()
        session.clear()
        return redirect(url_for("host.index"))

    @pages.post("/rooms")
    @session_only
    def create_room() -> Page:
        form = request.form
        try:
            room = room_service.create_room(form.get("name"), form.get("information"), _settings_of(form))
        except BadRequestError as error:
            return rooms_page(error), 400
        return redirect(url_for("host.board", code=room.code))

    @pages.get("/rooms/<code>")
    @session_only
    def board(code: str) -> Page:
        room = room_service.room(code)
        url = join_url(settings, room.code)
        return render_template(
            "dashboard/room.html",
            room=RoomView.of(room),
            join_url=url,
            qr_code=qr_code(url),
            has_parquet=can_write_parquet(),
        )

    @pages.get("/account")
    @session_only
    def account() -> Page:
        return account_page()

    @pages.post("/account/password")
    @session_only
    def change_password() -> Page:
        form = request.form
        try:
            changed = hosts.change_password(
                current_user.record, form.get("old", ""), form.get("password"), request.remote_addr
            )
        except BadRequestError as error:
            return account_page(password_error=error), 400
        login_user(HostUser(changed, "session"))
        flash("Your password is changed. Everywhere else you must sign in again.")
        return redirect(url_for("host.account"))

    @pages.post("/account/hosts")
    @session_only
    def add_host() -> Page:
        try:
            added = hosts.add(request.form.get("name"), request.form.get("password"))
        except BadRequestError as error:
            return account_page(host_error=error), 400
        flash(f"{added.name} can sign in now.")
        return redirect(url_for("host.account"))

    @pages.post("/account/hosts/<int:host_id>/deletion")
    @session_only
    def delete_host(host_id: int) -> Page:
        hosts.remove(host_id)
        return redirect(url_for("host.account"))

    @pages.post("/account/keys")
    @session_only
    def add_key() -> Page:
        return account_page(hosts.add_key(current_user.id, request.form.get("name")))

    @pages.post("/account/keys/<int:key_id>/deletion")
    @session_only
    def delete_key(key_id: int) -> Page:
        hosts.delete_key(current_user.id, key_id)
        return redirect(url_for("host.account"))

    def rooms_page(error: BadRequestError | None = None) -> str:
        """The list of rooms and the form for another, with what was written in it if that went wrong."""
        newest_first = sorted(room_service.rooms().values(), key=lambda room: -room.record.created_ms)
        return render_template(
            "dashboard/rooms.html",
            rooms=[
                RoomListItem.of(room, room_service.recordings.status(room)["stored"]) for room in newest_first
            ],
            retention_days=settings.retention_days,
            default=RoomSettings(),
            video_notice=VIDEO_NOTICE,
            error=error,
            form=request.form,
        )

    def account_page(
        secret: str | None = None,
        host_error: BadRequestError | None = None,
        password_error: BadRequestError | None = None,
    ) -> str:
        return render_template(
            "dashboard/account.html",
            hosts=hosts.all(),
            keys=hosts.keys_of(current_user.id),
            secret=secret,
            least=MIN_PASSWORD_LENGTH,
            host_error=host_error,
            password_error=password_error,
            form=request.form,
        )

    return pages


def sign_in_page(error: str | None = None) -> tuple[str, int]:
    """The form to sign in, as the answer to whoever must."""
    return render_template("dashboard/sign_in.html", error=error), 401


def _sign_in(record: HostRecord) -> Response:
    session.clear()  # whatever was in it before belongs to nobody
    login_user(HostUser(record, "session"))
    return redirect(url_for("host.index"))


def _settings_of(form: Any) -> dict[str, Any]:  # noqa: ANN401 - werkzeug's form
    """The settings of a room from the form of the page."""
    labels = [line.strip() for line in form.get("marker_labels", "").splitlines() if line.strip()]
    people = form.get("max_participants", "")
    return {
        "show_results": form.get("show_results") == "on",
        "marker_labels": labels,
        "video": form.get("video") == "on",
        **({"max_participants": int(people)} if people.isdecimal() else {}),
    }
