"""Marks tests by what they use, so that `make check` skips those that need more than Python."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeGuard

import pytest

TESTS = Path(__file__).resolve().parent.parent

USES = {
    "server": {"Server"},
    "redis": {"running_redis"},
    "postgres": {"running_postgres", "database_setting"},
    "slow": {"fit"},  # trains a network
}
"""The names that earn a test each marker."""


def markers_of(item: pytest.Item) -> set[str]:
    """The markers of a test: by its folder, and by what it, its fixtures and their functions refer to."""
    by_folder = {"browser"} if TESTS / "browser" in item.path.parents else set()
    if not isinstance(item, pytest.Function):
        return by_folder
    return by_folder | markers_of_functions([item.function, *_fixtures(item)])


def markers_of_functions(functions: Iterable[Callable[..., Any]]) -> set[str]:
    """The markers that functions earn by the names they refer to."""
    names = set().union(*(names_used(_unwrapped(function)) for function in functions))
    return {marker for marker, helpers in USES.items() if names & helpers}


@functools.cache
def names_used(function: Callable[..., Any]) -> frozenset[str]:
    """The names in a function and in the functions of the tests that it calls, with those of base classes."""
    names: set[str] = set()
    reached: set[Callable[..., Any]] = set()
    pending = [function]
    while pending:
        current = pending.pop()
        if current in reached or not isinstance(current, FunctionType):
            continue
        reached.add(current)
        found = set(_names_in(current.__code__))
        names |= found
        called = [value for value in map(current.__globals__.get, found) if _is_of_tests(value)]
        names |= {base.__name__ for value in called if isinstance(value, type) for base in value.__mro__}
        pending += map(_unwrapped, called)
    return frozenset(names)


def _fixtures(item: pytest.Function) -> list[Callable[..., Any]]:
    """The fixtures of a test, and those that a parameter names for `getfixturevalue`."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    named = {name for name in parameters if isinstance(name, str)}
    definitions = [item.session._fixturemanager.getfixturedefs(name, item) for name in named]
    return [found[-1].func for found in (*item._fixtureinfo.name2fixturedefs.values(), *definitions) if found]


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:  # functions and comprehensions within it
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _is_of_tests(value: object) -> TypeGuard[Callable[..., Any]]:
    return callable(value) and str(getattr(value, "__module__", "")).startswith("tests.")


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function
