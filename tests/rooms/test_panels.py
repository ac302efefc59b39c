"""Links of panels: the id in the link, who asked for consent, and the way back; and copies of rooms."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import pytest
import requests

from tests.helpers.host_browser import Browser, signed_in
from tests.helpers.module_server import module_server
from tests.helpers.room_client import (
    TIMEOUT_S,
    TOKEN,
    ParticipantClient,
    api,
    code_of,
    export,
    make_room,
    make_room_in_two_languages,
    rows,
)
from tests.helpers.serving import Server

EXPERIMENT = {
    "allowed_origins": ["https://lab.example"],
    "participant_markers": True,
    "consent_by_experiment": True,
    "id_parameter": "PROLIFIC_PID",
    "return_url": "https://panel.example/done?who={participant}",
    "completion_code": "C0DE",
}


server = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)


def page(server: Server, room: str, query: str) -> str:
    return requests.get(f"{server.url}/r/{room}?{query}", timeout=TIMEOUT_S).text


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ("pid=P01", "P01"),
        ("PROLIFIC_PID=5f3&pid=P01", "5f3"),
        ("pid=%3Cscript%3E%22", "&lt;script&gt;&#34;"),
        ("other=P01", ""),
        ("pid=%00%20%20", ""),
    ],
)
def test_the_id_in_a_link_reaches_the_page(server: Server, query: str, label: str) -> None:
    room = make_room(server, id_parameter="PROLIFIC_PID")
    assert f'data-participant="{label}"' in page(server, room, query)


def test_choosing_a_language_keeps_the_id_of_the_link(server: Server) -> None:
    browser = Browser(server)
    form = browser.open(f"/r/{make_room(server)}?pid=P01").text
    (back,) = re.findall(r'name="next" value="([^"]*)"', form)
    chosen = browser.open(f"/language?{urlencode({'language': 'de', 'next': html.unescape(back)})}")
    page = browser.open(chosen.headers["Location"]).text
    assert '<html lang="de"' in page and 'data-participant="P01"' in page


@pytest.mark.parametrize("path", ["/r", "/embed"])
def test_a_link_with_a_language_shows_page_and_information_in_it(server: Server, path: str) -> None:
    room = make_room_in_two_languages(server)
    shown = requests.get(f"{server.url}{path}/{room}?lang=de&pid=P01", timeout=TIMEOUT_S).text
    assert '<html lang="de"' in shown
    assert re.search(r'<div class="information" data-language="de"[^>]*dir="auto">', shown)
    assert re.search(r'<div class="information" data-language="en"[^>]* hidden>', shown)


def test_the_id_becomes_alias_and_label_and_the_way_back_has_it(server: Server) -> None:
    room = make_room(server, **EXPERIMENT)
    with ParticipantClient(server) as client:
        joined = client.join(room, alias="", pid="  P/01 & =x ")
        assert joined["alias"] == "P01  x"
        assert joined["completion"] == {
            "return_url": "https://panel.example/done?who=P%2F01%20%26%20%3Dx",
            "code": "C0DE",
        }
    (person,) = rows(export(server, room)["participants.csv"])
    assert (person["participant_label"], person["consent_source"]) == ("P/01 & =x", "participant")


def test_without_a_label_the_way_back_has_the_alias_and_without_settings_there_is_none(
    server: Server,
) -> None:
    room, plain = make_room(server, **EXPERIMENT), make_room(server)
    with ParticipantClient(server) as client:
        assert client.join(room, alias="Anna")["completion"]["return_url"].endswith("?who=Anna")
    with ParticipantClient(server) as client:
        assert client.join(plain)["completion"] == {}


def test_the_consent_of_an_experiment_is_recorded_as_such_where_the_room_allows_it(server: Server) -> None:
    room, plain = make_room(server, consent_by_experiment=True), make_room(server)
    with ParticipantClient(server) as client:
        assert code_of(client.join(plain, consent_source="experiment")) == "consent_required"
        assert code_of(client.join(room, consent_source="nobody")) == "bad_request"
        assert "alias" in client.join(room, consent_source="experiment")
    (person,) = api(server, "GET", f"/rooms/{room}").json()["participants"]
    assert person["consent_source"] == "experiment"


def test_a_room_is_copied_with_its_texts_and_settings_and_nothing_of_its_participants(server: Server) -> None:
    body = {
        "name": "Study",
        "information": "What this is.",
        "information_translations": {"de": "Was das ist."},
        "settings": {**EXPERIMENT, "language": "en", "video": True},
    }
    room = api(server, "POST", "/rooms", body).json()["code"]
    with ParticipantClient(server) as client:
        client.join(room)
    answer = api(server, "POST", f"/rooms/{room}/copy", {"name": "Study, again"})
    assert answer.status_code == 201
    first, second = (api(server, "GET", f"/rooms/{code}").json() for code in (room, answer.json()["code"]))
    assert second["name"] == "Study, again" and second["participants"] == []
    same = ("settings", "information", "information_translations")
    assert {name: first[name] for name in same} == {name: second[name] for name in same}
    assert api(server, "POST", "/rooms/NOPE2345/copy", {}).status_code == 404


def test_a_room_with_video_and_the_longest_text_can_be_copied(server: Server) -> None:
    body = {"name": "Study", "information": 19_990 * "x", "settings": {"video": True}}
    room = api(server, "POST", "/rooms", body).json()["code"]
    copy = api(server, "POST", f"/rooms/{room}/copy", {})
    assert copy.status_code == 201
    texts = [
        api(server, "GET", f"/rooms/{code}").json()["information"] for code in (room, copy.json()["code"])
    ]
    assert texts[0] == texts[1] and len(texts[0]) > 20_000


def test_a_copy_keeps_the_name_unless_another_is_given(server: Server) -> None:
    code = api(server, "POST", f"/rooms/{make_room(server)}/copy", {}).json()["code"]
    assert api(server, "GET", f"/rooms/{code}").json()["name"] == "Test room"


def test_the_form_for_a_copy_is_filled_in_and_makes_a_room_with_the_same_settings(server: Server) -> None:
    room = make_room(server, **EXPERIMENT, video=True)
    host = signed_in(server)
    form = host.open(f"/host/rooms/new?copy={room}").text
    assert 'value="Test room (copy)"' in form and '<details class="form-fold" open>' in form
    assert "https://lab.example</textarea>" in form and 'value="PROLIFIC_PID"' in form
    assert "sees the pictures of your camera live" not in form.partition("</textarea>")[0], (
        "it is added again"
    )


def test_a_form_says_that_no_markers_of_a_stream_come_where_the_server_has_no_lsl(server: Server) -> None:
    host = signed_in(server)
    form = host.open(f"/host/rooms/new?copy={make_room(server, lsl_markers='Stimuli <1>')}").text
    (notice,) = re.findall(r'id="lsl-notice">(.*?)</p>', form)
    assert "Stimuli &lt;1&gt;" in notice and "MIEN_LSL=1" in notice
    assert "lsl-notice" not in host.open(f"/host/rooms/new?copy={make_room(server)}").text


def test_a_new_rooms_form_refuses_an_origin_with_a_path_and_says_what_to_write(server: Server) -> None:
    host = signed_in(server)
    host.open("/host/rooms/new")
    answer = host.open(
        "/host/rooms", name="R", information="Text", allowed_origins="https://lab.example/page"
    )
    assert answer.status_code == 400
    assert (
        "Pages that may embed this room has" in answer.text and "without a path or a wildcard" in answer.text
    )
    assert "https://lab.example/page</textarea>" in answer.text, "what was typed is kept"


@pytest.mark.parametrize("path", ["/rooms", "/rooms/ROOM/copy"])
def test_a_text_with_a_placeholder_makes_no_room(server: Server, path: str) -> None:
    if path == "/rooms":
        answer = api(server, "POST", path, {"name": "R", "information": "Ask [name] about it."})
        assert answer.status_code == 400 and "[name]" in answer.text
        return
    room = make_room(server)
    answer = api(server, "POST", path.replace("ROOM", room), {"name": ""})
    assert answer.status_code == 400, "a copy is checked as a new room is"
