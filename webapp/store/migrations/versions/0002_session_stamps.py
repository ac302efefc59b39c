"""Give hosts a stamp for their sessions, and on SQLite never the number of a deleted one to another."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

STAMP_BYTES = 24


def upgrade() -> None:
    """Add the column, fill it, and on SQLite make both tables anew with AUTOINCREMENT."""
    op.add_column("host", sa.Column("stamp", sa.String(length=64), nullable=True))
    hosts = sa.table("host", sa.column("id", sa.Integer), sa.column("stamp", sa.String))
    connection = op.get_bind()
    for host_id in connection.scalars(sa.select(hosts.c.id)).all():
        stamp = secrets.token_urlsafe(STAMP_BYTES)
        connection.execute(sa.update(hosts).where(hosts.c.id == host_id).values(stamp=stamp))
    if connection.dialect.name == "sqlite":
        _number_anew()
    else:
        op.alter_column("host", "stamp", nullable=False)


def _number_anew() -> None:
    """Copy both tables; dropping the hosts deletes their keys, so these wait in a table without that rule."""
    op.execute("CREATE TABLE kept_api_key AS SELECT * FROM api_key")
    op.execute("DELETE FROM api_key")
    with op.batch_alter_table(
        "host", recreate="always", table_kwargs={"sqlite_autoincrement": True}
    ) as table:
        table.alter_column("stamp", existing_type=sa.String(length=64), nullable=False)
    with op.batch_alter_table("api_key", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
        pass
    op.execute("INSERT INTO api_key SELECT * FROM kept_api_key")
    op.execute("DROP TABLE kept_api_key")
