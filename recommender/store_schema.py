"""The tables of the store: one per touchpoint table, and those for scores, keys, erasures and counters."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from recommender.tables import Column, Table
from recommender.touchpoints import TABLES

SCHEMA_REVISION = "0003"
SEQUENCE = "sequence"

# Order by code points on PostgreSQL too, whatever the language of the database.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

SQL_TYPES: dict[str, Any] = {
    "identifier": TEXT,
    "text": TEXT,
    "word": TEXT,
    "list": TEXT,
    "object": TEXT,
    "instant": sa.BigInteger(),
    "decimal": sa.Float(53),
    "integer": sa.BigInteger(),
    "boolean": sa.Boolean(),
}

METADATA = sa.MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"},
)


def _sql_column(table: Table, column: Column) -> sa.Column[Any]:
    is_key = column.name in table.key
    return sa.Column(
        column.name,
        SQL_TYPES[column.kind_name],
        primary_key=is_key,
        nullable=not (is_key or column.required),
        autoincrement=False,
    )


def _sql_table(table: Table) -> sa.Table:
    columns = [_sql_column(table, column) for column in table.columns]
    made = sa.Table(table.name, METADATA, *columns, sa.Column(SEQUENCE, sa.BigInteger(), nullable=False, index=True))
    if table.key != table.customer_columns:
        for name in table.customer_columns:
            sa.Index(None, made.c[name], made.c[table.exists_from or SEQUENCE])
    return made


EVENT_TABLES: dict[str, sa.Table] = {name: _sql_table(table) for name, table in TABLES.items()}

# Strangers are asked for by their session; most rows have none.
for _name in ("interactions", "impressions"):
    _columns = EVENT_TABLES[_name].c
    sa.Index(
        f"ix_{_name}_session",
        _columns.session_id,
        _columns[TABLES[_name].exists_from or SEQUENCE],
        sqlite_where=_columns.session_id.is_not(None),
        postgresql_where=_columns.session_id.is_not(None),
    )

# What was asked with a list that can still be continued; the rows are deleted when they are too old for that.
LIST_REQUESTS = sa.Table(
    "list_requests",
    METADATA,
    sa.Column("recommendation_id", TEXT, primary_key=True),
    sa.Column("customer_id", TEXT, index=True),
    sa.Column("asked_at", sa.BigInteger(), nullable=False, index=True),
    sa.Column("request", TEXT, nullable=False),
)

# Asked for every row that is read: who withdrew the consent is few among many.
_CUSTOMERS = EVENT_TABLES["customers"]
sa.Index(
    "ix_customers_withheld",
    _CUSTOMERS.c.customer_id,
    sqlite_where=_CUSTOMERS.c.consent_personalization.is_(sa.false()),
    postgresql_where=_CUSTOMERS.c.consent_personalization.is_(sa.false()),
)

# The one row of a customer for each definition of churn; money in the account currency, instants in microseconds.
SCORES = sa.Table(
    "scores",
    METADATA,
    sa.Column("customer_id", TEXT, primary_key=True),
    sa.Column("definition", TEXT, primary_key=True),
    sa.Column("generation", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("model_version", TEXT, nullable=False),
    sa.Column("as_of", sa.BigInteger(), nullable=False),
    sa.Column("in_population", sa.Boolean(), nullable=False),
    sa.Column("churn_probability", sa.Float(53)),
    sa.Column("churn_curve", TEXT),
    sa.Column("churn_curve_learned_days", sa.BigInteger()),
    sa.Column("horizon_days", sa.BigInteger(), nullable=False),
    sa.Column("population", TEXT, nullable=False),
    sa.Column("band", TEXT),
    sa.Column("predicted_value", sa.Float(53)),
    sa.Column("predicted_value_low", sa.Float(53)),
    sa.Column("predicted_value_high", sa.Float(53)),
    sa.Column("historic_value", sa.Float(53)),
    sa.Column("predicted_orders", sa.Float(53)),
    sa.Column("predicted_order_amount", sa.Float(53)),
    sa.Column("expected_loss", sa.Float(53)),
    sa.Column("lever", TEXT, nullable=False),
    sa.Column("action", TEXT, nullable=False),
    sa.Column("treatment", TEXT),
    sa.Column("suggested_treatment", TEXT),
    sa.Column("is_holdout", sa.Boolean(), nullable=False),
    sa.Column("reasons", TEXT, nullable=False),
    sa.Column("base_log_odds", sa.Float(53)),
    sa.Column("other_log_odds", sa.Float(53)),
    sa.Column("segment", TEXT),
    sa.Column("rfm", TEXT),
    sa.Column("region", TEXT),
    sa.Column("consent_marketing", sa.Boolean(), nullable=False),
    sa.Column("order_count", sa.BigInteger(), nullable=False),
    sa.Column("order_interval_days", sa.Float(53)),
    sa.Column("last_order_at", sa.BigInteger()),
    sa.Column("expected_next_order_at", sa.BigInteger()),
    sa.Column("next_order_earliest_at", sa.BigInteger()),
    sa.Column("next_order_latest_at", sa.BigInteger()),
    # which combination of groups the row belongs to: see SCORE_FACETS
    sa.Column("facet", sa.BigInteger(), nullable=False),
)

SCORE_SORTS = ("expected_loss", "churn_probability", "predicted_value")
SCORE_GROUPS = ("segment", "region", "band", "lever", "treatment", "is_holdout")
# Every index holds the columns of all filters: rows that do not pass are never fetched.
_FILTERED = ("customer_id", "facet", "consent_marketing", *SCORE_SORTS)
for _name in (*SCORE_SORTS, "customer_id", "facet"):
    _first = SCORES.c[_name].desc() if _name in SCORE_SORTS else SCORES.c[_name]
    _others = [SCORES.c[other] for other in _FILTERED if other != _name]
    sa.Index(f"ix_scores_{_name}", SCORES.c.generation, SCORES.c.definition, _first, *_others)

# Customers of one scoring that agree in all SCORE_GROUPS share a facet. How many there are and within which bounds
# says beforehand how the list is found soonest.
SCORE_FACETS = sa.Table(
    "score_facets",
    METADATA,
    sa.Column("generation", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("definition", TEXT, primary_key=True),
    sa.Column("facet", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("segment", TEXT),
    sa.Column("region", TEXT),
    sa.Column("band", TEXT),
    sa.Column("lever", TEXT),
    sa.Column("treatment", TEXT),
    sa.Column("is_holdout", sa.Boolean(), nullable=False),
    sa.Column("customer_count", sa.BigInteger(), nullable=False),
    # Of each sort: how many have a value, and the lowest and highest.
    *(
        column
        for name in SCORE_SORTS
        for column in (
            sa.Column(f"{name}_count", sa.BigInteger(), nullable=False),
            sa.Column(f"{name}_low", sa.Float(53)),
            sa.Column(f"{name}_high", sa.Float(53)),
        )
    ),
)

# What earlier scorings said: the history of a score and moves between bands.
SCORE_HISTORY = sa.Table(
    "score_history",
    METADATA,
    sa.Column("customer_id", TEXT, primary_key=True),
    sa.Column("definition", TEXT, primary_key=True),
    sa.Column("as_of", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("churn_probability", sa.Float(53), nullable=False),
    sa.Column("band", TEXT, nullable=False),
    sa.Column("expected_loss", sa.Float(53)),
    sa.Column("lever", TEXT, nullable=False),
    sa.Column("treatment", TEXT),
    sa.Column("is_holdout", sa.Boolean(), nullable=False),
    sa.Column("model_version", TEXT, nullable=False),
    # Two scorings are compared from the index alone.
    sa.Index("ix_score_history_as_of", "definition", "as_of", "customer_id", "band", "expected_loss"),
)

# Whom a treatment was first meant for, in which experiment, and whether the customer was held out from it. History is
# thinned; whoever is compared here must be here from the first suggestion on.
TREATMENT_SUGGESTIONS = sa.Table(
    "treatment_suggestions",
    METADATA,
    sa.Column("customer_id", TEXT, primary_key=True),
    sa.Column("definition", TEXT, primary_key=True),
    sa.Column("experiment", TEXT, primary_key=True),
    sa.Column("treatment", TEXT, primary_key=True),
    sa.Column("as_of", sa.BigInteger(), nullable=False),
    sa.Column("is_holdout", sa.Boolean(), nullable=False),
    sa.Column("holdout_share", sa.Float(53), nullable=False),
)

# What the treatments brought, as last measured; figures of groups alone, as JSON.
TREATMENT_EFFECTS = sa.Table(
    "treatment_effects",
    METADATA,
    sa.Column("definition", TEXT, primary_key=True),
    sa.Column("as_of", sa.BigInteger(), nullable=False),
    sa.Column("measured", TEXT, nullable=False),
)

# What drove churn at every scoring: sums over customers, none of whom is named.
CHURN_DRIVERS = sa.Table(
    "churn_drivers",
    METADATA,
    sa.Column("definition", TEXT, primary_key=True),
    sa.Column("as_of", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("group", TEXT, primary_key=True),
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("code", TEXT, primary_key=True),
    sa.Column("customer_count", sa.BigInteger(), nullable=False),
    sa.Column("contribution", sa.Float(53), nullable=False),
    sa.Column("expected_loss", sa.Float(53), nullable=False),
)

# Segments that are rules in the filter language, by name, and who was in them from when to when.
SEGMENTS = sa.Table(
    "segments",
    METADATA,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("rule", TEXT, nullable=False),
    sa.Column("created_at", sa.BigInteger(), nullable=False),
)
SEGMENT_MEMBERSHIPS = sa.Table(
    "segment_memberships",
    METADATA,
    sa.Column("segment", TEXT, primary_key=True),
    sa.Column("customer_id", TEXT, primary_key=True, index=True),
    sa.Column("entered_at", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("left_at", sa.BigInteger()),
)

# What was made of the rows of a customer; it goes with them.
DERIVED_TABLES = (SCORES, SCORE_HISTORY, TREATMENT_SUGGESTIONS, SEGMENT_MEMBERSHIPS)

API_KEYS = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("key_id", TEXT, primary_key=True),
    sa.Column("key_hash", TEXT, nullable=False, unique=True, index=True),
    sa.Column("name", TEXT),
    sa.Column("scopes", TEXT, nullable=False),
    sa.Column("created_at", sa.BigInteger(), nullable=False),
    sa.Column("revoked_at", sa.BigInteger()),
)

ERASURES = sa.Table(
    "erasures",
    METADATA,
    sa.Column(SEQUENCE, sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("customer_hash", TEXT, nullable=False, index=True),
    sa.Column("erased_at", sa.BigInteger(), nullable=False),
    # "erasure", or "withdrawal" where the rows stay but may not be used until the customer consents again
    sa.Column("reason", TEXT, nullable=False),
)

COUNTERS = sa.Table(
    "counters",
    METADATA,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("value", sa.BigInteger(), nullable=False),
)
# Beside the counters: which store this is.
IDENTITY = "identity"
COUNTER_NAMES = (SEQUENCE, "score_generation", "next_score_generation")
