"""Facets: the customers of a scoring who agree in segment, region, band, lever, treatment and holdout.

There are few beside the customers, and each knows how many it holds and within which bounds: which rows pass a filter
by groups is counted without looking at any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from recommender.store_schema import SCORE_FACETS, SCORE_GROUPS, SCORE_SORTS

if TYPE_CHECKING:
    from recommender.score_rows import ScoreRow

# More are asked for by a query within the query: no database takes a text of any length.
_LISTED = 5_000


@dataclass(frozen=True)
class Facets:
    """The facets that pass a filter by groups: how many customers they hold, and their values to sort by.

    ``valued_count`` of the customers have such a value, from ``low`` to ``high``.
    """

    condition: sa.Select[Any]
    numbers: Sequence[int]
    customer_count: int
    valued_count: int = 0
    low: float | None = None
    high: float | None = None

    def hold(self, facet: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """The condition that a row belongs to one of them."""
        if len(self.numbers) > _LISTED:
            return facet.in_(self.condition)
        # As one piece of text: thousands of parameters take longer than the query.
        listed = ", ".join(map(str, self.numbers)) or "NULL"
        return facet.op("IN", is_comparison=True, return_type=sa.Boolean())(sa.literal_column(f"({listed})"))


def facets_where(connection: sa.Connection, conditions: Iterable[sa.ColumnElement[bool]], sort: str) -> Facets:
    """The facets that meet all conditions, which are about columns of ``SCORE_FACETS``."""
    wanted, of = list(conditions), SCORE_FACETS.c
    condition = sa.select(of.facet).where(*wanted)
    figures = (of[f"{sort}_{figure}"] for figure in ("count", "low", "high")) if sort in SCORE_SORTS else ()
    found = [tuple(one) for one in connection.execute(sa.select(of.facet, of.customer_count, *figures).where(*wanted))]
    held = Facets(condition, [one[0] for one in found], sum(one[1] for one in found))
    if sort not in SCORE_SORTS:
        return held
    lows, highs = ([one[place] for one in found if one[place] is not None] for place in (3, 4))
    counted = sum(one[2] for one in found)
    return replace(held, valued_count=counted, low=min(lows, default=None), high=max(highs, default=None))


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
