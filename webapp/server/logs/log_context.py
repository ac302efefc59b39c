"""What a line of the log belongs to: ids of a request, a Socket.IO connection and a room.

Each green thread, or real one, has its own; a JSON log writes them beside the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType

Context = Mapping[str, str]

NO_CONTEXT: Context = MappingProxyType({})

_context: ContextVar[Context] = ContextVar("log_context", default=NO_CONTEXT)


def log_context() -> Context:
    """The ids of this thread's work."""
    return _context.get()


def set_log_context(**ids: str) -> Token[Context]:
    """Replace the ids of this thread's work; empty ones are left out."""
    return _context.set({name: value for name, value in ids.items() if value})


def reset_log_context(token: Token[Context]) -> None:
    """Go back to the ids from before `set_log_context`."""
    _context.reset(token)
