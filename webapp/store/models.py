"""The tables. Times are milliseconds since 1970, UTC; vectors of seven are in the order of `LABELS`.

No table has a column for an image. `migrations` makes the tables and changes them; a test holds the two
together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from webapp.protocol import LABELS

BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only columns of the type INTEGER."""


class Base(DeclarativeBase):
    """All tables; the names of constraints are those of the migrations."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Host(Base):
    """A researcher's account; sessions carry `stamp`, and end when it changes. No number is given twice."""

    __tablename__ = "host"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    created_ms: Mapped[float] = mapped_column(Float(53))
    stamp: Mapped[str] = mapped_column(String(64))


class ApiKey(Base):
    """A host's key for programs; `secret_hash` is SHA-256, as the secret is long and random."""

    __tablename__ = "api_key"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_ms: Mapped[float] = mapped_column(Float(53))
    scopes: Mapped[list[str]] = mapped_column(JSON)


class Room(Base):
    """A room; its text never changes, so that a consent stays a consent to this text."""

    __tablename__ = "room"

    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    information: Mapped[str] = mapped_column(Text)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_ms: Mapped[float] = mapped_column(Float(53))
    closed_ms: Mapped[float | None] = mapped_column(Float(53))
    information_translations: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))


class Participant(Base):
    """A consent, and who gave it under which alias."""

    __tablename__ = "participant"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    room: Mapped[str] = mapped_column(ForeignKey("room.code", ondelete="CASCADE"), index=True)
    alias: Mapped[str] = mapped_column(String(40))
    resume_hash: Mapped[str] = mapped_column(String(64))
    information_version: Mapped[str] = mapped_column(String(16))
    consented_ms: Mapped[float] = mapped_column(Float(53))
    left_ms: Mapped[float | None] = mapped_column(Float(53))
    baseline: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    consent_language: Mapped[str | None] = mapped_column(String(16))
    participant_label: Mapped[str | None] = mapped_column(String(100))
    consent_source: Mapped[str | None] = mapped_column(String(16))


class Recording(Base):
    """From a start to a stop; `stopped_ms` is null while it runs."""

    __tablename__ = "recording"

    id: Mapped[int] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(ForeignKey("room.code", ondelete="CASCADE"), index=True)
    started_ms: Mapped[float] = mapped_column(Float(53))
    stopped_ms: Mapped[float | None] = mapped_column(Float(53))


class Marker(Base):
    """An event in a room; what a host deleted stays with its `deleted_ms`.

    The unique `key` stands for what was sent, so that a marker that is sent twice counts once, even where a
    host has renamed or deleted it since. Markers of earlier versions have none.
    """

    __tablename__ = "marker"
    __table_args__ = (
        Index("ix_marker_key", "room", "key", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(ForeignKey("room.code", ondelete="CASCADE"), index=True)
    at_ms: Mapped[float] = mapped_column(Float(53))
    label: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(16))
    participant_id: Mapped[str | None] = mapped_column(
        ForeignKey("participant.id", ondelete="CASCADE"), index=True
    )
    time_ms: Mapped[float | None] = mapped_column(Float(53))
    received_ms: Mapped[float | None] = mapped_column(Float(53))
    deleted_ms: Mapped[float | None] = mapped_column(Float(53))
    history: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    key: Mapped[str | None] = mapped_column(String(64))


class Sample(Base):
    """A face in an analyzed frame; the unique index makes a batch that is sent twice count once."""

    __tablename__ = "sample"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id", ondelete="CASCADE"))
    participant_id: Mapped[str] = mapped_column(ForeignKey("participant.id", ondelete="CASCADE"))
    frame: Mapped[int] = mapped_column(Integer)
    face_id: Mapped[int] = mapped_column(Integer)
    timestamp_ms: Mapped[float] = mapped_column(Float(53))
    received_ms: Mapped[float] = mapped_column(Float(53))
    captured_ms: Mapped[float] = mapped_column(Float(53))
    clock_offset_ms: Mapped[float | None] = mapped_column(Float(53))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    model: Mapped[str] = mapped_column(String(16))
    x: Mapped[float | None] = mapped_column(Float(53))
    y: Mapped[float | None] = mapped_column(Float(53))
    box_width: Mapped[float | None] = mapped_column(Float(53))
    box_height: Mapped[float | None] = mapped_column(Float(53))
    score: Mapped[float | None] = mapped_column(Float(53))
    pitch: Mapped[float | None] = mapped_column(Float(53))
    roll: Mapped[float | None] = mapped_column(Float(53))
    yaw: Mapped[float | None] = mapped_column(Float(53))
    valence: Mapped[float | None] = mapped_column(Float(53))

    __table_args__ = (
        Index("ix_sample_face", "participant_id", "recording_id", "frame", "face_id", unique=True),
        Index("ix_sample_time", "recording_id", "timestamp_ms"),
    )


class AuditEntry(Base):
    """What somebody did to rooms, recordings or accounts; `actor` is a name, which outlives the account."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at_ms: Mapped[float] = mapped_column(Float(53), index=True)
    actor: Mapped[str] = mapped_column(String(80))
    proof: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))


class Node(Base):
    """A node that works with this database, and when it last said so (`seen_ms`, the database's clock).

    `incarnation` is random for each start; `key_print` tells the keys of sessions apart.
    """

    __tablename__ = "node"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    incarnation: Mapped[str] = mapped_column(String(32))
    key_print: Mapped[str] = mapped_column(String(16))
    seen_ms: Mapped[float] = mapped_column(Float(53))


class RoomOwner(Base):
    """The node that serves a room, or did until it `released` it; see `webapp.store.nodes`.

    `epoch` grows whenever another node, or another start of the same, takes the room. `samples` and
    `connected` are what the owner last said of the room, for the lists of other nodes.
    """

    __tablename__ = "room_owner"

    room: Mapped[str] = mapped_column(ForeignKey("room.code", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(Integer)
    node: Mapped[str] = mapped_column(String(20))
    incarnation: Mapped[str] = mapped_column(String(32))
    released: Mapped[bool] = mapped_column(Boolean)
    samples: Mapped[int | None] = mapped_column(Integer)
    connected: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))


class ChangeCount(Base):
    """How often something was changed that nodes keep in memory; grows within the change's transaction."""

    __tablename__ = "change_count"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[int] = mapped_column(Integer)


PROBABILITY_KINDS = ("raw", "smooth", "relative")


def probability_columns(kind: str) -> list[str]:
    """The names of the seven columns of a kind, in the order of `LABELS`."""
    return [f"{kind}_{label}" for label in LABELS]


for _kind in PROBABILITY_KINDS:
    for _name in probability_columns(_kind):
        setattr(Sample, _name, mapped_column(_name, Float(53), nullable=True))
