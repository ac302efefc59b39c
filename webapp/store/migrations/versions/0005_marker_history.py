"""Let markers have a sender, times, a history and an end, and participants an experiment's label."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; SQLite makes the markers' table anew, and from now on never gives a number twice."""
    op.add_column("participant", sa.Column("participant_label", sa.String(length=100), nullable=True))
    op.add_column("participant", sa.Column("consent_source", sa.String(length=16), nullable=True))
    with op.batch_alter_table("marker", table_kwargs={"sqlite_autoincrement": True}) as marker:
        marker.add_column(sa.Column("participant_id", sa.String(length=16), nullable=True))
        marker.add_column(sa.Column("time_ms", sa.Float(precision=53), nullable=True))
        marker.add_column(sa.Column("received_ms", sa.Float(precision=53), nullable=True))
        marker.add_column(sa.Column("deleted_ms", sa.Float(precision=53), nullable=True))
        marker.add_column(sa.Column("history", sa.JSON(none_as_null=True), nullable=True))
        marker.add_column(sa.Column("key", sa.String(length=64), nullable=True))
        marker.create_foreign_key(
            "fk_marker_participant_id", "participant", ["participant_id"], ["id"], ondelete="CASCADE"
        )
        marker.create_index("ix_marker_participant_id", ["participant_id"])
        marker.create_index("ix_marker_key", ["room", "key"], unique=True)
