"""Every error that Mien raises on purpose.

    MienError
    ├── SettingsError          a MIEN_ variable has a value that cannot be used
    ├── ModelFileError         a model file is missing, changed or of another shape
    ├── CertificateError       the TLS certificate or its key cannot be used
    ├── ListenerError          no more connections can be accepted
    ├── StoreError             the database, or the process that runs it, failed or is missing
    │   └── LeaseOverError       a change of a room came too late for its node's lease; nothing was done
    ├── FileError              a file cannot be analyzed or written; the message names it, a code the reason
    ├── JobRemovedError        a job's owner removed it while it ran; not an error for anybody
    ├── JobError               a job cannot be made or found; carries a code for the client
    │   ├── NoSuchJobError       no_such_job    nobody has it, or somebody else
    │   ├── JobNotReadyError     not_ready      it has no such result (yet)
    │   ├── BadUploadError       bad_request    what was sent cannot be a job
    │   ├── UploadTooLargeError  too_large      more bytes than the limit
    │   ├── TooManyJobsError     too_many_jobs  its owner, or the server, has as many as it may
    │   └── NoSpaceError         no_space       the disk, or what jobs may take of it, is full
    ├── BackupError            a backup cannot be made or restored
    ├── ClusterError           a cluster on this machine cannot start; the message says what to do
    ├── ResumeError            a run over files cannot go on where an earlier one stopped
    ├── ChildGoneError         a child process ended before it replied; callers translate it
    ├── LinkError              a child process violated the protocol of its socket
    ├── FrameError             one frame could not be answered; carries a code for the client
    │   ├── BadFrameError      bad_frame    not an image, truncated, empty, or a wrong `meta`
    │   ├── TooLargeError      too_large    more bytes or pixels than the limits allow
    │   ├── BusyError          busy         over the limit of frames in flight, or too old
    │   ├── UnavailableError   unavailable  no worker could answer
    │   └── NotJoinedError     not_joined   sent to a room by someone who is not in it
    └── RoomError              a request to a room cannot be fulfilled; carries a code for the client
        ├── BadRequestError          bad_request        a field is missing or wrong
        ├── ConsentRequiredError     consent_required   nobody joins without consent
        ├── NoSuchRoomError          no_such_room       no room has this code
        ├── NoSuchParticipantError   no_such_participant
        ├── NoSuchMarkerError        no_such_marker
        ├── UnauthorizedError        unauthorized       a key is needed, or the one that was sent is wrong
        ├── ForbiddenError           forbidden          the credentials do not permit this
        ├── RoomClosedError          room_closed        its host closed it
        ├── RoomFullError            room_full          it has reached its limit of participants
        ├── CannotResumeError        cannot_resume      the participant of this secret was removed or deleted
        ├── NotHereError             not_here           another node serves the room; a FrameError too
        ├── TooManyAttemptsError     too_many_attempts  codes, passwords or joins arrive too fast
        └── ExportsBusyError         busy               the limit of concurrent exports is reached

The message of a `FrameError`, a `JobError` or a `RoomError` is sent to the browser: it says what was
received, what was expected and what to do, and never names a path, a class or a line of this program.

`StopRequestedError` of the command line is no error, and none of them: like Python's KeyboardInterrupt, it
ends a run on Ctrl-C.
"""

from __future__ import annotations

from typing import ClassVar, Literal

FailureCode = Literal[
    "unknown",
    "unreadable",
    "empty",
    "no_memory",
    "no_copy",
    # images
    "bad_frame",
    "too_large",
    "unsupported_image",
    # videos
    "bad_video",
    "damaged_video",
    "truncated_video",
    "long_video",
    "large_video",
    # ZIP archives of images
    "bad_zip",
    "misnamed_zip",
    "refused_zip",
    "encrypted_zip",
    "long_zip",
    "expanding_zip",
    "zip_without_images",
    "damaged_entry",
    "no_image_analyzed",
    # the server
    "no_space",
    "not_written",
    "process_ended",
    "no_progress",
    "unavailable",
    "server_error",
]
"""Why a file could not be analyzed or written; docs/jobs.md explains each, and pages have a text for each."""


class MienError(Exception):
    """Base of all errors of this project."""


class SettingsError(MienError):
    """A setting from the environment cannot be used."""


class ModelFileError(MienError):
    """A model file is missing, or is not the file that this version expects."""


class CertificateError(MienError):
    """The TLS certificate or its key is missing, unreadable or does not fit."""


class ListenerError(MienError):
    """The listening socket failed; a server that nobody can reach must end."""


class FrameError(MienError):
    """One frame could not be answered; `code` is the problem code of the wire contract."""

    code: ClassVar[str] = "unavailable"


class BadFrameError(FrameError):
    """The bytes are not a complete image, or the frame's `meta` is wrong."""

    code = "bad_frame"


