"""Keeps a secret in a session: Flask signs what is in its cookie, but everybody who sees it can read it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app, session


def keep_sealed(name: str, secret: str) -> None:
    """Keep a secret under a name in the current session, encrypted."""
    session[name] = _cipher(name).encrypt(secret.encode()).decode()


def take_sealed(name: str) -> str | None:
    """Take the secret out of the session; None where there is none that this server can read."""
    try:
        return _cipher(name).decrypt(session.pop(name, "")).decode()
    except InvalidToken:
        return None


def _cipher(name: str) -> Fernet:
    return Fernet(urlsafe_b64encode(sha256(f"{name} {current_app.secret_key!r}".encode()).digest()))
