"""`make audit` tells apart what is known to be well from what could not be asked."""

from __future__ import annotations

import json

import pytest

from tests.helpers.audit import Audit, npm_audit, python_audit, status_of

GOOD = {"name": "flask", "version": "3.1.2", "vulns": []}
BAD = {"name": "jinja2", "version": "3.0.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"]}]}
SKIPPED = {"name": "absl-py", "skip_reason": "Dependency not found on PyPI"}


def of_python(*found: object) -> Audit:
    return python_audit(json.dumps({"dependencies": found, "fixes": []}))


def test_a_vulnerable_package_is_named_with_the_version_that_mends_it() -> None:
    audit = of_python(GOOD, BAD)
    assert (audit.checked, audit.vulnerabilities) == (2, ("jinja2 3.0.0: PYSEC-1, fixed in 3.1.6",))
    assert status_of([audit]) == 1


def test_packages_that_nothing_is_known_of_are_not_taken_for_safe() -> None:
    audit = of_python(GOOD, SKIPPED)
    assert (audit.checked, status_of([audit])) == (1, 2)
    assert "absl-py" in str(audit)
    assert status_of([of_python(GOOD)]) == 0


@pytest.mark.parametrize("output", ["", "ConnectionError: no route to host", "[1]", "{"])
def test_an_audit_that_could_not_ask_is_no_clean_one(output: str) -> None:
    assert status_of([python_audit(output)]) == 2
    assert status_of([npm_audit(output)]) == 2


def test_npm_says_how_many_it_checked_or_why_it_could_not() -> None:
    clean = npm_audit(json.dumps({"vulnerabilities": {}, "metadata": {"dependencies": {"total": 12}}}))
    assert (clean.checked, status_of([clean])) == (12, 0)
    bad = {"ws": {"severity": "high", "range": "<8.17.1"}}
    found = npm_audit(json.dumps({"vulnerabilities": bad, "metadata": {"dependencies": {"total": 12}}}))
    assert found.vulnerabilities == ("ws: high, <8.17.1",)
    refused = npm_audit(json.dumps({"message": "405 Method Not Allowed", "error": {}}))
    assert "405" in refused.unchecked and status_of([clean, refused]) == 2
