"""The texts of the pages and their catalogues, for tests and for those who translate.

python -m tests.helpers.messages update          # collect the texts into all catalogues
python -m tests.helpers.messages list de fr      # list what lacks a translation, in some or all languages
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po, write_po

import webapp.errors
from webapp.errors import RoomError
from webapp.version import VERSION
from webapp.web.catalogues import LANGUAGES, REVIEWED_BY, SOURCE, catalogue_path

ROOT = Path(__file__).parents[2]
LINE_WIDTH = 100

TRANSLATED = tuple(language for language in LANGUAGES if language != SOURCE)

ERRORS = [
    name
    for name, value in vars(webapp.errors).items()
    if isinstance(value, type) and issubclass(value, RoomError)
]
KEYWORDS = ["t", "tn:1,2", *ERRORS]
"""What marks a text beside gettext's own functions: those of translate.js, and the errors that pages show."""

HEADER = f"""\
# Texts of Mien's pages. docs/translations.md says how to correct them.
#
{REVIEWED_BY}
# The line above names the native speaker who has read all of this catalogue, once somebody has."""

PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%%")
MARKUP = re.compile(r"<[^>]*>|[<>\"&]")
"""Texts of templates become HTML as they are."""


def texts_of_the_pages() -> Catalog:
    """Every text of templates, modules and views, each with the files that have it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "messages.pot"
        options = [f"--mapping={ROOT}/pyproject.toml", "--add-location=file", f"--output={path}"]
        options += [f"--keyword={keyword}" for keyword in KEYWORDS]
        with contextlib.chdir(ROOT):
            CommandLineInterface().run(["pybabel", "--quiet", "extract", *options, "."])  # type: ignore[no-untyped-call]
        with path.open("rb") as file:
            return read_po(file)


def catalogue(language: str) -> Catalog:
    """The catalogue of a language as its file has it."""
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, texts: Catalog) -> None:
    """Give a catalogue all `texts`; those that are gone leave it, and no translation is guessed."""
    path = catalogue_path(language)
    if path.exists():
        current = catalogue(language)
        header = current.header_comment
    else:
        current = _new_catalogue(language)
        header = HEADER
    current.update(texts, no_fuzzy_matching=True, update_creation_date=False)
    current.header_comment, current.fuzzy = header, False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, current, width=LINE_WIDTH, ignore_obsolete=True, sort_by_file=True)


def _new_catalogue(language: str) -> Catalog:
    return Catalog(
        locale=language,
        project="Mien",
        version=VERSION,
        msgid_bugs_address="docs/translations.md",
        last_translator="Mien",
        language_team=LANGUAGES[language],
        revision_date=datetime.now(UTC),
    )


def untranslated(language: str) -> list[Message]:
    """The messages of a catalogue that have no translation, or one that somebody has to look at."""
    return [message for message in messages(catalogue(language)) if message.fuzzy or not all(forms(message))]


def messages(catalog: Catalog) -> Iterator[Message]:
    """The messages of a catalogue without its header."""
    return (message for message in catalog if message.id)


def sources(message: Message) -> tuple[str, ...]:
    """The English text, and that for many."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def forms(message: Message) -> tuple[str, ...]:
    """The translation, one for each form of the plural."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def faults(message: Message) -> list[str]:
    """What a translation has that would break the page: other placeholders or other HTML than the English."""
    allowed = [set(PLACEHOLDERS.findall(text)) for text in sources(message)]
    markup = [sorted(MARKUP.findall(text)) for text in sources(message)]
    found = []
    for form in filter(None, forms(message)):
        if set(PLACEHOLDERS.findall(form)) not in allowed:
            found.append(f"placeholders differ: {form!r}")
        if sorted(MARKUP.findall(form)) not in markup:
            found.append(f"HTML differs: {form!r}")
    return found


def _list(languages: Iterable[str]) -> None:
    """Print what lacks a translation."""
    for language in languages:
        missing = untranslated(language)
        print(f"{language}: {len(missing)} texts lack a translation")
        for message in missing:
            print(f"  {' | '.join(sources(message))}")


def _main(command: str, *languages: str) -> None:
    chosen = languages or TRANSLATED
    if command == "list":
        return _list(chosen)
    texts = texts_of_the_pages()
    for language in chosen:
        update(language, texts)
    print(f"{len(list(messages(texts)))} texts in {len(chosen)} catalogues; see `make untranslated`.")
    return None


if __name__ == "__main__":
    _main(*(sys.argv[1:] or ["list"]))
