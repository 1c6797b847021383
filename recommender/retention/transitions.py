"""How customers move between lifecycle states: where everybody stood at the beginning of each month, as of then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from recommender.periods import rfc3339
from recommender.retention.cohorts import month_start
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.segments import STATES, lifecycle_states
from recommender.tables import Table, as_of
from recommender.touchpoints import TABLES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MONTHS_AT_MOST = 13
# The state before the first row of a customer: rows of the matrix, never columns.
UNKNOWN = "unknown"
ORIGINS = (UNKNOWN, *STATES)


def _narrow(name: str, *columns: str) -> Table:
    declared = TABLES[name]
    return replace(declared, columns=tuple(declared[column] for column in columns))


# What states are told from.
STATE_TABLES: Mapping[str, Table] = {
    "customers": _narrow("customers", "customer_id", "signed_up_at"),
    "order_lines": _narrow("order_lines", "customer_id", "order_id", "ordered_at", "amount"),
    "subscriptions": _narrow("subscriptions", "customer_id", "started_at", "ended_at", "monthly_amount"),
}


def month_cutoffs(first_event: datetime, end: datetime) -> list[datetime]:
    """The beginnings of months after the first event and up to ``end``, at most the latest MONTHS_AT_MOST."""
    months = range(first_event.year * 12 + first_event.month, end.year * 12 + end.month)
    return [month_start(month) for month in months][-MONTHS_AT_MOST:]


def month_by_month(
    tables: Mapping[str, pd.DataFrame], cutoffs: Sequence[datetime], definition: ChurnDefinition
) -> np.ndarray:
    """Customers by cutoff, origin and state at the cutoff; those of buckets add up.

    Known at a cutoff is who has a row of one of STATE_TABLES by then. At the first cutoff everybody comes from
    ``unknown``.
    """
    import numpy as np
    import pandas as pd

    counts = np.zeros((len(cutoffs), len(ORIGINS), len(STATES)), dtype="int64")
    before = pd.Series(dtype="string")
    numbered = _numbered(tables)
    for place, cutoff in enumerate(cutoffs):
        known = {name: as_of(table, numbered[name], cutoff) for name, table in STATE_TABLES.items()}
        ids = pd.concat([frame["customer_id"] for frame in known.values()]).unique()
        states = lifecycle_states(known, pd.Index(ids), cutoff, definition)
        origins = before.reindex(states.index).fillna(UNKNOWN)
        np.add.at(counts[place], (_places(origins, ORIGINS), _places(states, STATES)), 1)
        before = states
    return counts


def _numbered(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables with numbers in place of the ids: they are compared at every cutoff."""
    import pandas as pd

    numbers = pd.factorize(pd.concat([tables[name]["customer_id"] for name in STATE_TABLES]))[0]
    kept, start = {}, 0
    for name in STATE_TABLES:
        end = start + len(tables[name])
        kept[name] = tables[name].assign(customer_id=numbers[start:end])
        start = end
    return kept


def transition_facts(counts: np.ndarray, cutoffs: Sequence[datetime], definition: ChurnDefinition) -> dict[str, Any]:
    """Customers in each state at each cutoff, and from each origin to each state between two of them."""
    times = [rfc3339(cutoff) for cutoff in cutoffs]
    return {
        "told_by": "subscriptions" if definition.contractual else "orders",
        "activity_days": definition.activity_days,
        "states": [
            {"at": at, "customers": dict(zip(STATES, map(int, moved.sum(axis=0)), strict=True))}
            for at, moved in zip(times, counts, strict=True)
        ],
        "transitions": [
            {"from_at": start, "to_at": end, "customers": _matrix(moved)}
            for (start, end), moved in zip(pairwise(times), counts[1:], strict=True)
        ],
    }


def _matrix(moved: np.ndarray) -> dict[str, dict[str, int]]:
    return {origin: dict(zip(STATES, map(int, row), strict=True)) for origin, row in zip(ORIGINS, moved, strict=True)}


def _places(names: pd.Series, order: Sequence[str]) -> np.ndarray:
    import pandas as pd

    places: np.ndarray = pd.Index(order).get_indexer(names)
    return places
