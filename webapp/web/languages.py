"""Which language a request gets: its address's, that of the menu, or the browser's first that is there.

The API and Socket.IO speak English and send codes; pages translate what they show of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, Response, current_app, has_request_context, request, url_for
from flask_babel import Babel, Domain, get_locale
from werkzeug.utils import cached_property

from webapp.web.catalogues import LANGUAGES, SOURCE, catalogue_of

COOKIE = "language"
"""Holds the language that somebody chose in the menu."""

ARGUMENT = "lang"
"""Asks in an address for a language, such as `/r/CODE?lang=de`; the cookie stays as it is."""

OPEN_PAGES = frozenset({"live.index", "about.about", "files.index", "room.ask_code", "room.show"})
"""Pages for everybody: links to them go on in the language that the address asks for."""

FIRST_ACCESS = ("host.index", "token")
"""The page and the argument that has the secret of a first access, which is not repeated."""

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
    asked: str
    """The language that the address asks for, which forms send on as `lang`; empty if it asks for none."""
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
    app.url_defaults(_keep_asked_language)
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
    chosen = _asked_language() or request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else negotiate(request.accept_languages)


def _asked_language() -> str:
    """The language that the address of the request asks for, if it is there; else nothing."""
    return _supported(request.args.get(ARGUMENT, "")) or ""


def _keep_asked_language(endpoint: str, values: dict[str, Any]) -> None:
    """Add to the values of a link what its page needs to come in the same language as this one."""
    if endpoint in OPEN_PAGES and has_request_context() and (asked := _asked_language()):
        values.setdefault(ARGUMENT, asked)


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
            asked=_asked_language(),
            return_path=_return_path(),
        )
    }


def _return_path() -> str:
    """This page with the arguments of its address, or the nearest page above it where it answers a form."""
    urls = current_app.create_url_adapter(request)
    path = request.path if request.path.count("/") <= MAX_RETURN_SEGMENTS else ""
    while urls and path and not urls.test(path, "GET"):
        path = path.rpartition("/")[0]
    is_this = path == request.path and request.method in ("GET", "HEAD")
    return (path or "/") + (_returned_arguments() if is_this else "")


def _returned_arguments() -> str:
    """The arguments of this page's address, such as `?pid=P01`; a choice in the menu ends its language."""
    kept = [pair for pair in request.args.items(multi=True) if _is_returned(*pair)]
    return f"?{urlencode(kept)}" if kept else ""


def _is_returned(name: str, value: str) -> bool:
    asks_for_language = name == ARGUMENT and _supported(value) is not None
    return not asks_for_language and (request.endpoint, name) != FIRST_ACCESS


def _vary_by_language(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
    return response
