"""The text that people consent to: what may be in it, in which languages, and which of them was shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.stores import LocalStore
from webapp.config import PROJECT_ROOT
from webapp.errors import BadRequestError
from webapp.export.store_process import Repositories
from webapp.rooms.information import (
    LANGUAGES,
    MAX_INFORMATION_LENGTH,
    VIDEO_NOTICES,
    check_information,
    check_translations,
    first_placeholder,
    has_video_notice,
    version_of,
)
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.sample_writer import SampleWriter
from webapp.web import catalogues

SHIPPED: Path = PROJECT_ROOT / "templates" / "dashboard" / "information.html"

TEXTS = {"de": "Worum es geht.", "ar": "ما هذا."}


@pytest.fixture
def room_service(tmp_path: Path) -> Iterator[RoomService]:
    archive = Repositories(f"sqlite:///{tmp_path / 'test.sqlite'}")
    archive.database.prepare()
    store = LocalStore(archive)
    yield RoomService(store, SampleWriter(store), "model")
    archive.close()


def restarted(room_service: RoomService) -> RoomService:
    """The same rooms, as another server reads them."""
    return RoomService(room_service._store, SampleWriter(room_service._store), "model")


def test_the_example_is_refused_until_all_of_its_brackets_are_replaced() -> None:
    text = SHIPPED.read_text()
    replaced = 0
    while (placeholder := first_placeholder(text)) is not None:
        with pytest.raises(BadRequestError, match="information still has the placeholder") as refused:
            check_information("information", text)
        assert f"[{placeholder}]" in str(refused.value)
        text = text.replace(f"[{placeholder}]", "something")
        replaced += 1
    assert replaced > 3
    assert check_information("information", text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "Read [our page](https://example.org).",
        "Read [our page][site].\n\n[site]: https://example.org",
        "Read [our page].\n\n[our page]: <https://example.org>",
        "As was shown before [1], [2, 3].",
        "- [ ] read\n- [x] signed",
        r"Press \[Start] now.",
        "a[0] = 1",
    ],
)
def test_links_numbers_and_brackets_that_are_meant_are_no_placeholders(text: str) -> None:
    assert check_information("information", text) == text


@pytest.mark.parametrize(
    "text",
    [
        "[name]",
        "while you [task].",
        "[Aufgabe] (kurz)",
        "[name]: Anna",
        "[研究の目的]",
        "[数] 个人",
        "[a][b] [task]",
    ],
)
def test_brackets_with_words_are_placeholders(text: str) -> None:
    with pytest.raises(BadRequestError):
        check_information("information", text)


@pytest.mark.parametrize(
    ("translations", "named"),
    [
        ("text", "must be an object"),
        ({"xx": "Text"}, "names the language 'xx', but must name one of en, de"),
        ({"de": ""}, r"information_translations\.de must be a text"),
        ({"de": 7}, r"information_translations\.de must be a text"),
        ({"de": "x" * (MAX_INFORMATION_LENGTH + 1)}, r"information_translations\.de must be a text"),
        ({"de": "Wir sind [Name]."}, r"information_translations\.de still has the placeholder \[Name\]"),
    ],
)
def test_translations_that_cannot_be_used_are_refused(translations: object, named: str) -> None:
    with pytest.raises(BadRequestError, match=named):
        check_translations(translations)


def test_a_translation_into_the_rooms_own_language_is_refused(room_service: RoomService) -> None:
    with pytest.raises(BadRequestError, match="has de, the language of information itself"):
        room_service.create_room("Room", "Worum es geht.", {"language": "de"}, TEXTS)
    assert room_service.rooms() == {}


def test_a_room_keeps_its_texts_and_each_consent_its_language(room_service: RoomService) -> None:
    room = room_service.create_room("Room", "What this is.", {"language": "en"}, TEXTS)
    shown = {"c1": None, "c2": "de", "c3": "ar", "c4": "en"}
    for connection, language in shown.items():
        room_service.membership.join(connection, room, connection, True, None, language)
    again = restarted(room_service).room(room.code)
    assert again.record.information_translations == TEXTS
    assert again.languages == ("en", "de", "ar")
    consents = {one.record.alias: one.record for one in again.participants.values()}
    assert [consents[name].consent_language for name in shown] == ["en", "de", "ar", "en"]
    assert [consents[name].information_version for name in shown] == [
        version_of(text) for text in ("What this is.", TEXTS["de"], TEXTS["ar"], "What this is.")
    ]


def test_a_text_can_be_given_in_the_languages_of_the_pages() -> None:
    assert set(LANGUAGES) == set(catalogues.LANGUAGES)


def test_a_consent_to_a_text_that_does_not_exist_is_refused(room_service: RoomService) -> None:
    room = room_service.create_room("Room", "What this is.", {}, {"de": TEXTS["de"]})
    for language in ("fr", "en", 7, ["de"]):
        with pytest.raises(BadRequestError, match="language is"):
            room_service.membership.join("c", room, "A", True, None, language)
    assert room.participants == {}
    assert (
        room_service.membership.join("c", room, "A", True, None).participant.record.consent_language is None
    )


def test_every_text_of_a_room_with_video_says_so_in_its_own_language(room_service: RoomService) -> None:
    translations = {language: f"Text {language}" for language in LANGUAGES if language != "fr"}
    room = room_service.create_room("Room", "Texte", {"video": True, "language": "fr"}, translations)
    texts = {"fr": room.record.information, **room.record.information_translations}
    assert {language: text.rpartition("\n\n")[2] for language, text in texts.items()} == dict(VIDEO_NOTICES)
    for number, language in enumerate(LANGUAGES):
        joined = room_service.membership.join(f"c{number}", room, "", True, None, language)
        assert room.may_show(joined.participant)


def test_who_consented_to_a_translation_without_the_notice_is_not_shown(room_service: RoomService) -> None:
    made = room_service.create_room("Room", "Text", {"video": True}, TEXTS)
    record = replace(made.record, information_translations=TEXTS)
    room = Room(record)
    assert room.has_video
    assert not has_video_notice(TEXTS["de"])
    for language, is_shown in (("", True), ("de", False)):
        joined = room_service.membership.join(f"c{language}", room, "", True, None, language)
        assert room.may_show(joined.participant) is is_shown
