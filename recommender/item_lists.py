"""Scored candidates and what a list says of them: what may be sold, how they are spread, reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recommender.answers import ItemReason, RecommendedItem
from recommender.live_history import describe
from recommender.models.repurchase_intervals import OWN_INTERVALS
from recommender.placements import BUY_AGAIN
from recommender.tables import ATTRIBUTES, attributes_of


@dataclass(frozen=True)
class Candidate:
    """An item that may be shown: its score, the strategy that found it, and the evidence for it.

    ``count`` and ``last_age_days`` tell the customer's own purchases of it; ``evidence_item_id`` names another item
    that the customer bought and that led to this one. ``interval_days`` is the time between two purchases of it
    as it is told, where the candidate was found by that and it is known. ``propensity`` is the probability that the
    list shows it, ``reason`` stands where the strategy alone can tell why.
    """

    item_id: str
    score: float
    strategy: str
    count: int = 0
    last_age_days: float | None = None
    evidence_item_id: str | None = None
    interval_days: float | None = None
    propensity: float = 1.0
    reason: ItemReason | None = None


ItemRows = Mapping[str, Mapping[str, Any]]
# These strategies offer an item because it was bought before.
_REPEATS = frozenset({BUY_AGAIN, "due_again"})


def is_sellable(row: Mapping[str, Any] | None, at: datetime) -> bool:
    """Whether an item can be sold at an instant; one without a row of its own can."""
    if row is None:
        return True
    begins, ends = row.get("available_from"), row.get("available_until")
    started = begins is None or begins <= at
    return row.get("is_available") is not False and started and (ends is None or ends > at)


def is_used_up(row: Mapping[str, Any] | None) -> bool | None:
    """Whether the shop says of an item that it is bought again when used up; None where it says nothing."""
    said: bool | None = (row or {}).get("is_replenishable")
    return said


def may_repeat(candidate: Candidate, row: Mapping[str, Any] | None) -> bool:
    """Whether a candidate is none that is to be bought again although the shop says that it is not used up."""
    return candidate.strategy not in _REPEATS or is_used_up(row) is not False


def spread(candidates: Sequence[Candidate], rows: ItemRows, *, limit: int, diversity: float) -> list[Candidate]:
    """The ``limit`` candidates to show, by maximal marginal relevance over their category paths.

    ``diversity`` 0 keeps the order of relevance, 1 looks at difference alone. Relevance is the place in the list,
    1 for the first down to 0, because scores of different models have no common unit. Carbonell and Goldstein (1998).
    """
    if diversity <= 0 or limit <= 1:
        return list(candidates[:limit])
    paths = [_path(rows.get(candidate.item_id)) for candidate in candidates]
    relevance = [1.0 - place / max(len(candidates) - 1, 1) for place in range(len(candidates))]
    nearest = [0.0] * len(candidates)
    left = list(range(len(candidates)))
    chosen: list[int] = []
    while left and len(chosen) < limit:
        best = max(left, key=lambda one: (1 - diversity) * relevance[one] - diversity * nearest[one])
        left.remove(best)
        chosen.append(best)
        for one in left:
            nearest[one] = max(nearest[one], _closeness(paths[one], paths[best]))
    return [candidates[one] for one in chosen]


def _path(row: Mapping[str, Any] | None) -> tuple[str, ...]:
    category = (row or {}).get("category") or ""
    return tuple(part.strip() for part in category.split(">") if part.strip())


def _closeness(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Share of the category path that two items have in common, from its start."""
    common = 0
    for part, counterpart in zip(one, other, strict=False):
        if part != counterpart:
            break
        common += 1
    return common / max(len(one), len(other), 1)


