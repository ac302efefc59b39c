"""Nothing that people read is written into a template or a module past the catalogues."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.jslexer import tokenize
from jinja2 import Environment

ROOT = Path(__file__).parents[2]

TEMPLATES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "templates").rglob("*.html"))
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "static" / "js").rglob("*.js"))

IN_ENGLISH = {
    "templates/export/head.html",
    "templates/export/report.html",
    "templates/export/file_report.html",
    "templates/export/what_it_means.html",
    "templates/api/docs.html",
}
"""What leaves the server in a file for researchers, in English as the file's columns are, and what
documents the API, which speaks English."""

FOR_EXPERIMENTS = "static/js/embed/"
"""Tells pages that embed a room of errors in English, as the API does, and has texts to be replaced."""

READ_ATTRIBUTES = {"alt", "aria-label", "aria-description", "placeholder", "title"}

SAME_IN_EVERY_LANGUAGE = re.compile(r"Mien|https?://|\bis-\w+")
"""Names, and the classes of style sheets that a template gives to the one that it extends."""

ATTRIBUTES = re.compile(r'[a-z-]+="[^"]*"|\bautofocus\b')
"""What macros write into a tag that another template opens."""

EXPRESSION = "\ufffc"
"""Stands for what a template computes: a translation, or a value."""


class ReadTexts(HTMLParser):
    """Collects what people read or hear in a piece of HTML, with its line."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script")
        values = dict(attrs)
        read = [value for name, value in attrs if name in READ_ATTRIBUTES]
        if tag == "meta" and values.get("name") == "description":
            read.append(values.get("content"))
        for value in read:
            self.handle_data(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        text = ATTRIBUTES.sub("", SAME_IN_EVERY_LANGUAGE.sub("", data))
        if not self._hidden and re.search(r"[^\W\d_]", text):
            self.texts.append(f"{self.getpos()[0]}: {' '.join(data.split())}")


def literals_of_template(source: str) -> list[str]:
    """What a template shows that went through neither `_()` nor `{% trans %}`."""
    parser = ReadTexts()
    parser.feed("".join(_outside_translations(source)))
    return parser.texts


def _outside_translations(source: str) -> Iterator[str]:
    """The text of a template, with a sign in place of every expression and every translation."""
    translated = False
    tokens = [token for token in Environment().lex(source) if token[1] != "whitespace"]  # noqa: S701 - only read
    for (_, kind, text), (_, _, following) in zip(tokens, [*tokens[1:], (0, "", "")], strict=True):
        if kind == "block_begin" and following in ("trans", "endtrans"):
            translated = following == "trans"
        if kind == "data" and not translated:
            yield text
        elif kind == "variable_begin":
            yield EXPRESSION
        elif "\n" in text:
            yield "\n" * text.count("\n")


PROSE = re.compile(r"(?:^|\s)[A-Z][a-z]+\b|[^\W\d_]{2}[.!?…]$")
"""Words with a capital, or the end of a sentence: what names of classes, events and files do not have."""

NAMES = r"\b(?:Escape|Enter|Tab|Home|End|Arrow(?:Up|Down|Left|Right)|Content-Type|Segoe UI|Roboto|Arial)\b"
"""Of keys, headers and fonts."""

NOT_SHOWN = re.compile(r"t|tn|super|\w*Error|console\.\w+")
"""Calls whose texts are translated, or are for programmers."""


def literals_of_module(source: str) -> list[str]:
    """The literals of a module that read like prose and that nothing translates."""
    tokens = [
        token for token in tokenize(source, jsx=False) if token.type not in ("linebreak", "multilinecomment")
    ]
    calls: list[str] = []
    found = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.value == "(":
            calls.append(before.value if before else "")
        elif token.value == ")":
            calls.pop()
        elif token.type in ("string", "template_string"):
            text = re.sub(r"\$\{[^}]*\}|" + NAMES, "", token.value[1:-1])
            if PROSE.search(text) and not any(NOT_SHOWN.fullmatch(name) for name in calls):
                found.append(f"{token.lineno}: {token.value}")
    return found


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path not in IN_ENGLISH])
def test_a_template_has_no_text_of_its_own(path: str) -> None:
    assert literals_of_template((ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [path for path in MODULES if not path.startswith(FOR_EXPERIMENTS)])
def test_a_module_shows_no_text_of_its_own(path: str) -> None:
    assert literals_of_module((ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", TEMPLATES)
def test_a_page_with_a_module_brings_the_texts_of_its_language_first(path: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    pages = source.find("filename='js/pages/")
    assert pages == -1 or -1 < source.find('{% include "shared/texts.html" %}') < pages


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("<p>Hello</p>", ["1: Hello"]),
        ('<p>{{ _("Hello") }}</p>', []),
        ("<p>{% trans %}Hello <b>you</b>{% endtrans %} there</p>", ["1: there"]),
        ("{% trans n=1 %}a face{% pluralize %}{{ n }} faces{% endtrans %}", []),
        ("{% if x == 'word' %}\n<img alt=\"A face\">{% endif %}", ["2: A face"]),
        ('<img alt="{{ _(\'A face\') }}" src="/some/file.png">', []),
        ('<meta name="description" content="About"><meta name="viewport" content="width=1">', ["1: About"]),
        ("<style>p { color: red }</style><script>word()</script>", []),
        ("<title>{{ room }} – Mien</title>", []),
        ("{# a comment #}<p>{{ 3 }} %</p>", []),
    ],
)
def test_what_a_template_shows_untranslated_is_found(source: str, texts: list[str]) -> None:
    assert literals_of_template(source) == texts


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('write(line, "Hello");', 1),
        ('write(line, t("Hello"));', 0),
        ('tn("A face", "Many faces", faces.length)', 0),
        ("write(line, on ? `No face` : other);", 1),
        ("write(line, `${name} has left.`);", 1),
        ("write(line, `${name} ${percent(share)}`);", 0),
        ('create("li", "line is-last");', 0),
        ('const names = { left: "Left", right: t("Right") };', 1),
        ('if (key === "Escape") close();', 0),
        ('throw new CameraError("No camera.");', 0),
        ('console.warn("No camera.", error);', 0),
        ("context.font = `600 ${unit}px system-ui`;", 0),
    ],
)
def test_what_a_module_shows_untranslated_is_found(source: str, count: int) -> None:
    assert len(literals_of_module(source)) == count
