"""Texts, plurals and numbers in the language of the page."""

from __future__ import annotations

import re

import pytest

from tests.browser.modules.run import Run


def test_texts_are_english_until_a_language_brings_its_own(run: Run) -> None:
    assert run(
        """
        const { t, tn, addTexts } = js.translate;
        const shown = () => [t("Happy"), t("%(name)s left, 100%%", { name: "Ada" }), t("constructor"),
            tn("%(count)s face", "%(count)s faces", 1), tn("%(count)s face", "%(count)s faces", 1234)];
        const english = shown();
        addTexts({ "Happy": "Freude", "%(name)s left, 100%%": "%(name)s fehlt, 100 %%",
            "%(count)s face": ["%(count)s Gesicht", "%(count)s Gesichter"] }, (n) => Number(n != 1));
        return [english, shown()];
        """
    ) == [
        ["Happy", "Ada left, 100%", "constructor", "1 face", "1,234 faces"],
        ["Freude", "Ada fehlt, 100 %", "constructor", "1 Gesicht", "1,234 Gesichter"],
    ]


def test_what_the_server_refused_is_said_in_the_language_of_the_page(run: Run) -> None:
    assert run(
        """
        js.translate.addTexts({ "This room was deleted.": "Dieser Raum wurde gelöscht." }, Number);
        const problem = { code: "no_such_room", message: "Nothing here." };
        window.fetch = async () => new Response(JSON.stringify({ problem }), { status: 404 });
        const refused = await js.api.request("POST", "/x").catch(({ message, status }) => [message, status]);
        const { problemText } = js.problems;
        return [refused, problemText(problem), problemText({ code: "other", message: "Too late." })];
        """
    ) == [["Dieser Raum wurde gelöscht.", 404], "Dieser Raum wurde gelöscht.", "Too late."]


def test_a_host_is_not_told_to_ask_the_host_of_a_closed_room(run: Run) -> None:
    told = run(
        """
        const problem = { code: "room_closed", message: "It is closed." };
        window.fetch = async () => new Response(JSON.stringify({ problem }), { status: 409 });
        return js.api.request("POST", "/x").catch(({ message }) => message);
        """
    )
    assert "export it" in told and "ask the person" not in told


@pytest.mark.parametrize("language", ["en", "de", "ar", "hi"])
def test_times_have_latin_digits_in_every_language_and_a_day_where_it_is_asked_for(
    run: Run, language: str
) -> None:
    plain, precise = run(
        f"""
        document.documentElement.lang = "{language}";
        const {{ formatTime }} = await import("/static/js/shared/translate.js?{language}");
        const at = new Date(2026, 0, 25, 10, 4, 5, 67);
        return [formatTime(at), formatTime(at, {{ milliseconds: true, withDay: true }})];
        """
    )
    assert re.findall("[0-9]+", plain) == ["10", "04", "05"]
    assert {"25", "10", "04", "05", "067"} <= set(re.findall("[0-9]+", precise))


def test_a_text_of_the_server_in_the_language_of_the_page_says_more_than_a_general_one(run: Run) -> None:
    assert run(
        """
        const problem = { code: "bad_request", message: "`name` is missing." };
        const { problemText } = js.problems;
        return [problemText({ ...problem, text: "Der Name fehlt." }), problemText(problem)];
        """
    ) == ["Der Name fehlt.", "The server did not accept what this page sent. Load the page again."]


def test_numbers_take_as_many_forms_as_the_language_has(run: Run) -> None:
    assert run(
        """
        const { tn, addTexts } = js.translate;
        const rule = (n) => Number(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);
        addTexts({ "One face": ["Jedna twarz", "%(count)s twarze", "%(count)s twarzy"] }, rule);
        return [1, 2, 5, 12, 22].map((count) => tn("One face", "%(count)s faces", count));
        """
    ) == ["Jedna twarz", "2 twarze", "5 twarzy", "12 twarzy", "22 twarze"]


def test_a_value_is_put_into_a_text_once(run: Run) -> None:
    assert run('return js.translate.t("%(a)s and %(b)s", { a: "%(b)s", b: "$&" });') == "%(b)s and $&"
    assert run('return js.translate.t("%(a)s and %(b)s", { a: 1.5 });') == "1.5 and %(b)s"


def test_numbers_have_the_separators_of_the_language(run: Run) -> None:
    assert run(
        """
        const { formatNumber, formatPercent } = js.translate;
        return [formatNumber(1234.56), formatNumber(0.25, 1), formatPercent(0.926)];
        """
    ) == ["1,235", "0.3", "93%"]
