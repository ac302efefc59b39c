"""The first tables: hosts, rooms, recordings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
PROBABILITIES = [f"{kind}_{label}" for kind in ("raw", "smooth", "relative") for label in LABELS]


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "host",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("created_ms", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host"),
        sa.UniqueConstraint("name", name="uq_host_name"),
    )
    op.create_table(
        "room",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("information", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_ms", sa.Float(precision=53), nullable=False),
        sa.Column("closed_ms", sa.Float(precision=53), nullable=True),
        sa.PrimaryKeyConstraint("code", name="pk_room"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_ms", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_api_key_host_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("secret_hash", name="uq_api_key_secret_hash"),
    )
    op.create_index("ix_api_key_host_id", "api_key", ["host_id"], unique=False)

    op.create_table(
        "marker",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("room", sa.String(length=16), nullable=False),
        sa.Column("at_ms", sa.Float(precision=53), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["room"], ["room.code"], name="fk_marker_room", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_marker"),
    )
    op.create_index("ix_marker_room", "marker", ["room"], unique=False)

    op.create_table(
        "participant",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("room", sa.String(length=16), nullable=False),
        sa.Column("alias", sa.String(length=40), nullable=False),
        sa.Column("resume_hash", sa.String(length=64), nullable=False),
        sa.Column("information_version", sa.String(length=16), nullable=False),
        sa.Column("consented_ms", sa.Float(precision=53), nullable=False),
        sa.Column("left_ms", sa.Float(precision=53), nullable=True),
        sa.Column("baseline", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["room"], ["room.code"], name="fk_participant_room", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_participant"),
    )
    op.create_index("ix_participant_room", "participant", ["room"], unique=False)

    op.create_table(
        "recording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("room", sa.String(length=16), nullable=False),
        sa.Column("started_ms", sa.Float(precision=53), nullable=False),
        sa.Column("stopped_ms", sa.Float(precision=53), nullable=True),
        sa.ForeignKeyConstraint(["room"], ["room.code"], name="fk_recording_room", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_recording"),
    )
    op.create_index("ix_recording_room", "recording", ["room"], unique=False)

    op.create_table(
        "sample",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("recording_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.String(length=16), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("timestamp_ms", sa.Float(precision=53), nullable=False),
        sa.Column("received_ms", sa.Float(precision=53), nullable=False),
        sa.Column("captured_ms", sa.Float(precision=53), nullable=False),
        sa.Column("clock_offset_ms", sa.Float(precision=53), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=16), nullable=False),
        sa.Column("x", sa.Float(precision=53), nullable=True),
        sa.Column("y", sa.Float(precision=53), nullable=True),
        sa.Column("box_width", sa.Float(precision=53), nullable=True),
        sa.Column("box_height", sa.Float(precision=53), nullable=True),
        sa.Column("score", sa.Float(precision=53), nullable=True),
        sa.Column("pitch", sa.Float(precision=53), nullable=True),
        sa.Column("roll", sa.Float(precision=53), nullable=True),
        sa.Column("yaw", sa.Float(precision=53), nullable=True),
        sa.Column("valence", sa.Float(precision=53), nullable=True),
        *(sa.Column(name, sa.Float(precision=53), nullable=True) for name in PROBABILITIES),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name="fk_sample_participant_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name="fk_sample_recording_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sample"),
    )
    op.create_index(
        "ix_sample_face", "sample", ["participant_id", "recording_id", "frame", "face_id"], unique=True
    )
    op.create_index("ix_sample_time", "sample", ["recording_id", "timestamp_ms"], unique=False)
