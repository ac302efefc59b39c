"""The text that people read before they consent: what a host wrote, in one or several languages. Pure.

It never changes once a room exists, and each consent names the version of the text that was shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from webapp.errors import BadRequestError
from webapp.store.text_checks import check_text

MAX_INFORMATION_LENGTH = 20_000

VERSION_DIGITS = 12

VIDEO_NOTICES: Mapping[str, str] = {
    "en": "During the session the researcher sees the pictures of your camera live. They are not recorded.",
    "de": (
        "Während der Sitzung sehen die Forschenden live die Bilder Ihrer Kamera. "
        "Sie werden nicht aufgezeichnet."
    ),
    "fr": (
        "Pendant la séance, l’équipe de recherche voit en direct les images de votre caméra. "
        "Elles ne sont pas enregistrées."
    ),
    "es": (
        "Durante la sesión, el equipo de investigación ve en directo las imágenes de su cámara. No se graban."
    ),
    "pt": (
        "Durante a sessão, a equipe de pesquisa vê ao vivo as imagens da sua câmera. Elas não são gravadas."
    ),
    "it": (
        "Durante la sessione chi conduce la ricerca vede in diretta le immagini della Sua videocamera. "
        "Non vengono registrate."
    ),
    "pl": (
        "Podczas sesji osoba prowadząca badanie widzi na żywo obraz z Twojej kamery. Nie jest on nagrywany."
    ),
    "tr": (
        "Oturum sırasında araştırmacı kameranızın görüntülerini canlı olarak görür. "
        "Bu görüntüler kaydedilmez."
    ),
    "ar": "أثناء الجلسة يرى الباحث صور الكاميرا الخاصة بك مباشرةً. ولا يتم تسجيلها.",
    "hi": "सत्र के दौरान शोधकर्ता आपके कैमरे की तस्वीरें सीधे देखते हैं। इन्हें रिकॉर्ड नहीं किया जाता।",
    "ja": "セッション中、研究者はあなたのカメラの映像をリアルタイムで見ます。映像は録画されません。",
    "ko": "세션이 진행되는 동안 연구자가 귀하의 카메라 영상을 실시간으로 봅니다. 영상은 녹화되지 않습니다.",
    "zh_Hans": "实验过程中，研究人员会实时看到您摄像头的画面。画面不会被录制。",
}
"""Ends the information of a room with video; nobody is shown who consented to a text without it. It is stored
with each room: a change of one would hide the participants of older rooms."""

LANGUAGES = tuple(VIDEO_NOTICES)
"""The languages in which a text can be given: those of the pages around it, in which a test holds them."""

DEFAULT_LANGUAGE = "en"

PLACEHOLDER = re.compile(r"(?<![\\\]])\[(?P<text>[^\[\]\n]{1,200})\](?![(\[])")
"""Brackets as the example has them for its readers to replace; no link, and none behind a backslash."""

DEFINITION = re.compile(r"^ {0,3}\[(?P<label>[^\[\]\n]+)\]: *<?\w+:", re.MULTILINE)
"""Where Markdown says what the link `[label]` leads to."""


def check_information(name: str, given: object) -> str:
    """The text that a host gave for participants.

    Raises:
        BadRequestError: it is no text, too long or missing, or has a placeholder of the example in it.
    """
    text = check_text(name, given, MAX_INFORMATION_LENGTH)
    placeholder = first_placeholder(text)
    if placeholder is not None:
        raise BadRequestError(
            "%(name)s still has the placeholder [%(placeholder)s]: replace it with your own text, or write "
            "\\[%(placeholder)s] where participants are to read the brackets.",
            name,
            name=name,
            placeholder=placeholder,
        )
    return text


def check_translations(given: object) -> dict[str, str]:
    """The same text in other languages, by their codes.

    Raises:
        BadRequestError: it is no object, a code is unknown, or a text cannot be used.
    """
    if not isinstance(given, Mapping):
        raise BadRequestError("information_translations must be an object of texts by language code.")
    return {
        check_language("information_translations", code): check_information(
            f"information_translations.{code}", text
        )
        for code, text in given.items()
    }


def check_language(name: str, code: object) -> str:
    """The code of a language in which a text can be given.

    Raises:
        BadRequestError: it is none.
    """
    if code not in LANGUAGES:
        raise BadRequestError(
            "%(name)s names the language %(code)s, but must name one of %(languages)s.",
            name=name,
            code=repr(code),
            languages=", ".join(LANGUAGES),
        )
    return str(code)


def first_placeholder(text: str) -> str | None:
    """What stands in the first brackets of a text that are left from the example; None without any.

    Brackets with a number, or with one Latin letter as in a list of tasks, are the host's own.
    """
    defined = {found["label"].casefold() for found in DEFINITION.finditer(text)}
    for found in PLACEHOLDER.finditer(text):
        inside = found["text"].strip()
        if _asks_for_text(inside) and inside.casefold() not in defined:
            return inside
    return None


def _asks_for_text(inside: str) -> bool:
    """Whether brackets have words in them; in Chinese one character can be one."""
    return re.search(r"[^\W\d_]", inside) is not None and (len(inside) > 1 or not inside.isascii())


def with_video_notice(text: str, language: str) -> str:
    """The text of a room with video, which says so at its end."""
    return text if has_video_notice(text) else f"{text}\n\n{VIDEO_NOTICES[language or DEFAULT_LANGUAGE]}"


def without_video_notice(text: str) -> str:
    """A text as its host wrote it, before the notice of a room with video was added to it."""
    for notice in VIDEO_NOTICES.values():
        text = text.removesuffix(f"\n\n{notice}")
    return text


def has_video_notice(text: str) -> bool:
    """Whether a text says that the researcher sees the camera."""
    return any(notice in text for notice in VIDEO_NOTICES.values())


def version_of(text: str) -> str:
    """Names a text that people consent to: the first digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]
