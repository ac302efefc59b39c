"""What a participant's page says about light, face, pose and frame rate; static/js/room/readiness.js judges.

Pure. The page measures the light, as it has the camera's frames unpacked, and tells people at once what to
change. The server keeps what a page says in memory, for hosts, and checks that it can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from webapp.errors import BadRequestError

OK, UNKNOWN = "ok", "unknown"

STATES: Mapping[str, tuple[str, ...]] = {
    "face": (OK, UNKNOWN, "none", "several"),
    "light": (OK, UNKNOWN, "dark", "bright", "backlit", "flat"),
    "size": (OK, UNKNOWN, "far", "near"),
    "pose": (OK, UNKNOWN, "turned", "tilted"),
    "rate": (OK, UNKNOWN, "slow"),
}
"""What each check may say, the checks in the order in which people can do something about them."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Each check is `ok`, what is wrong, or `unknown`: see STATES."""

    face: str
    light: str
    size: str
    pose: str
    rate: str

    @classmethod
    def from_wire(cls, data: object) -> Readiness:
        """Read what a page sent.

        Raises:
            BadRequestError: a check is missing, or says what it cannot say.
        """
        given = data if isinstance(data, dict) else {}
        for name, states in STATES.items():
            if given.get(name) not in states:
                got = repr(given.get(name))[:60]
                raise BadRequestError(f"{name} is {got}, but must be one of: {', '.join(states)}.")
        return cls(**{field.name: given[field.name] for field in fields(cls)})

    @property
    def ready(self) -> bool:
        """Whether all checks are `ok`."""
        return set(self.to_wire().values()) == {OK}

    def to_wire(self) -> dict[str, str]:
        """The checks by name."""
        return {name: getattr(self, name) for name in STATES}
