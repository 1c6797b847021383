"""Where the candidates of a list come from: precomputed slates, a live score, neighbours, what is popular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from scipy import sparse

from recommender.answers import ItemReason
from recommender.bundle import PROFILE, ModelBundle, Slates
from recommender.crowd_reasons import of_everybody
from recommender.feature_matrices import features_of_customer
from recommender.interaction_matrix import FeatureMatrix
from recommender.item_lists import Candidate
from recommender.live_history import Event, Purchases, matrix_of
from recommender.placements import BUY_AGAIN, NEW_FOR_YOU
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
    return _with_history(bundle, entries, bought, strategy, _bought_in_slate(bundle, customer))


def from_events(
    bundle: ModelBundle,
    customer_id: str,
    events: Sequence[Event],
    strategy: str,
    as_of: datetime,
    bought: Purchases,
    *,
    depth: int = DEPTH,
    allowed: np.ndarray | None = None,
) -> list[Candidate]:
    """The ``depth`` best items of a customer as the shipped model scores them now, from the events given.

    ``bought`` tells all purchases, also those older than the events; ``allowed`` marks the items that may be chosen.
    """
    is_new = strategy == NEW_FOR_YOU
    matrix = matrix_of(customer_id, events, bundle.items, as_of, has_orders=bundle.has_orders)
    scores = bundle.models["new" if is_new else "all"].score(matrix)
    scores = mask(scores, matrix, seen=is_new, allowed=_never_bought(bundle, bought, allowed) if is_new else allowed)
    positions, best = top_items(scores, min(depth, len(bundle.items)))
    entries = [(int(one), float(score)) for one, score in zip(positions[0], best[0], strict=True) if one >= 0]
    met = list(bought) or list(dict.fromkeys(event.item_id for event in reversed(events)))
    owned = [place for place in map(bundle.items.position, met) if place is not None]
    if is_new:
        return explain_by_neighbours(bundle, entries, owned, strategy)
    aged = {item_id: (count, _age_days(last, as_of)) for item_id, (count, last) in bought.items()}
    return _with_history(bundle, entries, aged, strategy, owned)


def _never_bought(bundle: ModelBundle, bought: Purchases, allowed: np.ndarray | None) -> np.ndarray:
    left = np.ones(len(bundle.items), dtype=bool) if allowed is None else allowed.copy()
    left[[place for item_id in bought if (place := bundle.items.position(item_id)) is not None]] = False
    return left


def _age_days(moment: datetime, as_of: datetime) -> float:
    return max((as_of - moment).total_seconds(), 0.0) / 86_400.0


def from_attributes(
    bundle: ModelBundle, row: Mapping[str, Any], strategy: str, as_of: datetime, *, allowed: np.ndarray | None = None
) -> list[Candidate]:
    """The slate of a customer without any event, from the customers row.

    Empty where attributes were not shown to say more than popularity, or the row has none that were met. ``allowed``
    marks the items that may be chosen.
    """
    model = bundle.models.get(PROFILE)
    names = features_of_customer(row)
    if model is None or not set(names).intersection(model.feature_names_):
        return []
    features = FeatureMatrix(names, sparse.csr_matrix(np.ones((1, len(names)), dtype=np.float32)))
    nothing = matrix_of("", [], bundle.items, as_of, has_orders=bundle.has_orders)
    matrix = replace(nothing, customer_features=features)
    scores = mask(model.score(matrix), matrix, seen=False, allowed=allowed)
    positions, best = top_items(scores, min(DEPTH, len(bundle.items)))
    return [
        Candidate(bundle.items[int(one)], float(score), strategy, reason=_LIKE_YOU)
        for one, score in zip(positions[0], best[0], strict=True)
        if one >= 0
    ]


_LIKE_YOU = ItemReason("profile", "Liked by customers like you")
OF_LIKE_TASTE = "customers_like_you"


def _without_evidence(bundle: ModelBundle, position: int, *, is_known: bool) -> ItemReason:
    """Why an item is shown to a customer of whom something is known, or nothing."""
    if not is_known or position in bundle.best_sellers or position not in bundle.customers_ever:
        return of_everybody(bundle, position)
    return ItemReason(OF_LIKE_TASTE, f"Customers like you {'buy' if bundle.has_orders else 'look at'} this")


def explain_by_neighbours(
    bundle: ModelBundle, entries: Sequence[tuple[int, float]], owned: Sequence[int], strategy: str
) -> list[Candidate]:
    """Candidates with the best of the customer's own items among their neighbours as evidence, where there is one.

    What has none, is not popular, and was bought at all, is bought by those of like taste: so the models found it.
    """
    order = {position: place for place, position in enumerate(owned)}
    explained = []
    for position, score in entries:
        neighbours = [one for one in bundle.similar.positions[position].tolist() if one in order]
        evidence = bundle.items[min(neighbours, key=order.__getitem__)] if neighbours else None
        reason = None if evidence else _without_evidence(bundle, position, is_known=bool(owned))
        explained.append(Candidate(bundle.items[position], score, strategy, evidence_item_id=evidence, reason=reason))
    return explained


def _with_history(
    bundle: ModelBundle,
    entries: Sequence[tuple[int, float]],
    bought: Mapping[str, tuple[int, float]],
    strategy: str,
    owned: Sequence[int],
) -> list[Candidate]:
    """Candidates with what the customer bought of them; the others, which buy again leaves out, by their neighbours."""
    listed = []
    for candidate in explain_by_neighbours(bundle, entries, owned, strategy):
        if candidate.item_id in bought:
            count, age = bought[candidate.item_id]
            listed.append(Candidate(candidate.item_id, candidate.score, strategy, count, age))
        elif strategy != BUY_AGAIN:
            listed.append(candidate)
    return listed


def _entries(slates: Slates, row: int, limit: int | None = None) -> list[tuple[int, float]]:
    positions, scores = slates.positions[row, :limit].tolist(), slates.scores[row, :limit].tolist()
    return [(one, score) for one, score in zip(positions, scores, strict=True) if one >= 0]


def _bought_in_slate(bundle: ModelBundle, customer: int) -> list[int]:
    positions = np.asarray(bundle.slates["all"].positions[customer])
    return [int(one) for one in positions[np.asarray(bundle.history["counts"][customer]) > 0]]
