"""The pages of hosts: signing in, the list of rooms, a room's board, the account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_limiter import Limiter
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from webapp.accounts.hosts import (
    ATTEMPTS,
    LEAST_PASSWORD,
    Hosts,
    HostUser,
    allow_first_access,
    check_forgery,
    check_password,
    has_first_access,
    host_only,
    new_key,
    was_wrong,
)
from webapp.config import Settings
from webapp.errors import BadRequestError, RoomError, StoreError
from webapp.rooms.room import VIDEO_NOTICE, RoomSettings, check_text
from webapp.rooms.service import Lab, can_write_parquet
from webapp.store.client import Store
from webapp.store.repositories import Archive
from webapp.web.pages.view_models import RoomListItem, RoomView
from webapp.web.problems import status_of
from webapp.web.urls import join_url, qr_code

KEY_NAME_LIMIT = 80

Page = str | Response | tuple[str, int]


def create_host_pages(
    lab: Lab, hosts: Hosts, store: Store, limiter: Limiter, settings: Settings
) -> Blueprint:
    """All routes under /host."""
    pages = Blueprint("host", __name__, url_prefix="/host")
    limit_attempts = limiter.limit(ATTEMPTS, deduct_when=was_wrong)

    @pages.errorhandler(RoomError)
    @pages.errorhandler(StoreError)
    def show_problem(error: RoomError | StoreError) -> Page:
        return render_template("shared/problem.html", error=error), status_of(error)

    @pages.get("")
    @limit_attempts
    def index() -> Page:
        if hosts.is_token(request.args.get("token", "")):
            allow_first_access()
            return redirect(url_for("host.welcome"))
        if not current_user.is_authenticated:
            return sign_in_page()
        return rooms_page()

    @pages.get("/welcome")
    @limit_attempts
    def welcome() -> Page:
        if not has_first_access():
            return sign_in_page()
        return render_template("dashboard/welcome.html", least=LEAST_PASSWORD)

    @pages.post("/welcome")
    @limit_attempts
    def first_account() -> Page:
        if not has_first_access():
            return sign_in_page()
        check_forgery()
        try:
            record = hosts.add(request.form.get("name"), request.form.get("password"))
        except BadRequestError as error:
            return render_template("dashboard/welcome.html", least=LEAST_PASSWORD, error=error), 400
        return _sign_in(HostUser(record))

    @pages.post("/login")
    @limit_attempts
    def sign_in() -> Page:
        name, password = request.form.get("name", ""), request.form.get("password", "")
        record = hosts.by_password(name, password) if name and password else None
        if record is None:
            return sign_in_page("The name or the password is wrong.")
        check_forgery()
        return _sign_in(HostUser(record))

    @pages.post("/logout")
    @host_only
    def sign_out() -> Page:
        logout_user()
        session.clear()
        return redirect(url_for("host.index"))

    @pages.post("/rooms")
    @host_only
    def create_room() -> Page:
        form = request.form
        try:
            room = lab.create_room(form.get("name"), form.get("information"), _settings_of(form))
        except BadRequestError as error:
            return rooms_page(error), 400
        return redirect(url_for("host.board", code=room.code))

    @pages.get("/rooms/<code>")
    @host_only
    def board(code: str) -> Page:
        room = lab.room(code)
        url = join_url(settings, room.code)
        return render_template(
            "dashboard/room.html",
            room=RoomView.of(room),
            join_url=url,
            qr_code=qr_code(url),
            has_parquet=can_write_parquet(),
        )

    @pages.get("/account")
    @host_only
    def account() -> Page:
        return account_page()

    @pages.post("/account/password")
    @host_only
    def change_password() -> Page:
        form = request.form
        try:
            if hosts.by_password(current_user.name, form.get("old", "")) is None:
                raise BadRequestError("The present password is wrong.")
            store.call(Archive.set_password, current_user.id, check_password(form.get("password")))
        except BadRequestError as error:
            return account_page(password_error=error), 400
        flash("Your password is changed.")
        return redirect(url_for("host.account"))

    @pages.post("/account/hosts")
    @host_only
    def add_host() -> Page:
        try:
            added = hosts.add(request.form.get("name"), request.form.get("password"))
        except BadRequestError as error:
            return account_page(host_error=error), 400
        flash(f"{added.name} can sign in now.")
        return redirect(url_for("host.account"))

    @pages.post("/account/hosts/<int:host_id>/deletion")
    @host_only
    def delete_host(host_id: int) -> Page:
        hosts.remove(host_id)
        return redirect(url_for("host.account"))

    @pages.post("/account/keys")
    @host_only
    def add_key() -> Page:
        name, secret = check_text("name", request.form.get("name"), KEY_NAME_LIMIT), new_key()
        store.call(Archive.add_key, current_user.id, name, secret)
        return account_page(secret)

    @pages.post("/account/keys/<int:key_id>/deletion")
    @host_only
    def delete_key(key_id: int) -> Page:
        store.call(Archive.delete_key, current_user.id, key_id)
        return redirect(url_for("host.account"))

    def rooms_page(error: BadRequestError | None = None) -> str:
        """The list of rooms and the form for another, with what was written in it if that went wrong."""
        newest_first = sorted(lab.rooms().values(), key=lambda room: -room.record.created_ms)
        return render_template(
            "dashboard/rooms.html",
            rooms=[RoomListItem.of(room, lab.status(room)["stored"]) for room in newest_first],
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
        if current_user.id is None:
            raise BadRequestError("The token has no account; sign in with a name and a password.")
        keys = store.call(Archive.keys, current_user.id)
        return render_template(
            "dashboard/account.html",
            hosts=hosts.all(),
            keys=keys,
            secret=secret,
            least=LEAST_PASSWORD,
            host_error=host_error,
            password_error=password_error,
            form=request.form,
        )

    return pages


def sign_in_page(error: str | None = None) -> tuple[str, int]:
    """The form to sign in, as the answer to whoever must."""
    return render_template("dashboard/sign_in.html", error=error), 401


def _sign_in(user: HostUser) -> Response:
    session.clear()  # whatever was in it before belongs to nobody
    login_user(user)
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
