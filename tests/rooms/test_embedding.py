"""What a room allows experiments: its settings are checked, and addresses are filled in safely."""

from __future__ import annotations

import pytest

from webapp.errors import BadRequestError
from webapp.rooms.embedding import filled, frame_ancestors
from webapp.rooms.settings import RoomSettings


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://lab.example", "https://lab.example"),
        (" HTTPS://Lab.Example ", "https://lab.example"),
        ("https://lab.example:443", "https://lab.example"),
        ("http://lab.example:80", "http://lab.example"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(given: str, kept: str) -> None:
    assert RoomSettings.from_wire({"allowed_origins": [given]}).allowed_origins == (kept,)


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "*", "https://*", "https://*.lab.example", "lab.example", "https://", "null", "data:", 7, None),
        *(
            "https://lab.example/",
            "https://lab.example/page",
            "https://lab.example?x",
            "https://lab.example#x",
        ),
        *(
            "https://user@lab.example",
            "https://lab.example:99999",
            "https://lab.example:",
            "ftp://lab.example",
        ),
        *(
            "https://lab.example; script-src *",
            "https://lab.example\r\nX: y",
            "https://a b",
            "https://labör.de",
        ),
        *("https://lab.example 'self'", "https://[lab", "https://lab.example,https://b.example"),
    ],
)
def test_what_is_no_origin_is_refused_with_an_example(wrong: object) -> None:
    with pytest.raises(BadRequestError, match=r"https://lab\.example or"):
        RoomSettings.from_wire({"allowed_origins": [wrong]})


@pytest.mark.parametrize("wrong", ["https://lab.example", {}, None, ["https://lab.example"] * 21])
def test_origins_are_a_list_of_a_few(wrong: object) -> None:
    with pytest.raises(BadRequestError, match="must be a list of at most 20"):
        RoomSettings.from_wire({"allowed_origins": wrong})


def test_a_room_without_origins_can_be_embedded_by_nobody() -> None:
    assert frame_ancestors(RoomSettings().allowed_origins) == "'none'"
    assert (
        frame_ancestors(("https://a.example", "https://b.example")) == "https://a.example https://b.example"
    )


@pytest.mark.parametrize(
    "url",
    ["", "https://app.prolific.com/submissions/complete?cc=C1", "https://lab.example/?p={participant}", "/r"],
)
def test_a_return_address_is_https_or_a_path_of_this_server(url: str) -> None:
    assert RoomSettings.from_wire({"return_url": url}).return_url == url


@pytest.mark.parametrize(
    "wrong",
    [
        *("http://lab.example", "//lab.example", "/\\lab.example", "javascript:alert(1)", "lab.example"),
        *("https://", "https:lab.example", "https://{participant}.example", "https://lab.example/a b"),
        *("https://[lab", "/a\\b", 7),
    ],
)
def test_a_return_address_leads_nowhere_else(wrong: object) -> None:
    with pytest.raises(BadRequestError, match="return_url"):
        RoomSettings.from_wire({"return_url": wrong})


def test_the_id_of_a_participant_cannot_change_where_an_address_leads() -> None:
    assert filled("https://lab.example/?p={participant}&x=1", "P 1/&?#ü") == (
        "https://lab.example/?p=P%201%2F%26%3F%23%C3%BC&x=1"
    )


@pytest.mark.parametrize("wrong", ["a b", "1a", "a&b", "a" * 41, "ä", None, 7])
def test_the_parameter_of_a_link_is_a_name(wrong: object) -> None:
    with pytest.raises(BadRequestError, match="PROLIFIC_PID"):
        RoomSettings.from_wire({"id_parameter": wrong})


@pytest.mark.parametrize("name", ["participant_markers", "consent_by_experiment"])
def test_what_experiments_may_do_is_off_unless_it_is_turned_on(name: str) -> None:
    assert getattr(RoomSettings(), name) is False
    assert getattr(RoomSettings.from_wire({name: True}), name) is True
    with pytest.raises(BadRequestError, match="true or false"):
        RoomSettings.from_wire({name: 1})


def test_settings_survive_the_way_to_the_database_and_back() -> None:
    settings = RoomSettings.from_wire(
        {
            "allowed_origins": ["https://lab.example"],
            "participant_markers": True,
            "consent_by_experiment": True,
            "id_parameter": "PROLIFIC_PID",
            "return_url": "https://lab.example/{participant}",
            "completion_code": "C0DE",
        }
    )
    assert RoomSettings.from_wire(settings.to_wire()) == settings
