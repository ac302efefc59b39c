"""A host's account: password, API keys, the other hosts."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user

from webapp.accounts.hosts import MIN_PASSWORD_LENGTH
from webapp.accounts.identity import HostUser
from webapp.accounts.scopes import DEFAULT_SCOPES
from webapp.errors import BadRequestError
from webapp.web.audited import name_subject
from webapp.web.authentication import session_only
from webapp.web.context import services
from webapp.web.pages.host.blueprint import Page, blueprint, text_of
from webapp.web.pages.host.sealing import keep_sealed, take_sealed
from webapp.web.pages.view_models import HostItem, KeyItem, scope_items

NEW_KEY = "new_key"
"""Where a session keeps the secret of a new key until the next page, which shows it once."""


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
    flash(_("Your password is changed. Everywhere else you must sign in again."))
    return redirect(url_for("host.account"))


@blueprint.post("/account/hosts")
@session_only
def add_host() -> Page:
    """Create an account for another host."""
    try:
        added = services().accounts.hosts.add(request.form.get("name"), request.form.get("password"))
    except BadRequestError as error:
        return _account_page(host_error=error), 400
    name_subject(added.name)
    flash(_("%(name)s can sign in now.", name=added.name))
    return redirect(url_for("host.account"))


@blueprint.get("/account/hosts/<int:host_id>/deletion")
@session_only
def confirm_host_deletion(host_id: int) -> Page:
    """Ask before an account is deleted, where the page has no scripts."""
    hosts = {host.id: host for host in services().accounts.hosts.all()}
    if host_id not in hosts:
        return redirect(url_for("host.account"))
    return render_template(
        "dashboard/confirm.html", what="host", name=hosts[host_id].name, action=request.path
    )


@blueprint.post("/account/hosts/<int:host_id>/deletion")
@session_only
def delete_host(host_id: int) -> Page:
    """Delete a host's account."""
    hosts = {host.id: host.name for host in services().accounts.hosts.all()}
    if host_id in hosts:
        name_subject(hosts[host_id])
        services().accounts.hosts.remove(host_id)
    return redirect(url_for("host.account"))


@blueprint.post("/account/keys")
@session_only
def add_key() -> Page:
    """Make a key; the page that follows shows its secret once, and makes no other when it is reloaded."""
    name_subject(request.form.get("name", ""))
    name, scopes = request.form.get("name"), request.form.getlist("scope")
    try:
        keep_sealed(NEW_KEY, services().accounts.keys.add(current_user.id, name, scopes))
    except BadRequestError as error:
        return _account_page(key_error=error), 400
    return redirect(url_for("host.account"))


@blueprint.get("/account/keys/<int:key_id>/deletion")
@session_only
def confirm_key_deletion(key_id: int) -> Page:
    """Ask before a key is deleted, where the page has no scripts."""
    keys = {key.id: key for key in services().accounts.keys.of(current_user.id)}
    if key_id not in keys:
        return redirect(url_for("host.account"))
    return render_template("dashboard/confirm.html", what="key", name=keys[key_id].name, action=request.path)


@blueprint.post("/account/keys/<int:key_id>/deletion")
@session_only
def delete_key(key_id: int) -> Page:
    """Delete one of the host's own keys."""
    keys = services().accounts.keys
    name_subject(next((key.name for key in keys.of(current_user.id) if key.id == key_id), ""))
    keys.delete(current_user.id, key_id)
    return redirect(url_for("host.account"))


def _account_page(
    host_error: BadRequestError | None = None,
    password_error: BadRequestError | None = None,
    key_error: BadRequestError | None = None,
) -> str:
    accounts = services().accounts
    return render_template(
        "dashboard/account.html",
        hosts=[HostItem.of(host, current_user.id) for host in accounts.hosts.all()],
        keys=[KeyItem.of(key) for key in accounts.keys.of(current_user.id)],
        scopes=scope_items(request.form.getlist("scope") if key_error else DEFAULT_SCOPES),
        secret=take_sealed(NEW_KEY),
        least=MIN_PASSWORD_LENGTH,
        host_error=text_of(host_error),
        password_error=text_of(password_error),
        key_error=text_of(key_error),
        wrong_field=next((error.field for error in (host_error, password_error, key_error) if error), ""),
        new_key_name=request.form.get("name", "") if key_error else "",
        new_host_name=request.form.get("name", "") if host_error else "",
    )
