"""A caller's list in the order that suits a customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from recommender import item_candidates
from recommender.answers import ItemReason, RecommendedItem, Reranking
from recommender.bundle import ModelBundle
from recommender.candidates import from_events
from recommender.event_store import EventStore
from recommender.item_lists import Candidate, present
from recommender.list_requests import ListRequest
from recommender.placements import FOR_YOU, POPULAR
from recommender.visits import Visit

AS_GIVEN = "as_given"
_UNKNOWN = ItemReason("unknown_item", "Nothing is known of this item")
_UNSCORED = ItemReason("not_scored", "The item came after the last training")


def rerank(
    store: EventStore, bundle: ModelBundle | None, request: ListRequest, item_ids: Sequence[str], now: datetime
) -> Reranking:
    """The items given, each once, in the order that suits who asks.

    Items that the model does not know keep their order behind those that it does; then come those that nobody knows,
    which are told as missing. Without anything known of who asks, or any customer to learn from, the order is that of
    popularity.
    """
    distinct = list(dict.fromkeys(item_ids))
    rows = store.rows_by_key("items", distinct)
    visit = Visit(store, bundle, request, now) if bundle else None
    scored, fallback = _scored(visit, distinct)
    missing = [one for one in distinct if one not in rows and (bundle is None or bundle.items.position(one) is None)]
    rest = [one for one in distinct if one not in scored and one not in set(missing)]
    order = sorted(scored.values(), key=lambda one: -one.score)
    behind = [Candidate(one, 0.0, AS_GIVEN, reason=_UNSCORED) for one in rest]
    last = [Candidate(one, 0.0, AS_GIVEN, reason=_UNKNOWN) for one in missing]
    profile = visit.profile if visit else store.profile(request.customer_id or "")
    return Reranking(
        customer_id=request.customer_id,
        session_id=request.session_id,
        customer_known=profile.known,
        strategy=fallback or FOR_YOU,
        fallback=fallback,
        model_version=bundle.version if bundle else None,
        as_of=visit.as_of if visit else None,
        items=_presented(store, [*order, *behind, *last], rows, request.include),
        missing_ids=tuple(missing),
        warnings=tuple(_warnings(item_ids, distinct, missing, rest)),
    )


def _scored(visit: Visit | None, item_ids: Sequence[str]) -> tuple[dict[str, Candidate], str | None]:
    """The items that can be scored, and what stands in for the customer's own taste."""
    if visit is None:
        return {}, AS_GIVEN
    wanted = set(item_ids)
    if visit.events and len(visit.bundle.customers):
        only = np.zeros(len(visit.bundle.items), dtype=bool)
        places = map(visit.bundle.items.position, item_ids)
        only[[place for place in places if place is not None]] = True
        found: Sequence[Candidate] = from_events(
            visit.bundle,
            visit.learned_id,
            visit.events,
            FOR_YOU,
            visit.as_of,
            visit.bought,
            depth=len(wanted),
            allowed=only,
        )
        return {one.item_id: one for one in found}, None
    popular = item_candidates.best_sellers(visit.bundle)
    return {one.item_id: one for one in popular if one.item_id in wanted}, POPULAR


def _presented(
    store: EventStore, listed: Sequence[Candidate], rows: dict[str, dict[str, object]], include: frozenset[str]
) -> tuple[RecommendedItem, ...]:
    evidence = {one.evidence_item_id for one in listed if one.evidence_item_id} - set(rows)
    return present(listed, rows | store.rows_by_key("items", sorted(evidence)), include=include)


def _warnings(given: Sequence[str], distinct: list[str], missing: list[str], rest: list[str]) -> list[str]:
    told = [
        (len(given) - len(distinct), "items were given more than once and count once"),
        (len(missing), "items are unknown and come last"),
        (len(rest), "items came after the last training and keep their order behind the others"),
    ]
    return [f"{count} {what}" for count, what in told if count]
