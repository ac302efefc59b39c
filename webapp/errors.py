"""Every error that Mien raises on purpose.

    MienError
    ├── SettingsError          a MIEN_ variable has a value that cannot be used
    ├── ModelFileError         a model file is missing, changed or of another shape
    ├── CertificateError       the TLS certificate or its key cannot be used
    └── FrameError             one frame could not be answered; carries a code for the client
        ├── BadFrameError      bad_frame    not a picture, truncated, empty, or a wrong `meta`
        ├── TooLargeError      too_large    more bytes or pixels than the limits allow
        ├── BusyError          busy         over the in-flight limit, or too old to be worth it
        └── UnavailableError   unavailable  no worker could answer

The message of a `FrameError` goes to the browser: it says what was got, what was expected and what to do,
and never names a path, a class or a line of this program.
"""

from __future__ import annotations

from typing import ClassVar


class MienError(Exception):
    """Base of all errors of this project."""


class SettingsError(MienError):
    """A setting from the environment cannot be used."""


class ModelFileError(MienError):
    """A model file is missing, or is not the file that this version expects."""


class CertificateError(MienError):
    """The TLS certificate or its key is missing, unreadable or does not fit."""


class FrameError(MienError):
    """One frame could not be answered; `code` is the problem code of the wire contract."""

    code: ClassVar[str] = "unavailable"


class BadFrameError(FrameError):
    """The bytes are not a whole picture, or the frame's description is wrong."""

    code = "bad_frame"


class TooLargeError(FrameError):
    """The picture has more bytes or pixels than the limits allow."""

    code = "too_large"


class BusyError(FrameError):
    """The frame was given up for a newer one, or waited too long."""

    code = "busy"


class UnavailableError(FrameError):
    """No worker could answer the frame."""

    code = "unavailable"
