"""The texts of the pages in each language, from `webapp/translations/LANGUAGE/LC_MESSAGES/messages.po`.

A catalogue is read when the first request wants it, and kept. No file has to be compiled: a correction in a
`.po` file is there at the next start.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from webapp.config import PROJECT_ROOT

LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt": "Português",
    "it": "Italiano",
    "pl": "Polski",
    "tr": "Türkçe",
    "ar": "العربية",
    "hi": "हिन्दी",
    "ja": "日本語",
    "ko": "한국어",
    "zh_Hans": "简体中文",
}
"""The languages of the pages, each by its own name."""

SOURCE = "en"
"""The language in which the texts are written; it has no catalogue."""

FOLDER = PROJECT_ROOT / "webapp" / "translations"

SCRIPTS = "static/js/"
"""A text with a location in this folder is one that the browser's modules show."""

REVIEWED_BY = "# Reviewed-By:"
"""The line at the top of a catalogue that names the native speaker who read it; nobody did if it is empty."""

SAFE_PLURAL_RULE = re.compile(r"[n0-9 ()?:!=<>&|%]+")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A language's texts: for templates and views, and as the module that a page loads."""

    translations: NullTranslations
    module: bytes
    digest: str
    """Changes with the module, so that browsers may keep it for ever."""


@functools.cache
def catalogue_of(language: str) -> Catalogue:
    """The catalogue of one of LANGUAGES; the first call reads its file."""
    if language == SOURCE:
        return Catalogue(NullTranslations(), b"", "")
    with catalogue_path(language).open("rb") as file:
        catalog = read_po(file, locale=language)
    module = _module(catalog)
    return Catalogue(_compiled(catalog), module, hashlib.sha256(module).hexdigest()[:12])


def catalogue_path(language: str) -> Path:
    """The file of a language's texts."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


@functools.cache
def languages_without_review() -> tuple[str, ...]:
    """The languages, by their own names, whose catalogue no native speaker has reviewed yet."""
    return tuple(
        name for language, name in LANGUAGES.items() if language != SOURCE and not _reviewer(language)
    )


def _reviewer(language: str) -> str:
    lines = catalogue_path(language).read_text(encoding="utf-8").splitlines()
    named = [line.removeprefix(REVIEWED_BY).strip() for line in lines if line.startswith(REVIEWED_BY)]
    return named[0] if named else ""


def _compiled(catalog: Catalog) -> Translations:
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


def _module(catalog: Catalog) -> bytes:
    """The module that gives `translate.js` the texts of scripts, and the language's rule for plurals."""
    rule = catalog.plural_expr
    if not SAFE_PLURAL_RULE.fullmatch(rule):
        raise ValueError(f"The plural rule of {catalog.locale} is {rule!r}; expected an expression of n.")
    texts = orjson.dumps(dict(_texts_of_scripts(catalog)), option=orjson.OPT_SORT_KEYS).decode()
    return (
        'import { addTexts } from "/static/js/shared/translate.js";\n'
        f"addTexts({texts}, (n) => Number({rule}));\n"
    ).encode()


def _texts_of_scripts(catalog: Catalog) -> Iterator[tuple[str, str | list[str]]]:
    for message in catalog:
        if message.id and _is_translated(message) and _is_of_scripts(message):
            if isinstance(message.id, str):
                yield message.id, str(message.string)
            else:
                yield message.id[0], list(message.string or ())


def _is_translated(message: Message) -> bool:
    forms = [message.string] if isinstance(message.string, str) else message.string or ()
    return all(forms) and not message.fuzzy


def _is_of_scripts(message: Message) -> bool:
    return any(path.startswith(SCRIPTS) for path, _line in message.locations)
