"""The catalogues: whole, current, and safe to put into pages."""

from __future__ import annotations

import functools

import pytest
from babel.messages.catalog import Catalog, Message

from tests.helpers.messages import (
    TRANSLATED,
    catalogue,
    faults,
    forms,
    messages,
    sources,
    texts_of_the_pages,
    untranslated,
)

each_language = pytest.mark.parametrize("language", TRANSLATED)

HOW = "run `make translations`, then translate what `make untranslated` lists"


@functools.cache
def expected() -> Catalog:
    return texts_of_the_pages()


@each_language
def test_a_catalogue_has_every_text_of_the_pages_and_no_other(language: str) -> None:
    wanted = {sources(message) for message in messages(expected())}
    present = {sources(message) for message in messages(catalogue(language))}
    assert wanted - present == set(), HOW
    assert present - wanted == set(), HOW
    assert not catalogue(language).obsolete, HOW


@each_language
def test_a_catalogue_knows_which_texts_scripts_show(language: str) -> None:
    places = {sources(message): {path for path, _ in message.locations} for message in messages(expected())}
    present = {
        sources(message): {path for path, _ in message.locations} for message in messages(catalogue(language))
    }
    assert present == places, HOW


@each_language
def test_every_text_is_translated(language: str) -> None:
    assert [sources(message) for message in untranslated(language)] == [], HOW


@each_language
def test_no_translation_waits_for_somebody_to_check_it(language: str) -> None:
    assert [message.id for message in messages(catalogue(language)) if message.fuzzy] == []


@each_language
def test_translations_have_the_placeholders_and_the_html_of_the_english(language: str) -> None:
    assert {
        message.id: found for message in messages(catalogue(language)) if (found := faults(message))
    } == {}


@each_language
def test_plurals_have_every_form_of_the_language(language: str) -> None:
    known = catalogue(language)
    plurals = [message for message in messages(known) if message.pluralizable]
    assert [message.id for message in plurals if len(forms(message)) != known.num_plurals] == []


@pytest.mark.parametrize(
    ("english", "translation", "is_sound"),
    [
        ("%(name)s left", "%(name)s ist gegangen", True),
        ("%(name)s left", "%(nome)s ist gegangen", False),
        ("%(name)s left", "Jemand ist gegangen", False),
        ("<strong>Now</strong> or never", "<strong>Jetzt</strong> oder nie", True),
        ("Now or never", "Jetzt <b>oder</b> nie", False),
        ("Now or never", 'Jetzt "oder" nie', False),
        ("<strong>Now</strong>", "<strong>Jetzt<strong>", False),
    ],
)
def test_what_would_break_a_page_is_found(english: str, translation: str, is_sound: bool) -> None:
    assert (faults(Message(english, translation)) == []) is is_sound


def test_a_text_for_one_may_leave_the_number_out() -> None:
    message = Message(("One face", "%(count)s faces"), ("Ein Gesicht", "%(count)s Gesichter"))
    assert faults(message) == []
    message = Message(("One face", "%(count)s faces"), ("Ein Gesicht", "%(number)s Gesichter"))
    assert faults(message) != []
