"""The blueprint that the hosts' pages share, and what they answer where something cannot be done."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from webapp.errors import BadRequestError, RoomError, StoreError
from webapp.web.problems import page_text, status_of

Page = str | Response | tuple[str, int]

blueprint = Blueprint("host", __name__, url_prefix="/host")


@blueprint.errorhandler(RoomError)
@blueprint.errorhandler(StoreError)
def show_problem(error: RoomError | StoreError) -> Page:
    """What could not be done, as a page of its own."""
    return render_template("shared/problem.html", error=page_text(error)), status_of(error)


def text_of(error: BadRequestError | None) -> str | None:
    """What a form says about what was refused, in the page's language."""
    return None if error is None else page_text(error)
