"""Renders what hosts write for participants: Markdown, without HTML of their own and without images.

What a host writes is shown to other people, so it is sanitised whatever the renderer let through.
"""

from __future__ import annotations

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

HEADINGS = {"h1": "h2", "h2": "h3"}
"""The page itself has the first heading, so those of a text begin one level below it."""

LOWEST_HEADING = "h4"

TAGS = {"p", "br", "strong", "em", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "hr", "code", "pre", "a"}

URL_SCHEMES = {"http", "https", "mailto", "tel"}

CACHED_TEXTS = 64
"""Rooms in use at once. Plain text takes under a millisecond, 20,000 brackets a third of a second."""


def _lower_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = HEADINGS.get(token.tag, LOWEST_HEADING)


def _renderer() -> MarkdownIt:
    """CommonMark in which a line break stays one, as in texts from before there was formatting.

    Indented lines are no code, and addresses of images stay text: a page loads nothing from elsewhere.
    """
    renderer = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(["code", "image"])
    renderer.core.ruler.push("lower_headings", _lower_headings)
    return renderer


RENDERER = _renderer()


@lru_cache(maxsize=CACHED_TEXTS)
def render_information(text: str) -> Markup:
    """The information of a room as HTML: paragraphs, emphasis, headings, lists, quotes and links.

    Links open beside the page, so that nobody loses a session or a form to them.
    """
    html = nh3.clean(
        RENDERER.render(text),
        tags=TAGS,
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        url_schemes=URL_SCHEMES,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="noopener noreferrer",
    )
    return Markup(html)  # noqa: S704 - sanitised just above
