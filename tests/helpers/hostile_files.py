"""Files that are made to break whoever reads them: archives, images and videos that claim what is not so."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from tests.helpers.made_videos import constant_times, write_video

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def zip_of(entries: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def zip_with_link(target: str) -> bytes:
    """A ZIP whose image is a symbolic link."""
    stream = io.BytesIO()
    link = zipfile.ZipInfo("face.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(link, target)
    return stream.getvalue()


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG that claims a size, with the pixels of a small one; `chunks` lie before them."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(4 * (1 + 3 * 4)))
    parts = [png_chunk(b"IHDR", header), *chunks, png_chunk(b"IDAT", pixels), png_chunk(b"IEND", b"")]
    return PNG_SIGNATURE + b"".join(parts)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg_with_two_sizes(seen: int, real: int) -> bytes:
    """A JPEG of `seen` pixels a side to readers who take FF 00 for a segment, of `real` ones to libjpeg."""
    plain = cv2.imencode(".jpg", np.full((16, 16, 3), 128, np.uint8))[1].tobytes()
    start_of_scan = plain.index(b"\xff\xda")
    frame_at = plain.index(b"\xff\xc0")
    sized = [plain[frame_at : frame_at + 5] + struct.pack(">HH", side, side) for side in (seen, real)]
    rest = plain[frame_at + 9 : start_of_scan]
    hidden = plain[2:frame_at] + sized[1] + rest
    visible = plain[2:frame_at] + sized[0] + rest
    return b"\xff\xd8\xff\x00" + struct.pack(">H", 2 + len(hidden)) + hidden + visible + plain[start_of_scan:]


def video_of_frames(folder: Path, frames: int) -> bytes:
    """An MP4 whose tables claim so many frames of one byte each."""
    video = bytearray(write_video(folder / "plain.mp4", constant_times(1), ()).read_bytes())
    sizes = video.index(b"stsz")
    struct.pack_into(">II", video, sizes + 8, 1, frames)
    times = video.index(b"stts")
    struct.pack_into(">III", video, times + 8, 1, frames, 1)
    samples = video.index(b"stsc")
    struct.pack_into(">IIII", video, samples + 8, 1, 1, frames, 1)
    return bytes(video)


def video_of_size(folder: Path, width: int, height: int) -> bytes:
    """An AVI whose header claims raw frames of a size."""
    writer = cv2.VideoWriter(
        str(folder / "plain.avi"), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48)
    )
    for _ in range(5):
        writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.release()
    video = bytearray((folder / "plain.avi").read_bytes())
    main, stream = video.index(b"avih"), video.index(b"strf")
    struct.pack_into("<II", video, main + 8 + 32, width, height)
    struct.pack_into("<iiHHI", video, stream + 8 + 4, width, height, 1, 24, 0)
    video[video.index(b"strh") + 12 : video.index(b"strh") + 16] = b"DIB "
    return bytes(video)
