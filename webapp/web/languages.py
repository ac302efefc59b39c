"""Which language a request gets: the one chosen in the menu, or the first of the browser's that is there.

The API and Socket.IO speak English and send codes; pages translate what they show of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, Response, current_app, has_request_context, request, url_for
from flask_babel import Babel, Domain, get_locale
from werkzeug.utils import cached_property

from webapp.web.catalogues import LANGUAGES, SOURCE, catalogue_of

COOKIE = "language"
"""Holds the language that somebody chose in the menu."""

MAX_RETURN_SEGMENTS = 6
"""Pages lie no deeper. Addresses that do can be of any length, so none above them is looked up."""

TRADITIONAL_CHINESE = {"hant", "tw", "hk", "mo"}


@dataclass(frozen=True, slots=True)
class PageLanguage:
    """What every page says about its language: `tag` is that of HTML, such as `zh-Hans`."""

    code: str
    tag: str
    name: str
    direction: str
    module_url: str
    """Of the texts that the page's own modules show; empty in English, whose texts are in the modules."""
    choices: dict[str, str]
    """Tag and name of each language, by its code."""
    return_path: str
    """The page to come back to after choosing another language."""


class _CatalogueDomain(Domain):  # type: ignore[misc]
    """Texts from `catalogue_of`, in place of compiled files."""

    def get_translations(self) -> NullTranslations:
        return catalogue_of(current_language()).translations


class _CatalogueBabel(Babel):  # type: ignore[misc]
    @cached_property
    def domain_instance(self) -> _CatalogueDomain:
        return _CatalogueDomain()


def add_languages(app: Flask) -> None:
    """Give an application its languages: gettext in templates and views, and `language` in every template."""
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    _CatalogueBabel(app, default_locale=SOURCE, locale_selector=_requested_language)
    app.context_processor(_template_values)
    app.after_request(_vary_by_language)


def current_language() -> str:
    """The language of the current request, one of LANGUAGES."""
    return str(get_locale() or SOURCE)


def negotiate(accepted: Iterable[tuple[str, float]]) -> str:
    """The first of LANGUAGES among the tags of an Accept-Language header, best first with their qualities."""
    found = (_supported(tag) for tag, quality in accepted if quality > 0)
    return next((language for language in found if language), SOURCE)


def tag_of(language: str) -> str:
    """The tag of a language as HTML and HTTP write it, such as `zh-Hans`."""
    return language.replace("_", "-")


def _supported(tag: str) -> str | None:
    primary, *others = tag.lower().replace("_", "-").split("-")
    if primary == "zh" and ("hans" in others or not TRADITIONAL_CHINESE.intersection(others)):
        return "zh_Hans"
    return primary if primary in LANGUAGES else None


def _requested_language() -> str:
    if not has_request_context():
        return SOURCE
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else negotiate(request.accept_languages)


def _template_values() -> dict[str, Any]:
    code = current_language()
    digest = catalogue_of(code).digest
    return {
        "language": PageLanguage(
            code=code,
            tag=tag_of(code),
            name=LANGUAGES[code],
            direction=Locale.parse(code).text_direction,
            module_url=url_for("language.texts", language=code, digest=digest) if digest else "",
            choices=LANGUAGES,
            return_path=_return_path(),
        )
    }


def _return_path() -> str:
    """The path of this page, or of the nearest page above it where it answers a form."""
    urls = current_app.create_url_adapter(request)
    path = request.path if request.path.count("/") <= MAX_RETURN_SEGMENTS else ""
    while urls and path and not urls.test(path, "GET"):
        path = path.rpartition("/")[0]
    return path or "/"


def _vary_by_language(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
    return response
