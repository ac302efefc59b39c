"""Alembic's entry: `database.migrate` hands over the connection."""

from __future__ import annotations

from alembic import context

from webapp.store.models import Base

connection = context.config.attributes["connection"]
if connection.dialect.name == "sqlite":
    # Python's sqlite3 begins a transaction before the first change of rows, not of tables: all steps or none.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
