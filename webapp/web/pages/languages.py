"""Choosing the language of the pages, and the texts that their modules show."""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, make_response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from webapp.web.catalogues import LANGUAGES, SOURCE, catalogue_of
from webapp.web.languages import COOKIE

YEAR_S = 365 * 24 * 3600

LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20]*")
"""A path of this server: browsers read `//name` and `/\\name` as another one."""

blueprint = Blueprint("language", __name__)


@blueprint.get("/language")
def choose() -> BaseResponse:
    """Keep the chosen language in a cookie, and go back to the page it was chosen on."""
    language = request.args.get("language", "")
    if language not in LANGUAGES:
        abort(404)
    path = request.args.get("next", "")
    response = redirect(path if LOCAL_PATH.fullmatch(path) else "/")
    response.set_cookie(
        COOKIE, language, max_age=YEAR_S, secure=request.is_secure, httponly=True, samesite="Lax"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/texts/<language>.<digest>.js")
def texts(language: str, digest: str) -> Response:
    """The texts of a language that scripts show, as a module; under its present digest it never changes."""
    if language not in LANGUAGES or language == SOURCE:
        abort(404)
    catalogue = catalogue_of(language)
    response = make_response(catalogue.module)
    response.content_type = "text/javascript; charset=utf-8"
    is_present = digest == catalogue.digest
    response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable" if is_present else "no-cache"
    return response
