"""Reads a ZIP of images that anyone may have made. Nothing that it claims is believed.

Its names are shown, but never used on our disk; sizes are counted while they are unpacked; archives within it
are no images. Memory and time are bounded by the limits below.
"""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from types import TracebackType

from webapp.config import Settings
from webapp.errors import FailureCode, FileError
from webapp.export.file_rows import printable

MAX_ENTRIES = 5000
MAX_DIRECTORY_BYTES = 4_000_000
"""The list of the entries: names have some 100 bytes."""

MAX_RATIO = 20
"""How much larger than the archive its images may be, all together; JPEG, PNG and WebP hardly shrink."""

FREE_OF_RATIO_BYTES = 50_000_000

CHUNK_BYTES = 1 << 20

END = struct.Struct("<4s4H2LH")
END_SIGNATURE = b"PK\x05\x06"
END64_LOCATOR = b"PK\x06\x07"
END64_LOCATOR_BYTES = 20
MAX_COMMENT_BYTES = 0xFFFF

ENCRYPTED = 0x1
IGNORED_NAMES = frozenset({"Thumbs.db", "desktop.ini"})

ZipError = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(NotImplementedError, RuntimeError, EOFError, OSError, ValueError),
)
"""What `zipfile` raises for archives that are damaged, encrypted or of a kind that it does not know."""


class ImageArchive(AbstractContextManager["ImageArchive"]):
    """An open archive, whose `entries` are to be analyzed; one thread uses it.

    Raises:
        FileError: it is refused; the message names it.
    """

    def __init__(self, path: Path, name: str, settings: Settings) -> None:
        self._name = name
        self._max_bytes = 1_000_000 * settings.max_file_mb
        self._left = max(FREE_OF_RATIO_BYTES, MAX_RATIO * path.stat().st_size)
        _check_directory(path, name)
        try:
            self._archive = zipfile.ZipFile(path)
        except ZipError as error:
            raise FileError(
                f"{name}: the ZIP archive is damaged ({error}); make it again, and send it whole.", "bad_zip"
            ) from error
        try:
            self.entries = self._checked_entries()
        except BaseException:
            self._archive.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()

    def extract(self, entry: zipfile.ZipInfo, target: Path) -> None:
        """Unpack an entry to a file of our own name.

        Raises:
            FileError: it is damaged or too large; nothing is left of it. If the whole archive is too
                large, all that follow are.
        """
        try:
            self._count(entry, 0, 0)
            with self._archive.open(entry) as source, target.open("wb") as file:
                size = 0
                while chunk := source.read(CHUNK_BYTES):
                    size += len(chunk)
                    self._count(entry, size, len(chunk))
                    file.write(chunk)
        except (*ZipError, FileError) as error:
            target.unlink(missing_ok=True)
            if isinstance(error, FileError):
                raise
            raise FileError(f"{entry.filename}: it cannot be unpacked ({error}).", "damaged_entry") from error

    def _count(self, entry: zipfile.ZipInfo, size: int, added: int) -> None:
        self._left -= added
        if self._left < 0:
            raise FileError(
                f"{entry.filename}: the archive unpacks to more than {MAX_RATIO} times its size; images do "
                "not. Send the images themselves.",
                "expanding_zip",
            )
        if size > self._max_bytes:
            raise FileError(
                f"{entry.filename}: the image has more than {self._max_bytes:,} bytes (MIEN_MAX_FILE_MB). "
                "Send a smaller one.",
                "too_large",
            )

    def _checked_entries(self) -> list[zipfile.ZipInfo]:
        """The images by name; folders and what systems add to archives are left out."""
        listed = self._archive.infolist()
        for entry in listed:
            entry.filename = printable(entry.filename)
            self._check_entry(entry)
        images = [entry for entry in listed if not _is_ignored(entry.filename) and not entry.is_dir()]
        if len(images) > MAX_ENTRIES:
            raise self._refused(
                f"it has {len(images):,} images; at most {MAX_ENTRIES:,} are taken",
                "long_zip",
                most=MAX_ENTRIES,
            )
        if not images:
            raise self._refused("there are no images in it", "zip_without_images")
        return images

    def _check_entry(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or name[1:2] == ":":
            raise self._refused(f"its entry {name!r} would lie outside of it")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self._refused(f"its entry {name!r} is a link or a device")
        if entry.flag_bits & ENCRYPTED:
            raise self._refused(f"its entry {name!r} is encrypted", "encrypted_zip")

    def _refused(self, reason: str, code: FailureCode = "refused_zip", **values: float) -> FileError:
        text = f"{self._name}: the ZIP archive is not taken: {reason}. Send a plain ZIP of images."
        return FileError(text, code, **values)


def _is_ignored(name: str) -> bool:
    parts = PurePosixPath(name).parts
    if not parts:  # the folder itself, or no name at all
        return True
    return "__MACOSX" in parts or any(part.startswith(".") for part in parts) or parts[-1] in IGNORED_NAMES


def _check_directory(path: Path, name: str) -> None:
    """Refuse a list of entries that would take more memory than it may, before `zipfile` reads it all.

    `zipfile` takes the same end: the one at the end of the file without a comment, or else the last one.

    Raises:
        FileError: the list is too long.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - MAX_COMMENT_BYTES - END.size - END64_LOCATOR_BYTES))
        tail = file.read()
    at = len(tail) - END.size
    if at < 0 or tail[at : at + 4] != END_SIGNATURE or tail[-2:] != b"\0\0":
        at = tail.rfind(END_SIGNATURE)
    if at < 0 or at + END.size > len(tail):
        raise FileError(
            f"{name}: the ZIP archive is truncated: its end is missing. Send it whole.", "bad_zip"
        )
    directory_bytes = END.unpack_from(tail, at)[5]
    locator = tail[max(0, at - END64_LOCATOR_BYTES) : at]
    if directory_bytes > MAX_DIRECTORY_BYTES or locator.startswith(END64_LOCATOR):
        raise FileError(
            f"{name}: the ZIP archive has too many entries, or is of the kind for more than 4 GB; at most "
            f"{MAX_ENTRIES:,} images are taken. Split it.",
            "long_zip",
            most=MAX_ENTRIES,
        )
