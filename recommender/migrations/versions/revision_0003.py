"""Score a customer by several definitions of churn, remember earlier scores, and name segments."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SORTS = ("expected_loss", "churn_probability", "predicted_value")
_GROUPS = ("segment", "region", "band", "lever")
_FLAGS = ("is_holdout", "consent_marketing")
_KEPT = (
    "customer_id",
    "generation",
    "model_version",
    "as_of",
    "in_population",
    "churn_probability",
    "horizon_days",
    "population",
    "band",
    "predicted_value",
    "historic_value",
    "expected_loss",
    "lever",
    "action",
    "reasons",
    "segment",
    "region",
    "order_count",
    "last_order_at",
)


def upgrade() -> None:
    """Put the scores into a wider table, and add the tables of history, treatments and segments."""
    _widen_scores()
    op.create_table(
        "score_history",
        *[_key(name) for name in ("customer_id", "definition")],
        _key("as_of", sa.BigInteger()),
        sa.Column("churn_probability", sa.Float(53), nullable=False),
        _text("band", required=True),
        sa.Column("expected_loss", sa.Float(53)),
        _text("lever", required=True),
        _text("treatment"),
        sa.Column("is_holdout", sa.Boolean(), nullable=False),
        _text("model_version", required=True),
        sa.PrimaryKeyConstraint("customer_id", "definition", "as_of", name="pk_score_history"),
    )
    op.create_index("ix_score_history_as_of", "score_history", ["definition", "as_of", "customer_id"])
    op.create_table(
        "treatment_suggestions",
        *[_key(name) for name in ("customer_id", "definition", "experiment", "treatment")],
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("is_holdout", sa.Boolean(), nullable=False),
        sa.Column("holdout_share", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint(
            "customer_id", "definition", "experiment", "treatment", name="pk_treatment_suggestions"
        ),
    )
    op.create_table(
        "treatment_effects",
        _key("definition"),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        _text("measured", required=True),
        sa.PrimaryKeyConstraint("definition", name="pk_treatment_effects"),
    )
    op.create_table(
        "churn_drivers",
        *[_key(name) for name in ("definition", "group", "name", "code")],
        _key("as_of", sa.BigInteger()),
        sa.Column("customer_count", sa.BigInteger(), nullable=False),
        sa.Column("contribution", sa.Float(53), nullable=False),
        sa.Column("expected_loss", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("definition", "as_of", "group", "name", "code", name="pk_churn_drivers"),
    )
    op.create_table(
        "segments",
        _key("name"),
        _text("rule", required=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_segments"),
    )
    op.create_table(
        "segment_memberships",
        *[_key(name) for name in ("segment", "customer_id")],
        _key("entered_at", sa.BigInteger()),
        sa.Column("left_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("segment", "customer_id", "entered_at", name="pk_segment_memberships"),
    )
    op.create_index("ix_segment_memberships_customer_id", "segment_memberships", ["customer_id"])


def _widen_scores() -> None:
    """No database changes a primary key in place and SQLite no column: the rows move into a new table."""
    for name in (*_SORTS, "segment", "region", "band"):
        op.drop_index(f"ix_scores_{name}", "scores")
    op.rename_table("scores", "scores_before")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX pk_scores RENAME TO pk_scores_before")
    op.create_table(
        "scores",
        *_score_columns(),
        sa.PrimaryKeyConstraint("customer_id", "definition", "generation", name="pk_scores"),
    )
    kept = ", ".join(_KEPT)
    op.execute(
        f"INSERT INTO scores ({kept}, definition, is_holdout, consent_marketing) "
        f"SELECT {kept}, 'churn', false, true FROM scores_before"
    )
    op.drop_table("scores_before")
    for name in _SORTS:
        others = [one for one in (*_SORTS, *_GROUPS, *_FLAGS) if one != name]
        leading: list[Any] = ["generation", "definition", sa.text(f"{name} DESC"), "customer_id"]
        op.create_index(f"ix_scores_{name}", "scores", [*leading, *others])
    for name in _GROUPS:
        op.create_index(f"ix_scores_{name}", "scores", [name, "generation", "definition"])


def _score_columns() -> list[sa.Column[Any]]:
    number, instant, flag = sa.Float(53), sa.BigInteger(), sa.Boolean()
    return [
        _key("customer_id"),
        _key("definition"),
        _key("generation", sa.BigInteger()),
        _text("model_version", required=True),
        sa.Column("as_of", instant, nullable=False),
        sa.Column("in_population", flag, nullable=False),
        sa.Column("churn_probability", number),
        _text("churn_curve"),
        sa.Column("churn_curve_learned_days", sa.BigInteger()),
        sa.Column("horizon_days", sa.BigInteger(), nullable=False),
        _text("population", required=True),
        _text("band"),
        sa.Column("predicted_value", number),
        sa.Column("predicted_value_low", number),
        sa.Column("predicted_value_high", number),
        sa.Column("historic_value", number),
        sa.Column("predicted_orders", number),
        sa.Column("predicted_order_amount", number),
        sa.Column("expected_loss", number),
        _text("lever", required=True),
        _text("action", required=True),
        _text("treatment"),
        _text("suggested_treatment"),
        sa.Column("is_holdout", flag, nullable=False),
        _text("reasons", required=True),
        sa.Column("base_log_odds", number),
        sa.Column("other_log_odds", number),
        _text("segment"),
        _text("rfm"),
        _text("region"),
        sa.Column("consent_marketing", flag, nullable=False),
        sa.Column("order_count", sa.BigInteger(), nullable=False),
        sa.Column("order_interval_days", number),
        sa.Column("last_order_at", instant),
        sa.Column("expected_next_order_at", instant),
        sa.Column("next_order_earliest_at", instant),
        sa.Column("next_order_latest_at", instant),
    ]


def _key(name: str, kind: Any = _TEXT) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, autoincrement=False)


def _text(name: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, nullable=not required)
