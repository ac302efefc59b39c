"""Give API keys scopes; keys that exist keep doing everything."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ALL_SCOPES = ["analyze", "rooms:read", "rooms:write", "markers"]


def upgrade() -> None:
    """Add the column, filled for the keys that exist."""
    op.add_column(
        "api_key", sa.Column("scopes", sa.JSON(), nullable=False, server_default=json.dumps(ALL_SCOPES))
    )
    with op.batch_alter_table("api_key") as table:
        table.alter_column("scopes", existing_type=sa.JSON(), existing_nullable=False, server_default=None)
