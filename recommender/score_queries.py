"""Which rows of the scores come next: filters, sorts and the index that answers them soonest.

No database knows beforehand whether few rows pass a filter, to be found and sorted, or many, to be met soon when
walking along the sort. So it is counted, up to a bound, and all columns but the one to start from are wrapped in an
expression that changes no value and fits no index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from recommender.customer_answers import RiskFilter
from recommender.periods import to_microseconds
from recommender.score_cursor import Cursor, Sort
from recommender.score_facets import Facets, facets_where
from recommender.store_rows import is_storable
from recommender.store_schema import (
    COUNTERS,
    SCORE_FACETS,
    SCORE_HISTORY,
    SCORE_SORTS,
    SCORES,
    SEGMENT_MEMBERSHIPS,
    SEGMENTS,
)

CURRENT = sa.select(COUNTERS.c.value).where(COUNTERS.c.name == "score_generation").scalar_subquery()
# So many rows are found and sorted as soon as a page of 500 among a million is met along the sort.
FEW_ROWS = 20_000
NO_TREATMENT = "none"

Condition = sa.ColumnElement[bool]
Columns = Mapping[str, sa.ColumnElement[Any]]


@dataclass(frozen=True)
class _Wanted:
    """A filter with what the store says about it: the facets that pass, and the saved segments among the segments."""

    only: RiskFilter
    facets: Facets | None
    saved: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the facets alone say that no row passes."""
        return self.facets is not None and not self.facets.numbers


def page_ids(connection: sa.Connection, only: RiskFilter, sort: Sort, start: Cursor | None, limit: int) -> list[str]:
    """The next customers after ``start``, at most ``limit``."""
    ids: list[str] = []
    for query in list_queries(connection, [SCORES.c.customer_id], only, sort, start):
        if len(ids) < limit:
            ids += connection.scalars(query.limit(limit - len(ids)))
    return ids


def list_queries(
    connection: sa.Connection,
    selected: Sequence[sa.ColumnElement[Any]],
    only: RiskFilter,
    sort: Sort,
    start: Cursor | None = None,
) -> list[sa.Select[Any]]:
    """Queries of the rows after ``start`` in the order of the sort, to be read one after the other."""
    # PostgreSQL refuses a text that it cannot hold; no row has it.
    wanted = _looked_up(connection, only, sort) if is_storable(only.definition) else None
    if wanted is None or wanted.is_empty:
        return []
    columns = _columns(_index_for(connection, wanted, sort))
    ordered = sa.select(*selected).where(*_scoring(only, columns), *_conditions(wanted, columns))
    ordered = ordered.order_by(*_order(sort, columns))
    return [ordered.where(*part) for part in _parts(wanted, sort, start, columns)]


def _looked_up(connection: sa.Connection, only: RiskFilter, sort: Sort) -> _Wanted:
    """Which facets pass the filter; where saved segments are asked for, the segment is left to the rows."""
    saved = tuple(connection.scalars(sa.select(SEGMENTS.c.name).where(SEGMENTS.c.name.in_(_storable(only.segments)))))
    groups = {
        "segment": () if saved else only.segments,
        "region": only.regions,
        "band": only.bands,
        "lever": only.levers,
        "treatment": only.treatments,
    }
    conditions = [_one_of(SCORE_FACETS.c[name], names) for name, names in groups.items() if names]
    if only.is_holdout is not None:
        conditions.append(SCORE_FACETS.c.is_holdout.is_(only.is_holdout))
    if not conditions:
        return _Wanted(only, None, saved)
    asked = [*_scoring(only, dict(SCORE_FACETS.columns)), *conditions]
    return _Wanted(only, facets_where(connection, asked, sort.key), saved)


def _storable(names: Sequence[str]) -> list[str]:
    return [name for name in names if is_storable(name)]


def _one_of(column: sa.ColumnElement[Any], names: Sequence[str]) -> Condition:
    passes: Condition = column.in_(_storable(names))
    return sa.or_(passes, column.is_(None)) if column.key == "treatment" and NO_TREATMENT in names else passes


def _columns(index: str) -> Columns:
    """The columns of the scores by name, so written that only the index that begins with that name can be used."""
    columns: dict[str, sa.ColumnElement[Any]] = dict(SCORES.columns)
    for name in SCORE_SORTS:
        columns[name] = SCORES.c[name] if name == index else SCORES.c[name] + 0.0
    columns["facet"] = SCORES.c.facet if index == "facet" else SCORES.c.facet + 0
    return columns


def _index_for(connection: sa.Connection, wanted: _Wanted, sort: Sort) -> str:
    """What few rows pass: the facets or the bounds of a column; else the sort."""
    if wanted.facets is not None and wanted.facets.customer_count < FEW_ROWS:
        return "facet"
    for name in _bounds(wanted.only, dict(SCORES.columns)):
        columns = _columns(name)
        passes = _bounds(wanted.only, columns)[name]
        some = sa.select(SCORES.c.generation).where(*_scoring(wanted.only, columns), passes).limit(FEW_ROWS)
        counted = sa.select(sa.func.count()).select_from(some.subquery())
        if (connection.scalar(counted) or 0) < FEW_ROWS:
            return name
    return sort.key


