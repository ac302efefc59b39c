"""Keep which nodes there are, and which one serves a room; used with PostgreSQL only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the tables; nobody serves a room yet."""
    op.create_table(
        "node",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("key_print", sa.String(length=16), nullable=False),
        sa.Column("seen_ms", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_node")),
    )
    op.create_table(
        "room_owner",
        sa.Column("room", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(length=20), nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=True),
        sa.Column("connected", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["room"], ["room.code"], name=op.f("fk_room_owner_room"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room", name=op.f("pk_room_owner")),
    )
    op.create_table(
        "change_count",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_change_count")),
    )
