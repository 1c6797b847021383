"""Where the candidates of a list come from: precomputed slates, a live score, neighbours, what is popular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from recommender.bundle import ModelBundle, Slates
from recommender.item_lists import Candidate
from recommender.live_history import Event, matrix_of, purchases
from recommender.placements import BUY_AGAIN, NEW_FOR_YOU, POPULAR
from recommender.ranking import mask
from recommender.top_items import top_items

# A list shows at most 100; the rest replaces what cannot be sold.
DEPTH = 150


def from_slate(bundle: ModelBundle, customer: int, strategy: str) -> list[Candidate]:
    """The precomputed slate of a customer."""
    slates = bundle.slates["new" if strategy == NEW_FOR_YOU else "all"]
    entries = _entries(slates, customer)
    if strategy == NEW_FOR_YOU:
        return explain_by_neighbours(bundle, entries, _bought_in_slate(bundle, customer), strategy)
    counts = bundle.history["counts"][customer].tolist()
    ages = bundle.history["last_age_days"][customer].tolist()
    bought = {
        bundle.items[position]: (counts[place], ages[place])
        for place, (position, _) in enumerate(entries)
        if counts[place] > 0
    }
    return _with_history(bundle, entries, bought, strategy)


def from_events(
    bundle: ModelBundle, customer_id: str, events: Sequence[Event], strategy: str, as_of: datetime
) -> list[Candidate]:
    """The slate of a customer as the shipped model scores it now, from the events given."""
    answer = "new" if strategy == NEW_FOR_YOU else "all"
    matrix = matrix_of(customer_id, events, bundle.items, as_of)
    scores = mask(bundle.models[answer].score(matrix), matrix, seen=strategy == NEW_FOR_YOU, allowed=None)
    positions, best = top_items(scores, min(DEPTH, len(bundle.items)))
    entries = [(int(one), float(score)) for one, score in zip(positions[0], best[0], strict=True) if one >= 0]
    bought = {
        item_id: (count, max((as_of - last).total_seconds(), 0.0) / 86_400.0)
        for item_id, (count, last) in purchases(events).items()
    }
    if strategy == NEW_FOR_YOU:
        met = list(bought) or list(dict.fromkeys(event.item_id for event in reversed(events)))
        owned = [place for place in map(bundle.items.position, met) if place is not None]
        return explain_by_neighbours(bundle, entries, owned, strategy)
    return _with_history(bundle, entries, bought, strategy)


def popular(bundle: ModelBundle, limit: int | None = None) -> list[Candidate]:
    """What many customers bought lately, the best ``limit`` where one is given."""
    return [Candidate(bundle.items[one], score, POPULAR) for one, score in _entries(bundle.popular, 0, limit)]


def explain_by_neighbours(
    bundle: ModelBundle, entries: Sequence[tuple[int, float]], owned: Sequence[int], strategy: str
) -> list[Candidate]:
    """Candidates with the best of the customer's own items among their neighbours as evidence, where there is one."""
    order = {position: place for place, position in enumerate(owned)}
    explained = []
    for position, score in entries:
        neighbours = [one for one in bundle.similar.positions[position].tolist() if one in order]
        evidence = bundle.items[min(neighbours, key=order.__getitem__)] if neighbours else None
        explained.append(Candidate(bundle.items[position], score, strategy, evidence_item_id=evidence))
    return explained


def _with_history(
    bundle: ModelBundle, entries: Sequence[tuple[int, float]], bought: Mapping[str, tuple[int, float]], strategy: str
) -> list[Candidate]:
    listed = []
    for position, score in entries:
        item_id = bundle.items[position]
        count, age = bought.get(item_id, (0, None))
        if count or strategy != BUY_AGAIN:
            listed.append(Candidate(item_id, score, strategy, count, age))
    return listed


def _entries(slates: Slates, row: int, limit: int | None = None) -> list[tuple[int, float]]:
    positions, scores = slates.positions[row, :limit].tolist(), slates.scores[row, :limit].tolist()
    return [(one, score) for one, score in zip(positions, scores, strict=True) if one >= 0]


def _bought_in_slate(bundle: ModelBundle, customer: int) -> list[int]:
    positions = np.asarray(bundle.slates["all"].positions[customer])
    return [int(one) for one in positions[np.asarray(bundle.history["counts"][customer]) > 0]]
