"""Facets: the customers of a scoring who agree in segment, region, band, lever, treatment and holdout.

There are few beside the customers, and each knows how many it holds and within which bounds: which rows pass a filter
by groups is counted without looking at any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from recommender.store_schema import SCORE_FACETS, SCORE_GROUPS, SCORE_SORTS

if TYPE_CHECKING:
    from recommender.score_rows import ScoreRow

# More are asked for by a query within the query: no database takes a text of any length.
_LISTED = 5_000


@dataclass(frozen=True)
class Facets:
    """The facets that pass a filter by groups, with how many customers they hold."""

    condition: sa.Select[Any]
    rows: Sequence[sa.Row[Any]]

    @property
    def customer_count(self) -> int:
        """Customers of all of them."""
        return sum(row.customer_count for row in self.rows)

    def valued_count(self, sort: str) -> int:
        """Customers of all of them that have a value to sort by."""
        return sum(getattr(row, f"{sort}_count") for row in self.rows)

    def bounds(self, sort: str) -> tuple[float, float]:
        """The lowest and the highest value to sort by among them; at least one must have one."""
        valued = [row for row in self.rows if getattr(row, f"{sort}_count")]
        return min(getattr(row, f"{sort}_low") for row in valued), max(getattr(row, f"{sort}_high") for row in valued)

    def hold(self, facet: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """The condition that a row belongs to one of them."""
        if len(self.rows) > _LISTED:
            return facet.in_(self.condition)
        numbers = [row.facet for row in self.rows]
        return facet.in_(sa.bindparam("facets", numbers, expanding=True, literal_execute=True))


def facets_where(connection: sa.Connection, conditions: Iterable[sa.ColumnElement[bool]]) -> Facets:
    """The facets that meet all conditions, which are about columns of ``SCORE_FACETS``."""
    wanted = list(conditions)
    found = connection.execute(sa.select(SCORE_FACETS).where(*wanted)).all()
    return Facets(sa.select(SCORE_FACETS.c.facet).where(*wanted), found)


class FacetCounter:
    """Gives each row of a scoring the number of its facet, and remembers what the facets hold."""

    def __init__(self) -> None:
        self._facets: dict[tuple[Any, ...], dict[str, Any]] = {}

    def number_of(self, row: ScoreRow) -> int:
        """The facet of a row, which is counted as one of it."""
        key = (row.definition, row.segment, row.region, row.band, row.lever, row.treatment, row.is_holdout)
        facet = self._facets.get(key)
        if facet is None:
            facet = self._facets[key] = _begun(key, len(self._facets) + 1)
        facet["customer_count"] += 1
        for name in SCORE_SORTS:
            value = getattr(row, name)
            if value is not None:
                _count(facet, name, value)
        return int(facet["facet"])

    def values(self, generation: int) -> list[Mapping[str, Any]]:
        """The rows of ``SCORE_FACETS``."""
        return [{"generation": generation, **facet} for facet in self._facets.values()]


def _begun(key: tuple[Any, ...], number: int) -> dict[str, Any]:
    named = dict(zip(("definition", *SCORE_GROUPS), key, strict=True))
    figures = {f"{name}_{figure}": None for name in SCORE_SORTS for figure in ("low", "high")}
    return {**named, "facet": number, "customer_count": 0, **figures, **{f"{name}_count": 0 for name in SCORE_SORTS}}


def _count(facet: dict[str, Any], name: str, value: float) -> None:
    count, low, high = f"{name}_count", f"{name}_low", f"{name}_high"
    if not facet[count]:
        facet[low] = facet[high] = value
    elif value < facet[low]:
        facet[low] = value
    elif value > facet[high]:
        facet[high] = value
    facet[count] += 1
