"""The items that pass a filter, looked for in the whole catalogue where the best candidates hold too few of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import sqlalchemy as sa

from recommender import candidates
from recommender.answers import ItemReason
from recommender.filter_sql import FilterBounds
from recommender.filter_terms import Owner
from recommender.filters import Filter
from recommender.item_lists import Candidate
from recommender.placements import BEST_SELLERS, FOR_YOU, NEW_FOR_YOU, POPULAR
from recommender.store_engine import reading
from recommender.store_queries import stored_columns
from recommender.store_rows import row_from_sql
from recommender.strategies import FILTERED_DEPTH, personal
from recommender.touchpoints import table_named
from recommender.visits import NOBODY, Visit

# So many rows take a quarter of a second.
ROWS_AT_MOST = 20_000
_ROWS_AT_ONCE = 1_000
_PASSES = ItemReason("passes_filter", "Fits what was asked for")


class FilterMatches:
    """What passes the filters of one request; the store is asked once, and only if a strategy comes to need it."""

    def __init__(self, visit: Visit, filters: Sequence[Filter]) -> None:
        self._visit = visit
        self._filters = filters

    @cached_property
    def allowed(self) -> np.ndarray:
        """Marks the items of the bundle that pass, at most FILTERED_DEPTH.

        At most ROWS_AT_MOST rows are looked at: those are all that SQL cannot rule out, unless the filter is one of
        which SQL can say nothing, as of numbers in attributes, and the catalogue is larger.
        """
        items = self._visit.bundle.items
        found = [place for item_id in self._passing() if (place := items.position(item_id)) is not None]
        allowed = np.zeros(len(items), dtype=bool)
        allowed[found] = True
        return allowed

    def _passing(self) -> list[str]:
        table, store = table_named("items"), self._visit.store
        row = self._visit.profile.row if self._visit.is_personal else None
        bounds = FilterBounds(Owner(row or {}), store.engine.dialect.name)
        conditions = [bound for one in self._filters if (bound := bounds.of(one.term)) is not None]
        tests = [one.for_customer(row) for one in self._filters]
        query = sa.select(*stored_columns(table)).where(*conditions).limit(ROWS_AT_MOST)
        passing: list[str] = []
        with reading(store.engine) as connection:
            for values in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)):
                item = row_from_sql(table, values)
                if all(passes(item["item_id"], item) for passes in tests):
                    passing.append(item["item_id"])
                if len(passing) >= FILTERED_DEPTH:
                    break
        return passing

    def personal(self, strategy: str) -> Sequence[Candidate]:
        """Those that fit the customer best."""
        return _told(personal(self._visit, strategy, lambda: self.allowed))

    def popular(self, strategy: str) -> Sequence[Candidate]:
        """Those that suit anybody best."""
        visit = self._visit
        return _told(candidates.from_events(visit.bundle, NOBODY, (), strategy, visit.as_of, {}, allowed=self.allowed))

    def deeper(self, strategy: str) -> Callable[[], Sequence[Candidate]] | None:
        """How a strategy goes on among all that passes, None for one that cannot."""
        way = _DEEPER.get(strategy)
        return None if way is None else lambda: way(self, strategy)


_DEEPER: Mapping[str, Callable[[FilterMatches, str], Sequence[Candidate]]] = {
    FOR_YOU: FilterMatches.personal,
    NEW_FOR_YOU: FilterMatches.personal,
    BEST_SELLERS: FilterMatches.popular,
    POPULAR: FilterMatches.popular,
}


def _told(listed: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, those without evidence of their own with the reason that they pass."""
    return [
        one if one.count or one.evidence_item_id or not _is_vague(one.reason) else replace(one, reason=_PASSES)
        for one in listed
    ]


def _is_vague(reason: ItemReason | None) -> bool:
    return reason is None or reason.code in {candidates.OF_LIKE_TASTE, "popular", "recent", "in_range"}
