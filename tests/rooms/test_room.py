from __future__ import annotations

import pytest

from webapp.errors import BadRequestError, ConsentRequiredError, RoomFullError
from webapp.rooms import baseline
from webapp.rooms.clock_sync import ClockOffset
from webapp.rooms.participant import AWAY_TIMEOUT_S, Participant, clean_alias
from webapp.rooms.recording.samples import capture_time_ms
from webapp.rooms.room import Room, new_code, normal_code
from webapp.rooms.settings import RoomSettings
from webapp.store.records import RoomRecord, hash_secret


def room(**settings: object) -> Room:
    return Room(RoomRecord("ABCD2345", "Room", "Text", dict(settings), 0.0))


def add(to: Room, alias: object, now_s: float = 0.0, connection: str | None = "c") -> Participant:
    record = to.new_participant(alias, hash_secret(str(alias)), 1.0)
    added = to.participants[record.id] = Participant(record, connection, away_s=now_s)
    return added


def test_a_place_is_kept_for_a_while_for_somebody_whose_connection_was_lost() -> None:
    full = room(max_participants=1)
    add(full, "A", now_s=100.0, connection=None)
    with pytest.raises(RoomFullError):
        full.check_joinable(consent=True, now_s=100.0 + AWAY_TIMEOUT_S - 1)
    full.check_joinable(consent=True, now_s=100.0 + AWAY_TIMEOUT_S)


def test_without_consent_nobody_may_join() -> None:
    with pytest.raises(ConsentRequiredError):
        room().check_joinable(consent=False, now_s=0.0)


def test_only_the_right_secret_brings_somebody_back() -> None:
    one = room()
    added = add(one, "secret")
    assert one.resumed("secret") is added
    assert one.resumed("other") is one.resumed(None) is one.resumed(7) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [("Anna", "Anna"), ("=cmd|x", "cmdx"), ("  -1+2", "12"), ("Zoë 3", "Zoë 3"), (None, ""), ("<b>", "b")]
    + [(name, name) for name in ("राहुल शर्मा", "สมชาย ใจดี", "José Müller")]
    + [("Jose\u0301 \u0301", "José \u0301"), ("\u0301a", "a"), ("=\u0301a", "a")],
)
def test_an_alias_is_never_a_formula(given: object, kept: str) -> None:
    assert clean_alias(given) == kept


def test_codes_are_long_and_read_however_they_are_typed() -> None:
    codes = {new_code(()) for _ in range(200)}
    assert len(codes) == 200 and {len(code) for code in codes} == {8}
    assert normal_code(" abcd-2345 ") == "ABCD2345"


@pytest.mark.parametrize("wrong", [{"max_participants": True}, {"marker_labels": [""]}, {"x": 1}, None])
def test_settings_that_cannot_be_used_are_refused(wrong: object) -> None:
    with pytest.raises(BadRequestError):
        RoomSettings.from_wire(wrong)


def test_the_exchange_with_the_shortest_way_tells_the_clock() -> None:
    clock = ClockOffset()
    assert clock.offset_ms is None
    clock.add(sent_ms=1000, browser_ms=6400, received_ms=1800)  # slow on one way
    clock.add(sent_ms=2000, browser_ms=7010, received_ms=2020)
    assert clock.offset_ms == pytest.approx(-5000)
    assert clock.round_trip_ms == 20


@pytest.mark.parametrize(
    ("captured_ms", "offset_ms", "expected_ms"),
    [(900, 50, 950), (900, None, 1000), (990, 50, 1000), (0, -9000, 1000)],
)
def test_a_capture_time_that_cannot_be_gives_way_to_the_arrival(
    captured_ms: float, offset_ms: float | None, expected_ms: float
) -> None:
    assert capture_time_ms(captured_ms, offset_ms, received_ms=1000) == expected_ms


def test_a_face_like_ones_neutral_has_the_same_share_of_each() -> None:
    neutral = (0.3, 0.1, 0.05, 0.05, 0.2, 0.1, 0.2)
    taking = baseline.BaselineTaking(now_s=0.0)
    for _ in range(baseline.MIN_FRAMES):
        taking.add([neutral])
    mean = taking.mean()
    assert mean is not None
    assert baseline.relative(neutral, mean) == pytest.approx([1 / 7] * 7)
    happier = baseline.relative((0.2, 0.1, 0.05, 0.25, 0.15, 0.1, 0.15), mean)
    assert max(range(7), key=lambda index: happier[index]) == 3
    assert sum(happier) == pytest.approx(1)


def test_too_few_faces_give_no_baseline() -> None:
    taking = baseline.BaselineTaking(now_s=0.0)
    taking.add([(1 / 7,) * 7])
    assert taking.is_over(5.0) and not taking.is_over(4.9)
    assert taking.mean() is None
