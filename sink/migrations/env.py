"""Alembic's way in: the connection, and with it the transaction, is that of `sink.migrate`."""

from alembic import context

from sink.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    user_module_prefix="",
)
with context.begin_transaction():
    context.run_migrations()
