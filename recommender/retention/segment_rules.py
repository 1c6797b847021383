"""Rules that say which customers belong together, in the language of ``recommender.filters``.

    segment = "slipping" and predicted_value > 100 and not region in ["north"] and attributes.tier = "gold"

A rule names columns of the customers, ``attributes.<name>`` of theirs, and what the last scoring says of them by the
main definition of churn. It is decided by the database alone where that can say it exactly; a rule that looks at
attributes or asks what a text contains is decided row by row among those that the database leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from recommender.customer_answers import MAIN_DEFINITION
from recommender.filter_parsing import KIND_NAMES, Vocabulary
from recommender.filter_sql import FilterBounds, FilteredRows
from recommender.filter_terms import Owner
from recommender.filters import Filter, parse_filter
from recommender.periods import from_microseconds
from recommender.retention.rfm import GROUP_NAMES, GROUPS
from recommender.score_queries import CURRENT
from recommender.store_schema import EVENT_TABLES, SCORES
from recommender.tables import ATTRIBUTES

ROWS_AT_ONCE = 2_000
# From the customer's row as it is now, and from the scores: by name the kind that a column of a table would have.
_PROFILE = {"signed_up_at": "instant", "birth_year": "decimal", "channel": "text"}
_SCORES = {
    **dict.fromkeys(("customer_id", "region", "band", "segment", "rfm", "lever", "treatment"), "text"),
    **dict.fromkeys(("churn_probability", "expected_loss", "predicted_value", "historic_value"), "decimal"),
    **dict.fromkeys(("predicted_orders", "order_count", "order_interval_days"), "decimal"),
    **dict.fromkeys(("last_order_at", "expected_next_order_at"), "instant"),
    **dict.fromkeys(("in_population", "is_holdout", "consent_marketing"), "boolean"),
}
_CUSTOMERS = EVENT_TABLES["customers"]
_RFM_GROUP = sa.case(
    *(
        (sa.func.substr(SCORES.c.rfm, 1, 2).in_([code for code in GROUPS if GROUPS[code] == name]), name)
        for name in GROUP_NAMES
    )
)


def _plain(column: sa.ColumnElement[Any], kind: str) -> sa.ColumnElement[Any]:
    # PostgreSQL would round what a whole number is compared with.
    return sa.cast(column, sa.Float(53)) if kind == "decimal" else column


ROWS = FilteredRows(
    {**_SCORES, "rfm_group": "text", **_PROFILE},
    {
        **{name: _plain(SCORES.c[name], kind) for name, kind in _SCORES.items()},
        "rfm_group": _RFM_GROUP,
        **{name: _plain(_CUSTOMERS.c[name], kind) for name, kind in _PROFILE.items()},
        ATTRIBUTES: _CUSTOMERS.c[ATTRIBUTES],
    },
)
CUSTOMERS = Vocabulary({name: KIND_NAMES[kind] for name, kind in ROWS.kinds.items()})
# One row per customer of the last scoring, with the customer's own row where there is one.
JOINED = SCORES.outerjoin(_CUSTOMERS, _CUSTOMERS.c.customer_id == SCORES.c.customer_id)
IS_CURRENT = (SCORES.c.generation == CURRENT, SCORES.c.definition == MAIN_DEFINITION)


def parse_rule(text: str) -> Filter:
    """The rule that a text says; raises FilterError, a SettingError that names the place and the cure."""
    return parse_filter(text, CUSTOMERS)


def members(connection: sa.Connection, rule: Filter) -> Iterator[str]:
    """The customers of the last scoring who fit the rule."""
    bounds = FilterBounds(Owner({}), connection.dialect.name, ROWS)
    condition = bounds.of(rule.term)
    left = (
        sa.select(SCORES.c.customer_id)
        .select_from(JOINED)
        .where(*IS_CURRENT, *([] if condition is None else [condition]))
    )
    connection = connection.execution_options(yield_per=ROWS_AT_ONCE)
    if bounds.is_exact(rule.term):
        yield from connection.scalars(left)
        return
    columns = [column.label(name) for name, column in ROWS.columns.items()]
    for row in map(_row, connection.execute(left.with_only_columns(*columns))):
        if rule.allows(row):
            yield row["customer_id"]


def _row(stored: sa.Row[Any]) -> dict[str, Any]:
    row = dict(zip(stored._fields, stored, strict=True))
    for name, kind in ROWS.kinds.items():
        if kind == "instant" and row[name] is not None:
            row[name] = from_microseconds(row[name])
    return row