class TooLargeError(FrameError):
    """The image has more bytes or pixels than the limits allow."""

    code = "too_large"


class BusyError(FrameError):
    """The frame was dropped for a newer one, or waited too long."""

    code = "busy"


class UnavailableError(FrameError):
    """No worker could answer the frame."""

    code = "unavailable"


class NotJoinedError(FrameError):
    """The frame was sent to a room by someone who is not in it."""

    code = "not_joined"


class StoreError(MienError):
    """The database failed, or cannot be reached."""


class LeaseOverError(StoreError):
    """The lease of a node was over before a change of a room was committed; it was not."""


class FileError(MienError):
    """A file cannot be analyzed or written: damaged, over the limits, of another kind, or out of reach.

    `code` names the reason and `values` are its numbers, so that pages can say it in their language.
    """

    def __init__(self, message: str, code: FailureCode = "unreadable", **values: float) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


class JobRemovedError(MienError):
    """The job was removed by its owner; whoever works on it stops."""


class JobError(MienError):
    """A job cannot be made or found; `code` is the problem code for the client."""

    code: ClassVar[str] = "bad_request"


class NoSuchJobError(JobError):
    """Nobody has this job, or somebody else: nobody learns which."""

    code = "no_such_job"


class JobNotReadyError(JobError):
    """The job has no such result, or none yet."""

    code = "not_ready"


class BadUploadError(JobError):
    """What was sent is no file that can be analyzed, or a field beside it is wrong.

    `reason` says what is wrong with the file, as the codes of a `FileError` do.
    """

    code = "bad_request"

    def __init__(self, message: str, reason: FailureCode | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class UploadTooLargeError(JobError):
    """The file has more bytes than the limit."""

    code = "too_large"


class TooManyJobsError(JobError):
    """The owner, or the server, has as many jobs as it may."""

    code = "too_many_jobs"


class NoSpaceError(JobError):
    """The disk is full, or the part of it that jobs may take."""

    code = "no_space"


class BackupError(MienError):
    """A backup cannot be made, or an archive cannot be restored."""


class ClusterError(MienError):
    """A cluster on this machine cannot start: a program or a port is missing, or a process failed."""


class ResumeError(MienError):
    """A run over files cannot go on where an earlier one stopped: something is missing or not the same."""


class ChildGoneError(MienError):
    """A child process ended before it replied, or is not running."""


class LinkError(MienError):
    """What a child process sent violates the protocol between the two ends."""


class RoomError(MienError):
    """A request to a room cannot be fulfilled; `code` is the problem code of the wire contract.

    `str(error)` is English, for programs. Pages translate `message` and put `values` into it afterwards:
    `RoomFullError("This room is full: it takes %(count)s people.", count=8)`.
    """

    code: ClassVar[str] = "bad_request"

    def __init__(self, message: str, **values: str | int) -> None:
        super().__init__(
            message % {name: _in_english(value) for name, value in values.items()} if values else message
        )
        self.message = message
        self.values = values


def _in_english(value: str | int) -> str:
    return value if isinstance(value, str) else f"{value:,}"


class BadRequestError(RoomError):
    """A field of the request is missing or wrong; `field` is its name where a form has one to mark."""

    def __init__(self, message: str, field: str = "", **values: str | int) -> None:
        super().__init__(message, **values)
        self.field = field


class ConsentRequiredError(RoomError):
    """Nobody joins a room without consent."""

    code = "consent_required"


class NoSuchRoomError(RoomError):
    """No room has this code."""

    code = "no_such_room"


class NoSuchParticipantError(RoomError):
    """The room has no participant with this id."""

    code = "no_such_participant"


class NoSuchMarkerError(RoomError):
    """The room has no marker with this id."""

    code = "no_such_marker"


class UnauthorizedError(RoomError):
    """A key is needed, or the one that was sent is wrong."""

    code = "unauthorized"


class ForbiddenError(RoomError):
    """The credentials are valid, but do not permit this."""

    code = "forbidden"


class RoomClosedError(RoomError):
    """The room's host closed it."""

    code = "room_closed"


class RoomFullError(RoomError):
    """The room has as many participants as its settings allow."""

    code = "room_full"


class CannotResumeError(RoomError):
    """Nobody can resume with this secret: its participant was removed or deleted."""

    code = "cannot_resume"


class TooManyAttemptsError(RoomError):
    """Codes or passwords are tried, or people join, too fast."""

    code = "too_many_attempts"


class NotHereError(RoomError, FrameError):
    """Another node serves this room, or none does at the moment; whoever tries again reaches it.

    `holder` is the name of the node that has it, where that is known.
    """

    code = "not_here"

    def __init__(self, holder: str = "") -> None:
        super().__init__("Another node serves this room now; send the same again at once.")
        self.holder = holder


class ExportsBusyError(RoomError):
    """The limit of concurrent exports is reached."""

    code = "busy"
