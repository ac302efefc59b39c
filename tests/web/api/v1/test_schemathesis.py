"""The whole documented API under generated requests, authorised and not: no answer outside its description.

The routes come from the server's own document, so what is added to the API is tested here without a change.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.helpers.room_client import TOKEN, ParticipantClient, api, make_room
from tests.helpers.serving import Server
from tests.vision.hostile_images import good_files

Operation = APIOperation[Any, Any, Any, Any]

CASES = int(os.environ.get("API_CASES", "10"))
"""For each operation and each way to authorise; more are for a longer look."""

TIMEOUT_S = 60

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]

FILES = [*good_files().values(), b"", b"no image", b"\xff\xd8\xff" + bytes(1000), b"PK\x03\x04" + bytes(100)]

WHO = {
    "host": {"Authorization": f"Bearer {TOKEN}"},
    "nobody": {"X-Forwarded-For": "198.51.100.7"},
    "wrong key": {"X-Forwarded-For": "198.51.100.8", "Authorization": "Bearer mien_wrong"},
}
"""The headers of each; all but hosts come from other machines."""

PUBLIC = {"GET /api/v1/docs", "GET /api/v1/openapi.json", "GET /api/v1/jobs", "GET /api/v1/clock"}
"""What works without a key; a browser that made no job has none."""

MAX_JOINED = 20
"""Of one room, which has places for 30."""

STREAMS = "text/event-stream"

schemathesis.openapi.format("binary", st.sampled_from(FILES))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_PROXIES="1") as running:
        yield running


@pytest.fixture(scope="module")
def operations(server: Server) -> list[Operation]:
    """What the server's own description lists."""
    document = requests.get(f"{server.url}/api/v1/openapi.json", timeout=TIMEOUT_S).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=server.url)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


class Existing:
    """A room with somebody in it, made anew when a request has deleted it or it is almost full."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._requests = count()
        self._code = ""
        self._joined = 0

    def in_place_of(self, generated: dict[str, Any], operation: Operation) -> dict[str, Any]:
        """The room in place of two generated codes of three; streams get none, as they would not end."""
        if not generated or is_stream(operation) or next(self._requests) % 3 == 0:
            return generated
        real = {"code": self.code()}
        if "participant_id" in generated:
            real["participant_id"] = self._participant()
        return {name: real.get(name, value) for name, value in generated.items()}

    def code(self) -> str:
        """The code of an open room."""
        answer = api(self._server, "GET", f"/rooms/{self._code}") if self._code else None
        if answer is None or answer.json().get("state") != "open" or self._joined >= MAX_JOINED:
            self._code, self._joined = make_room(self._server), 0
        return self._code

    def _participant(self) -> str:
        with ParticipantClient(self._server) as one:
            answer = one.join(self._code)
        assert "participant" in answer, answer
        self._joined += 1
        found: str = answer["participant"]
        return found


def can_succeed(operation: Operation) -> bool:
    """Whether its requests may name what exists."""
    names = {parameter.name for parameter in operation.path_parameters}
    return names <= {"code", "participant_id"} and not is_stream(operation)


def can_be_wrong(operation: Operation) -> bool:
    """Whether a request can be unlike its description: to a path alone, that is open, every text fits."""
    is_open = {} in operation.definition.raw.get("security", [])
    return bool(operation.body or operation.query or (operation.path_parameters and not is_open))


def is_stream(operation: Operation) -> bool:
    return STREAMS in str(operation.definition.raw)


@pytest.fixture(scope="module")
def existing(server: Server) -> Existing:
    return Existing(server)


LIMITS = settings(
    max_examples=CASES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


def statuses_of(
    operation: Operation, mode: GenerationMode, existing: Existing, headers: dict[str, str]
) -> Counter[tuple[str, int]]:
    """Send cases that fit an operation, or that do not, and check the answers; their statuses."""
    found: Counter[tuple[str, int]] = Counter()

    @LIMITS
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        case.path_parameters = existing.in_place_of(case.path_parameters, operation)
        answer = case.call_and_validate(headers=headers, checks=CHECKS, timeout=TIMEOUT_S)
        found[operation.label, answer.status_code] += 1

    check()
    return found


@pytest.mark.parametrize("who", ["host", "nobody", "wrong key"])
def test_requests_that_fit_get_documented_answers_only(
    operations: list[Operation], existing: Existing, who: str
) -> None:
    found: Counter[tuple[str, int]] = Counter()
    for operation in operations:
        found += statuses_of(operation, GenerationMode.POSITIVE, existing, WHO[who])
    assert len({label for label, _ in found}) == len(operations) >= 12
    successful = {label for label, status in found if status < 300}
    if who == "host":
        assert {one.label for one in operations if can_succeed(one)} <= successful, found
    else:
        assert successful <= PUBLIC, found


@pytest.mark.parametrize("who", ["host", "nobody"])
def test_requests_that_do_not_fit_get_documented_answers_only(
    operations: list[Operation], existing: Existing, who: str
) -> None:
    for operation in operations:
        if can_be_wrong(operation):
            statuses_of(operation, GenerationMode.NEGATIVE, existing, WHO[who])


def test_the_server_is_still_up(server: Server) -> None:
    assert requests.get(f"{server.url}/readyz", timeout=TIMEOUT_S).status_code == 200
