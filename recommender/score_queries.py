"""Which rows of the scores come next: filters, sorts and the index that answers them soonest.

No database knows beforehand whether few rows pass a filter, to be found and sorted, or many, to be met soon when
walking along the sort. So it is counted, up to a bound, and all columns but the one to start from are wrapped in an
expression that changes no value and fits no index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from recommender.answers import RiskFilter
from recommender.score_cursor import Cursor, Sort
from recommender.score_rows import SCORE_COLUMNS
from recommender.store_rows import is_storable
from recommender.store_schema import COUNTERS, SCORE_FLAGS, SCORE_GROUPS, SCORE_SORTS, SCORES

CURRENT = sa.select(COUNTERS.c.value).where(COUNTERS.c.name == "score_generation").scalar_subquery()
FEW_ROWS = 4_000

Condition = sa.ColumnElement[bool]
Columns = Mapping[str, sa.ColumnElement[Any]]


def page_ids(connection: sa.Connection, only: RiskFilter, sort: Sort, start: Cursor | None, limit: int) -> list[str]:
    """The next customers after ``start``, at most ``limit``."""
    ids: list[str] = []
    for query in _queries(connection, sa.select(SCORES.c.customer_id), only, sort, start):
        ids += connection.scalars(query.limit(limit - len(ids)))
    return ids


def list_queries(connection: sa.Connection, only: RiskFilter, sort: Sort) -> list[sa.Select[Any]]:
    """Queries of all rows in the order of the sort, to be read one after the other."""
    return _queries(connection, sa.select(*SCORE_COLUMNS), only, sort, None)


def _queries(
    connection: sa.Connection, query: sa.Select[Any], only: RiskFilter, sort: Sort, start: Cursor | None
) -> list[sa.Select[Any]]:
    columns = _columns(_index_for(connection, only, sort))
    filters = _filters(only, columns).values()
    ordered = query.where(*_scoring(only, columns), *filters).order_by(*_order(sort, columns))
    return [ordered.where(*part) for part in _parts(sort, start, columns)]


def _columns(index: str) -> Columns:
    """The columns of the scores by name, so written that only the index of that name can be used."""
    columns: dict[str, sa.ColumnElement[Any]] = {}
    for name in SCORE_SORTS:
        columns[name] = SCORES.c[name] if name == index else SCORES.c[name] + 0.0
    for name in SCORE_GROUPS:
        columns[name] = SCORES.c[name] if name == index else SCORES.c[name].concat("")
    for name in (*SCORE_FLAGS, "customer_id"):
        columns[name] = SCORES.c[name]
    # The indexes along sorts begin with the generation and the definition, the others do not.
    columns["generation"] = SCORES.c.generation if index in SCORE_SORTS else SCORES.c.generation + 0
    columns["definition"] = SCORES.c.definition if index in SCORE_SORTS else SCORES.c.definition.concat("")
    return columns


def _index_for(connection: sa.Connection, only: RiskFilter, sort: Sort) -> str:
    """The name of the filter that few rows pass, else of the sort."""
    for name in _narrowing(only):
        columns = _columns(name)
        passes = _filters(only, columns)[name]
        some = sa.select(SCORES.c.generation).where(*_scoring(only, columns), passes).limit(FEW_ROWS)
        counted = sa.select(sa.func.count()).select_from(some.subquery())
        if (connection.scalar(counted) or 0) < FEW_ROWS:
            return name
    return sort.key


def _narrowing(only: RiskFilter) -> list[str]:
    """The columns of the filter that have an index."""
    return [name for name in _filters(only, dict(SCORES.columns)) if name not in SCORE_FLAGS]


def _scoring(only: RiskFilter, columns: Columns) -> list[Condition]:
    """The rows of the last scoring for the definition that is asked about."""
    return [columns["generation"] == CURRENT, columns["definition"] == only.definition]


def _filters(only: RiskFilter, columns: Columns) -> dict[str, Condition]:
    """The conditions of a filter by the column that they are about."""
    filters: dict[str, Condition] = {}
    for name, low, high in (
        ("churn_probability", only.min_probability, only.max_probability),
        ("expected_loss", only.min_loss, only.max_loss),
        ("predicted_value", only.min_value, only.max_value),
    ):
        bounds = [] if low is None else [columns[name] >= low]
        bounds += [] if high is None else [columns[name] <= high]
        if bounds:
            filters[name] = sa.and_(*bounds)
    for name in SCORE_GROUPS:
        wanted = getattr(only, name)
        if wanted is not None:
            # PostgreSQL refuses a text that it cannot hold; no row has it.
            filters[name] = columns[name] == wanted if is_storable(wanted) else sa.false()
    for name in SCORE_FLAGS:
        asked = getattr(only, name)
        if asked is not None:
            filters[name] = columns[name].is_(asked)
    return filters


def _order(sort: Sort, columns: Columns) -> list[sa.ColumnElement[Any]]:
    column = columns[sort.key]
    first = column.desc() if sort.is_descending else column.asc()
    return [first] if sort.key == "customer_id" else [first, columns["customer_id"].asc()]


def _parts(sort: Sort, start: Cursor | None, columns: Columns) -> list[list[Condition]]:
    """Conditions of the rows with a value and of those without, which come after; from the cursor on."""
    column, customer = columns[sort.key], columns["customer_id"]
    if sort.key == "customer_id":
        return [[] if start is None else [_beyond(sort, customer, start.customer_id)]]
    if start is None:
        return [[column.is_not(None)], [column.is_(None)]]
    if start.value is None:
        return [[column.is_(None), customer > start.customer_id]]
    is_after = sa.or_(_beyond(sort, column, start.value), customer > start.customer_id)
    here_or_after = column <= start.value if sort.is_descending else column >= start.value
    return [[here_or_after, is_after], [column.is_(None)]]


def _beyond(sort: Sort, column: sa.ColumnElement[Any], value: Any) -> Condition:
    is_beyond: Condition = column < value if sort.is_descending else column > value
    return is_beyond
