"""The about page tells what the model card and the catalogues say."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.config import PROJECT_ROOT, Settings
from webapp.version import VERSION
from webapp.web.catalogues import languages_without_review
from webapp.web.pages.about import ACCURACY, FOUND, Found

MODEL_CARD = (PROJECT_ROOT / "models" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application with nothing started."""
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("data"), host_token="a-long-token-for-tests"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def card_row(first: str) -> list[str]:
    """The cells of the model card's only table row that begins so, without the first."""
    (row,) = re.findall(rf"^\| {first} \|(.*)\|$", MODEL_CARD, re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


def test_the_accuracy_is_that_of_the_model_card() -> None:
    end_to_end = card_row("accuracy")[-2]  # with the mirrored crop, as the server does
    assert end_to_end == f"{ACCURACY:.1%}"


@pytest.mark.parametrize("one", FOUND, ids=lambda one: one.label)
def test_what_is_found_of_each_expression_is_that_of_the_model_card(one: Found) -> None:
    assert card_row(one.label)[:2] == [f"{one.precision:.0%}", f"{one.recall:.0%}"]


def test_the_number_of_faces_is_that_of_the_model_card(client: FlaskClient) -> None:
    assert "3,578 faces" in MODEL_CARD
    assert "3,578" in client.get("/about").text


def test_the_page_names_version_and_languages_nobody_has_reviewed(client: FlaskClient) -> None:
    text = client.get("/about").text
    assert f"Mien {VERSION}" in text
    assert all(name in text for name in languages_without_review())
    assert f"{ACCURACY:.0%}" in text


def test_the_start_page_links_to_it_and_to_no_page_that_is_missing(client: FlaskClient) -> None:
    links = set(re.findall(r'href="(/[^"]*)"', client.get("/").text))
    assert {"/about", "/host", "/r"} <= links
    paths = client.application.url_map.bind("localhost")
    assert [link for link in links if not paths.test(link, "GET")] == []
