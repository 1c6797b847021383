"""Run by alembic: applies the revisions on the connection that ``store_engine`` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
