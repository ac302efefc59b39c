"""Keeps what C libraries print out of the log.

They write to standard error by themselves, past Python's logging and its limits: libpng a line for each
damaged chunk, so that an image of 2 MB made 4.5 MB of log.
"""

from __future__ import annotations

import faulthandler
import os
import sys

STANDARD_ERROR = 2


def drop_native_output() -> None:
    """From now on only Python writes to this process's standard error; a crash says there where it happened.

    To be called before logging begins.
    """
    ours = os.fdopen(os.dup(STANDARD_ERROR), "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STANDARD_ERROR)
    os.close(nowhere)
    sys.stderr = ours
    faulthandler.enable(ours)