def _scoring(only: RiskFilter, columns: Columns) -> list[Condition]:
    """The rows of the last scoring for the definition that is asked about."""
    return [columns["generation"] == CURRENT, columns["definition"] == only.definition]


def _conditions(wanted: _Wanted, columns: Columns) -> list[Condition]:
    """All conditions of a filter."""
    conditions = list(_bounds(wanted.only, columns).values())
    if wanted.only.consent_marketing is not None:
        conditions.append(columns["consent_marketing"].is_(wanted.only.consent_marketing))
    if wanted.facets is not None:
        conditions.append(wanted.facets.hold(columns["facet"]))
    if wanted.saved:
        others = [name for name in wanted.only.segments if name not in wanted.saved]
        conditions.append(sa.or_(_is_member(wanted.saved), _one_of(SCORES.c.segment, others)))
    if wanted.only.moved is not None and wanted.only.since is not None:
        conditions.append(_has_moved(wanted.only))
    return conditions


def _bounds(only: RiskFilter, columns: Columns) -> dict[str, Condition]:
    """The bounds of a filter by the column that they are about."""
    bounds: dict[str, Condition] = {}
    for name, low, high in (
        ("churn_probability", only.min_probability, only.max_probability),
        ("expected_loss", only.min_loss, only.max_loss),
        ("predicted_value", only.min_value, only.max_value),
    ):
        limits = [] if low is None else [columns[name] >= low]
        limits += [] if high is None else [columns[name] <= high]
        if limits:
            bounds[name] = sa.and_(*limits)
    return bounds


def _is_member(segments: Sequence[str]) -> Condition:
    """Whether the customer of a row is in one of the saved segments now."""
    of_customer = SEGMENT_MEMBERSHIPS.c.customer_id == SCORES.c.customer_id
    is_now = SEGMENT_MEMBERSHIPS.c.left_at.is_(None)
    return sa.exists().where(of_customer, SEGMENT_MEMBERSHIPS.c.segment.in_(segments), is_now)


def _has_moved(only: RiskFilter) -> Condition:
    """Whether the band of a row lies above, or below, that of the scoring at ``since``."""
    then, now = SCORE_HISTORY.c, SCORES.c
    rose = then.churn_probability < now.churn_probability
    fell = then.churn_probability > now.churn_probability
    return sa.exists().where(
        then.customer_id == now.customer_id,
        then.definition == now.definition,
        then.as_of == to_microseconds(only.since) if only.since else sa.false(),
        then.band != now.band,
        rose if only.moved == "up" else fell,
    )


def _order(sort: Sort, columns: Columns) -> list[sa.ColumnElement[Any]]:
    column = columns[sort.key]
    first = column.desc() if sort.is_descending else column.asc()
    return [first] if sort.key == "customer_id" else [first, columns["customer_id"].asc()]


def _parts(wanted: _Wanted, sort: Sort, start: Cursor | None, columns: Columns) -> list[list[Condition]]:
    """Conditions of the rows with a value and of those without, which come after; from the cursor on."""
    column, customer = columns[sort.key], columns["customer_id"]
    if sort.key == "customer_id":
        return [[] if start is None else [_beyond(sort, customer, start.customer_id)]]
    without: list[list[Condition]] = [[column.is_(None)]] if _may_lack(wanted, sort) else []
    if start is None:
        return [[column.is_not(None), *_first_value(wanted, sort, column)], *without]
    if start.value is None:
        return [[column.is_(None), customer > start.customer_id]]
    is_after = sa.or_(_beyond(sort, column, start.value), customer > start.customer_id)
    here_or_after = column <= start.value if sort.is_descending else column >= start.value
    return [[here_or_after, is_after], *without]


def _may_lack(wanted: _Wanted, sort: Sort) -> bool:
    """Whether a row that passes can be without a value to sort by."""
    if sort.key in _bounds(wanted.only, dict(SCORES.columns)):
        return False
    facets = wanted.facets
    return facets is None or facets.valued_count < facets.customer_count


def _first_value(wanted: _Wanted, sort: Sort, column: sa.ColumnElement[Any]) -> list[Condition]:
    """Where along the sort the rows of the facets begin: what comes before need not be walked."""
    if wanted.facets is None:
        return []
    if sort.is_descending:
        return [] if wanted.facets.high is None else [column <= wanted.facets.high]
    return [] if wanted.facets.low is None else [column >= wanted.facets.low]


def _beyond(sort: Sort, column: sa.ColumnElement[Any], value: Any) -> Condition:
    is_beyond: Condition = column < value if sort.is_descending else column > value
    return is_beyond