def present(
    candidates: Sequence[Candidate], rows: ItemRows, *, include: frozenset[str] = frozenset(), first_rank: int = 1
) -> tuple[RecommendedItem, ...]:
    """The list as it is answered, ranked from ``first_rank`` on, each item with its reason."""
    return tuple(
        RecommendedItem(
            item_id=candidate.item_id,
            rank=rank,
            score=round(float(candidate.score), 6),
            strategy=candidate.strategy,
            reasons=(reason_for(candidate, rows),),
            properties=_properties(rows.get(candidate.item_id)) if "properties" in include else None,
            propensity=candidate.propensity,
        )
        for rank, candidate in enumerate(candidates, start=first_rank)
    )


def reason_for(candidate: Candidate, rows: ItemRows) -> ItemReason:
    """Why an item is shown: the customer's own purchases, else what it goes with, else how it was found."""
    if candidate.reason is not None:
        return candidate.reason
    if candidate.interval_days is not None and is_due(candidate):
        return ItemReason("due_again", _due_again(candidate, candidate.interval_days), candidate.item_id)
    if candidate.count > 0:
        return ItemReason("bought_before", _bought_before(candidate), candidate.item_id)
    if candidate.evidence_item_id is not None:
        code, sentence = _LED_BY_ITEM.get(candidate.strategy, ("goes_with", "Goes with {}"))
        title = describe(rows.get(candidate.evidence_item_id), candidate.evidence_item_id)
        return ItemReason(code, sentence.format(title), candidate.evidence_item_id)
    return _LED_BY_ALL.get(candidate.strategy, IN_RANGE)


_LED_BY_ITEM = {
    "similar_items": ("similar", "Similar to {}"),
    "bought_together": ("bought_together", "Bought together with {}"),
    "next_in_session": ("next_in_session", "Often follows {}"),
    "same_session": ("same_session", "Often in the same visit as {}"),
}
_LED_BY_ALL = {
    "trending": ItemReason("trending", "More and more customers buy this"),
    "new_arrivals": ItemReason("new_arrival", "New in the shop"),
    "pinned": ItemReason("pinned", "Chosen by the shop"),
    "recent_orders": ItemReason("recent", "Customers ordered this lately"),
}
# What claims nothing.
IN_RANGE = ItemReason("in_range", "From the range of the shop")


def is_due(candidate: Candidate) -> bool:
    """Whether as many whole days have passed since the last purchase as are told to lie between two of them."""
    interval, age = candidate.interval_days, candidate.last_age_days
    return candidate.count > 0 and interval is not None and age is not None and int(age) >= _whole_days(interval)


def due_first(shown: Sequence[Candidate]) -> list[Candidate]:
    """What is shown, with what is due at the first places of what is bought again, both in the order given.

    Chosen so from all that was bought, what was given up long ago would go before what is bought every few days.
    """
    listed = list(shown)
    places = [place for place, one in enumerate(shown) if one.strategy in _REPEATS]
    for place, source in zip(places, sorted(places, key=lambda one: not is_due(shown[one])), strict=True):
        listed[place] = shown[source]
    return listed


def _whole_days(interval_days: float) -> int:
    return max(round(interval_days), 1)


def _due_again(candidate: Candidate, interval_days: float) -> str:
    days, last = _whole_days(interval_days), ago(candidate.last_age_days or 0.0)
    if candidate.count > OWN_INTERVALS:
        every = f"every {days} days" if days > 1 else "every day"
        return f"You buy this about {every}; the last time was {last}"
    after = f"{days} days" if days > 1 else "a day"
    return f"Customers who buy this again do so after about {after}; you last bought it {last}"


def ago(age_days: float) -> str:
    """How long ago something was, in words."""
    days = int(age_days)
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")


def _bought_before(candidate: Candidate) -> str:
    times = {1: "once", 2: "twice"}.get(candidate.count, f"{candidate.count} times")
    if candidate.last_age_days is None:
        return f"You bought this {times}"
    return f"You bought this {times}, the last time {ago(candidate.last_age_days)}"


def _properties(row: Mapping[str, Any] | None) -> dict[str, Any]:
    given = row or {}
    shown = ("title", "category", "brand", "price", "product_group_id")
    return {**{name: given.get(name) for name in shown}, ATTRIBUTES: attributes_of(given)}
