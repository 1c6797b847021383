"""Keep what was asked with a list, and find the rows of a session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table of requests and the indexes of sessions."""
    op.create_table(
        "list_requests",
        sa.Column("recommendation_id", _TEXT, nullable=False),
        sa.Column("customer_id", _TEXT),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("request", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("recommendation_id", name="pk_list_requests"),
    )
    for column in ("customer_id", "asked_at"):
        op.create_index(f"ix_list_requests_{column}", "list_requests", [column])
    has_session = sa.column("session_id").is_not(None)
    for name, begins in (("interactions", "occurred_at"), ("impressions", "shown_at")):
        op.create_index(
            f"ix_{name}_session",
            name,
            ["session_id", begins],
            sqlite_where=has_session,
            postgresql_where=has_session,
        )
