"""What all requests and responses share, and how a request that does not fit is explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from webapp.errors import BadRequestError

MAX_SHOWN_LENGTH = 60
"""Of a wrong value in an error's text."""

EXPECTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
}
"""What was expected, by pydantic's type of the error."""


class RequestModel(BaseModel):
    """The shape of a request: types are exact, and fields that nobody knows are ignored.

    What values mean is checked where they are used, with errors of their own.
    """

    model_config = ConfigDict(strict=True, frozen=True)


class ResponseModel(BaseModel):
    """The shape of a response."""

    model_config = ConfigDict(frozen=True)


def checked(model: type[BaseModel], given: Mapping[str, Any]) -> BaseModel:
    """A request as its model has it.

    Raises:
        BadRequestError: it does not fit; the message names the first field that does not.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise BadRequestError(_explained(error.errors(include_url=False)[0])) from None


def _explained(error: ErrorDetails) -> str:
    where = ".".join(map(str, error["loc"])) or "The body"
    if error["type"] == "missing":
        return f"{where} is missing."
    if error["type"] == "extra_forbidden":
        return f"{where} is unknown here; leave it out."
    expected = EXPECTED.get(error["type"]) or error.get("ctx", {}).get("expected", "of another kind")
    return f"{where} is {_shown(error['input'])}, but must be {expected}."


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[:MAX_SHOWN_LENGTH]}…"
