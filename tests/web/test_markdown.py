"""The text that a host writes for participants, as it is shown to them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.config import PROJECT_ROOT
from webapp.web.markdown import render_information

SIMPLE = {
    *("p", "br", "hr", "strong", "em", "h2", "h3", "h4"),
    *("ul", "ol", "li", "blockquote", "code", "pre", "a"),
}

LINKS = {"a href rel target", "a rel target"}
"""A link, and one whose address was not allowed."""

SHIPPED: Path = PROJECT_ROOT / "templates" / "dashboard" / "information.html"


def tags_of(html: str) -> list[str]:
    """Each tag as a browser reads it, with the names of its attributes."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(" ".join([tag, *sorted(name for name, _ in attrs)]))
            assert not any(name == "href" and unsafe(value or "") for name, value in attrs)

    Reader().feed(html)
    return found


def unsafe(address: str) -> bool:
    return urlsplit(address).scheme not in ("http", "https", "mailto", "tel", "")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Read **this** *well*.", "<p>Read <strong>this</strong> <em>well</em>.</p>\n"),
        ("One\nTwo\n\nThree", "<p>One<br>\nTwo</p>\n<p>Three</p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. c\n4. d", '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>\n'),
        ("# A\n## B\n### C\n###### D", "<h2>A</h2>\n<h3>B</h3>\n<h4>C</h4>\n<h4>D</h4>\n"),
        ("    indented", "<p>indented</p>\n"),
    ],
)
def test_simple_formatting_is_shown(text: str, html: str) -> None:
    assert render_information(text) == html


def test_links_open_beside_the_page_and_tell_nobody_where_from() -> None:
    html = render_information("[our site](https://example.org/a?b=1&c=2), [mail](mailto:a@example.org)")
    assert (
        '<a href="https://example.org/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">our site</a>'
    ) in html
    assert 'href="mailto:a@example.org"' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://example.org/pixel.png)",
        "<svg/onload=alert(1)>",
        '<https://example.org/" onmouseover="alert(1)>',
        "[x](https://example.org 'a\" onclick=\"alert(1)')",
    ],
)
def test_nothing_in_a_text_runs_or_loads(text: str) -> None:
    assert set(tags_of(render_information(text))) <= {"p", "br"} | LINKS


@settings(max_examples=200)
@given(st.text(alphabet="<>\"'=&/ ab[]()!*_#`\\\n-1.:;javscriptdt", max_size=80))
def test_a_text_yields_no_tag_beside_the_simple_ones(text: str) -> None:
    assert {tag.split(" ")[0] for tag in tags_of(render_information(text))} <= SIMPLE


def test_plain_text_of_older_rooms_keeps_its_paragraphs() -> None:
    text = SHIPPED.read_text()
    html = render_information(text)
    assert html.count("<p>") == len(text.strip().split("\n\n"))
    assert "[task]" in html
