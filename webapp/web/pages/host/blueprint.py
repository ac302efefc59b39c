"""The blueprint that the hosts' pages share, and what they answer where something cannot be done."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from webapp.errors import BadRequestError, RoomError, StoreError
from webapp.web.problems import page_headers, page_text, problem_page, status_of

Page = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]

blueprint = Blueprint("host", __name__, url_prefix="/host")


@blueprint.errorhandler(RoomError)
@blueprint.errorhandler(StoreError)
def show_problem(error: RoomError | StoreError) -> Page:
    """What could not be done, as a page of its own."""
    return *problem_page(status_of(error), page_text(error)), page_headers(error)


def text_of(error: BadRequestError | None) -> str | None:
    """What a form says about what was refused, in the page's language."""
    return None if error is None else page_text(error)
