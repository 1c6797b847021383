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
_FILTERED = ("customer_id", "facet", "consent_marketing", *_SORTS)
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

# Who has no row has not refused.
_AGREED = (
    "NOT EXISTS (SELECT 1 FROM customers"
    " WHERE customers.customer_id = scores_before.customer_id AND customers.consent_marketing = false)"
)


def upgrade() -> None:
    """Put the scores into a wider table, and add the tables of history, treatments, drivers and segments."""
    _widen_scores()
    _add_history()
    _add_treatments()
    _add_drivers()
    _add_segments()


def _add_history() -> None:
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
    compared = ["definition", "as_of", "customer_id", "band", "expected_loss"]
    op.create_index("ix_score_history_as_of", "score_history", compared)


def _add_treatments() -> None:
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


def _add_drivers() -> None:
    op.create_table(
        "churn_drivers",
        *[_key(name) for name in ("definition", "group", "name", "code")],
        _key("as_of", sa.BigInteger()),
        sa.Column("customer_count", sa.BigInteger(), nullable=False),
        sa.Column("contribution", sa.Float(53), nullable=False),
        sa.Column("expected_loss", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("definition", "as_of", "group", "name", "code", name="pk_churn_drivers"),
    )


def _add_segments() -> None:
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
    kept, groups = ", ".join(_KEPT), ", ".join(_GROUPS)
    op.execute(
        f"INSERT INTO scores ({kept}, definition, is_holdout, consent_marketing, facet) "
        f"SELECT {kept}, 'churn', false, {_AGREED}, DENSE_RANK() OVER (ORDER BY {groups}) FROM scores_before"
    )
    op.drop_table("scores_before")
    for name in (*_SORTS, "customer_id", "facet"):
        first = sa.text(f"{name} DESC") if name in _SORTS else name
        others = [one for one in _FILTERED if one != name]
        op.create_index(f"ix_scores_{name}", "scores", ["generation", "definition", first, *others])
    _create_facets()


def _create_facets() -> None:
    figures = [(f"{name}_count", f"{name}_low", f"{name}_high") for name in _SORTS]
    op.create_table(
        "score_facets",
        _key("generation", sa.BigInteger()),
        _key("definition"),
        _key("facet", sa.BigInteger()),
        *[_text(name) for name in (*_GROUPS, "treatment")],
        sa.Column("is_holdout", sa.Boolean(), nullable=False),
        sa.Column("customer_count", sa.BigInteger(), nullable=False),
        *[
            column
            for count, low, high in figures
            for column in (
                sa.Column(count, sa.BigInteger(), nullable=False),
                sa.Column(low, sa.Float(53)),
                sa.Column(high, sa.Float(53)),
            )
        ],
        sa.PrimaryKeyConstraint("generation", "definition", "facet", name="pk_score_facets"),
    )
    groups = ", ".join(_GROUPS)
    names = ", ".join(name for of_sort in figures for name in of_sort)
    told = ", ".join(f"COUNT({name}), MIN({name}), MAX({name})" for name in _SORTS)
    op.execute(
        f"INSERT INTO score_facets (generation, definition, facet, {groups}, is_holdout, customer_count, {names}) "
        f"SELECT generation, definition, facet, {groups}, is_holdout, COUNT(*), {told} FROM scores "
        f"GROUP BY generation, definition, facet, {groups}, is_holdout"
    )


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
        sa.Column("facet", sa.BigInteger(), nullable=False),
    ]


def _key(name: str, kind: Any = _TEXT) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, autoincrement=False)


def _text(name: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, nullable=not required)
