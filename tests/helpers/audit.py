"""Asks for known vulnerabilities of every pinned dependency: `make audit`.

Python's packages by pip-audit, those of npm by `npm audit`. Exit status: 0 if none is known, 1 if some are,
2 if the network does not allow to ask about all packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.helpers.serving import PROJECT_ROOT

TIMEOUT_S = 600
PIP_AUDIT = (
    *(sys.executable, "-m", "pip_audit", "--requirement", "constraints.txt", "--no-deps", "--disable-pip"),
    *("--format", "json", "--progress-spinner", "off"),
)
NPM_AUDIT = ("npm", "audit", "--json")


@dataclass(frozen=True, slots=True)
class Audit:
    """What is known of one list of packages: a line for each vulnerability, and why some were not checked."""

    name: str
    checked: int = 0
    vulnerabilities: tuple[str, ...] = ()
    unchecked: str = ""

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.checked} packages checked, {len(self.vulnerabilities)} vulnerabilities"]
        lines += [f"  {line}" for line in self.vulnerabilities]
        if self.unchecked:
            lines.append(f"  Not checked: {self.unchecked}")
        return "\n".join(lines)


def python_audit(output: str) -> Audit:
    """What pip-audit's JSON says; no JSON means that it could not ask."""
    found = _json_in(output).get("dependencies")
    if found is None:
        return Audit("Python", unchecked=f"pip-audit could not ask. {_last_line(output)}")
    skipped = [one["name"] for one in found if "skip_reason" in one]
    known = tuple(
        f"{one['name']} {one['version']}: {problem['id']}, fixed in {', '.join(problem['fix_versions'])}"
        for one in found
        for problem in one.get("vulns", ())
    )
    reason = f"{len(skipped)} packages without data, such as {skipped[0]}" if skipped else ""
    return Audit("Python", len(found) - len(skipped), known, reason)


def npm_audit(output: str) -> Audit:
    """What npm's JSON says; an answer without a count means that it could not ask."""
    answer = _json_in(output)
    if "metadata" not in answer:
        return Audit("npm", unchecked=f"npm could not ask. {answer.get('message') or _last_line(output)}")
    known = tuple(
        f"{name}: {one['severity']}, {one['range']}" for name, one in answer["vulnerabilities"].items()
    )
    return Audit("npm", answer["metadata"]["dependencies"]["total"], known)


def status_of(audits: list[Audit]) -> int:
    """The exit status for what was found."""
    if any(audit.vulnerabilities for audit in audits):
        return 1
    return 2 if any(audit.unchecked for audit in audits) else 0


def main() -> int:
    """Run both, and print what they found."""
    audits = [python_audit(_output(PIP_AUDIT)), npm_audit(_output(NPM_AUDIT))]
    print(*audits, sep="\n")
    status = status_of(audits)
    if status == 2:
        print(
            "The network does not allow to check everything: repeat this where PyPI and npm can be reached."
        )
    return status


def _output(command: tuple[str, ...]) -> str:
    try:
        run = subprocess.run(
            command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return run.stdout if "{" in run.stdout else run.stderr


def _json_in(output: str) -> dict[str, Any]:
    try:
        found = json.loads(output[output.index("{") :])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _last_line(output: str) -> str:
    return (output.strip().splitlines() or [""])[-1][:200]


if __name__ == "__main__":
    sys.exit(main())
