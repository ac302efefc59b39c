"""The page for photos and videos."""

from __future__ import annotations

from flask import Blueprint, render_template

blueprint = Blueprint("files", __name__)


@blueprint.get("/files")
def index() -> str:
    """The page; its modules send files to the API and show what comes back."""
    return render_template("files/index.html")
