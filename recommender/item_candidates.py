"""Candidates that start from items, from a session or from the rhythm of purchases, out of a bundle."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from recommender.bundle import ModelBundle, Slates
from recommender.crowd_reasons import of_everybody
from recommender.item_lists import Candidate
from recommender.live_history import Event, matrix_of
from recommender.models.repurchase_intervals import Purchased

SIMILAR, TOGETHER, NEXT_ITEM, DUE = "similar_items", "bought_together", "next_in_session", "due_again"
TRENDING, NEW_ARRIVALS, BEST_SELLERS = "trending", "new_arrivals", "popular_items"


@dataclass(frozen=True)
class SessionReading:
    """How a session tells what comes next: by its last ``events``, each ``decay`` times the one after it.

    ``strategy`` says how an item found so is named.
    """

    events: int = 5
    decay: float = 0.7
    strategy: str = NEXT_ITEM


def similar(bundle: ModelBundle, positions: Sequence[int]) -> list[Candidate]:
    """Items like those at the positions, by customers and features; those that are like several come first."""
    return _combined(bundle, "similar", dict.fromkeys(positions, 1.0), SIMILAR)


def bought_together(bundle: ModelBundle, positions: Sequence[int]) -> list[Candidate]:
    """Items that stand in baskets with those at the positions; of several seeds the scores are added.

    Best sellers that are expected there, though none of the seeds was seen with them, stand among them as what they
    are. Where there is nothing else, nothing is known.
    """
    return _combined(bundle, "bought_together", dict.fromkeys(positions, 1.0), TOGETHER, expected="expected_together")


def next_in_session(bundle: ModelBundle, events: Iterable[Event]) -> list[Candidate]:
    """What comes next after the events of a session, oldest first; ids outside the catalogue say nothing.

    How the events are read was chosen with the model (``facts`` of the bundle).
    """
    reading = SessionReading(**bundle.facts.get("session", {}))
    known = [place for event in events if (place := bundle.items.position(event.item_id)) is not None]
    weights: dict[int, float] = {}
    for steps_back, place in enumerate(reversed(known[-reading.events :])):
        weights.setdefault(place, reading.decay**steps_back)
    return _combined(bundle, "next_item", weights, reading.strategy)


def trending(bundle: ModelBundle, limit: int | None = None) -> list[Candidate]:
    """What sells more and more, the best ``limit`` where one is given; nothing that does not."""
    return [one for one in _listed(bundle, bundle.lists.get("trending"), TRENDING, limit) if one.score > 0]


def new_arrivals(bundle: ModelBundle, limit: int | None = None) -> list[Candidate]:
    """What came into the catalogue lately, the newest first."""
    return _listed(bundle, bundle.lists.get("new_arrivals"), NEW_ARRIVALS, limit)


def best_sellers(bundle: ModelBundle, category: str | None = None, limit: int | None = None) -> list[Candidate]:
    """What many customers bought lately, of everything or of a category path and those below it."""
    if category is None:
        return _told(bundle, _entries(bundle.popular, 0, limit))
    row = bundle.categories.position(category)
    if row is None or bundle.category_lists is None:
        return []
    return _told(bundle, _entries(bundle.category_lists, row, limit))


def due_again(bundle: ModelBundle, customer: int, limit: int | None = None) -> list[Candidate]:
    """What the customer at a position buys again, the most probable next first, as of the bundle."""
    if not bundle.due:
        return []
    parts = ("positions", "scores", "counts", "last_age_days", "interval_days")
    entries = zip(*(bundle.due[name][customer, :limit].tolist() for name in parts), strict=True)
    return [_due(bundle, *entry) for entry in entries if entry[0] >= 0]


def due_again_from_events(
    bundle: ModelBundle, customer_id: str, events: Sequence[Event], as_of: datetime
) -> list[Candidate]:
    """``due_again`` from the customer's events as of an instant."""
    model = bundle.models.get("repurchase")
    if model is None:
        return []
    pairs = Purchased.of(matrix_of(customer_id, events, bundle.items, as_of, has_orders=bundle.has_orders))
    found = model.forecast(pairs, bundle.horizon_days)
    order = np.lexsort((pairs.columns, -found.probabilities))
    facts = (pairs.columns, found.probabilities, pairs.counts, pairs.last_age_days, found.told_days)
    return [_due(bundle, *entry) for entry in zip(*(fact[order].tolist() for fact in facts), strict=True)]


def customers_for(bundle: ModelBundle, position: int) -> list[tuple[int, float]]:
    """Positions of the customers in whose slates an item stands highest, with a score, best first."""
    slates = bundle.item_slates.get("customers")
    return _entries(slates, position) if slates is not None else []


def _due(bundle: ModelBundle, item: int, score: float, count: int, age_days: float, interval: float) -> Candidate:
    known = None if math.isnan(interval) else interval
    return Candidate(bundle.items[item], score, DUE, count, age_days, interval_days=known)


def _combined(
    bundle: ModelBundle, name: str, weights: dict[int, float], strategy: str, expected: str | None = None
) -> list[Candidate]:
    """The rows of several seeds added up, without the seeds; the evidence is the seed that gave most.

    What only the slates ``expected`` name adds to the score and is no evidence.
    """
    sums: dict[int, float] = {}
    strongest: dict[int, tuple[float, int]] = {}
    for seed, position, share in _shares(bundle.item_slates.get(name), weights):
        sums[position] = sums.get(position, 0.0) + share
        strongest[position] = max(strongest.get(position, (0.0, seed)), (share, seed), key=lambda one: one[0])
    if not strongest:
        return []
    for _, position, share in _shares(bundle.item_slates.get(expected or ""), weights):
        sums[position] = sums.get(position, 0.0) + share
    order = sorted(sums, key=lambda position: (-sums[position], position))
    return [
        Candidate(bundle.items[one], sums[one], strategy, evidence_item_id=bundle.items[strongest[one][1]])
        if one in strongest
        else Candidate(bundle.items[one], sums[one], BEST_SELLERS, reason=of_everybody(bundle, one))
        for one in order
    ]


def _shares(slates: Slates | None, weights: dict[int, float]) -> Iterator[tuple[int, int, float]]:
    """Seed, item and what the seed gives it, for all items in the rows of the seeds that are no seeds themselves."""
    if slates is None:
        return
    for seed, weight in weights.items():
        yield from ((seed, one, weight * score) for one, score in _entries(slates, seed) if one not in weights)


def _listed(bundle: ModelBundle, slates: Slates | None, strategy: str, limit: int | None) -> list[Candidate]:
    if slates is None:
        return []
    return [Candidate(bundle.items[position], score, strategy) for position, score in _entries(slates, 0, limit)]


def _told(bundle: ModelBundle, entries: Iterable[tuple[int, float]]) -> list[Candidate]:
    """Best sellers with how many customers each has lately."""
    return [
        Candidate(bundle.items[position], score, BEST_SELLERS, reason=of_everybody(bundle, position))
        for position, score in entries
    ]


def _entries(slates: Slates, row: int, limit: int | None = None) -> list[tuple[int, float]]:
    positions, scores = slates.positions[row, :limit].tolist(), slates.scores[row, :limit].tolist()
    return [(one, score) for one, score in zip(positions, scores, strict=True) if one >= 0]
