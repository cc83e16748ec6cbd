"""Runs the scripts of versions/ on the connection that Store.migrate hands over, in its transaction."""

from alembic import context

from registry.store import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
