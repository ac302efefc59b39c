"""Times as programs write and read them: ISO 8601, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from webapp.errors import BadRequestError


def parse_time(given: object) -> float | None:
    """Milliseconds since 1970 of a time in ISO 8601; one without a zone is UTC; None is now.

    Raises:
        BadRequestError: it is not such a time.
    """
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError:
        raise BadRequestError(f"time is {given!r}, expected ISO 8601: 2026-05-04T10:11:12.345Z.") from None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return 1000 * zoned.timestamp()


def iso_time(at_ms: float | None) -> str:
    """A time, or now, as `2026-05-04T10:11:12.345Z`."""
    moment = datetime.now(UTC) if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
