"""Where hosts sign in, and where they begin: the list of rooms."""

from __future__ import annotations

from flask import redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from webapp.accounts.hosts import MIN_PASSWORD_LENGTH
from webapp.accounts.identity import HostUser
from webapp.errors import BadRequestError, TooManyAttemptsError
from webapp.store.records import HostRecord
from webapp.web.authentication import current_host, session_only, sign_in_page
from webapp.web.context import services
from webapp.web.job_owners import BROWSER
from webapp.web.pages.host import account, activity
from webapp.web.pages.host.blueprint import Page, blueprint, text_of
from webapp.web.pages.host.rooms import rooms_page
from webapp.web.problems import page_text, status_of
from webapp.web.security import check_forgery

__all__ = ["account", "activity", "blueprint"]

FIRST_ACCESS = "first_access"
"""Where a session keeps what `FirstAccess.open` gave."""

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
    return sign_in_page() if current_host() is None else rooms_page()


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
    """Sign in with a name and a password.

    An attempt counts only if our own page sent it: pages of other sites could use up a host's attempts.
    """
    check_forgery()
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        record = services().accounts.hosts.by_password(name, password, request.remote_addr)
    except TooManyAttemptsError as error:
        return sign_in_page(page_text(error), name, is_wrong=False)[0], status_of(error)
    if record is None:
        return sign_in_page(_("The name or the password is wrong."), name)
    return _sign_in(record)


@blueprint.post("/logout")
@session_only
def sign_out() -> Page:
    """Sign out, here and everywhere else."""
    services().accounts.sessions.end_all(current_user.id)
    logout_user()
    session.clear()
    return redirect(url_for("host.index"))


# What they show


def _welcome_page(error: BadRequestError | None = None) -> str:
    return render_template(
        "dashboard/welcome.html",
        least=MIN_PASSWORD_LENGTH,
        error=text_of(error),
        wrong_field=error.field if error else "",
        name=request.form.get("name", ""),
    )


def _useless_link_page() -> Page:
    """What to do with a link for the first account that is wrong, used or too old."""
    return render_template("dashboard/sign_in.html", is_useless_link=True), 401


def _has_first_access() -> bool:
    return services().accounts.first_access.is_proof(session.get(FIRST_ACCESS))


def _sign_in(record: HostRecord) -> Response:
    browser = session.get(BROWSER)
    session.clear()  # whatever was in it before belongs to nobody, but for the jobs of this browser
    if browser is not None:
        session[BROWSER] = browser
    login_user(HostUser(record, "session"))
    return redirect(url_for("host.index"))
