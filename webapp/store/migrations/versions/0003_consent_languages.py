"""Let a room have its information in several languages, and each consent name the one that was shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add both columns; what is there already has the default text, in a language that nobody noted."""
    op.add_column("room", sa.Column("information_translations", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("participant", sa.Column("consent_language", sa.String(length=16), nullable=True))
