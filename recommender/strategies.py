"""How items are found for a list: a registry from the name of a strategy to the function that finds candidates.

A function gets the visit and returns candidates, best first, or none where it has nothing to go by: then the next
strategy of the placement is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import numpy as np

from recommender import candidates, item_candidates
from recommender.answers import ItemReason
from recommender.item_lists import Candidate, ago
from recommender.live_history import ALWAYS, Event
from recommender.placements import (
    BASKET,
    BEST_SELLERS,
    BUY_AGAIN,
    FOR_YOU,
    IN_CART,
    NEW_ARRIVALS,
    NEW_FOR_YOU,
    ON_SALE,
    POPULAR,
    SESSION,
    SIMILAR,
    SIMILAR_TO_LAST,
    TRENDING,
    VIEWED,
)
from recommender.visits import Visit

Strategy = Callable[[Visit], Sequence[Candidate]]
# A filter may name few items of many: then a longer list is looked through.
FILTERED_DEPTH = 2_000
# So many order lines tell what the customer last paid for what.
PAID_LINES = 2_000
_DAY_SECONDS = 86_400.0


def for_you(visit: Visit) -> Sequence[Candidate]:
    """What fits the customer best, bought items included."""
    return personal(visit, FOR_YOU)


def new_for_you(visit: Visit) -> Sequence[Candidate]:
    """What fits the customer best of that which the customer never bought."""
    return personal(visit, NEW_FOR_YOU)


def personal(visit: Visit, strategy: str, allowed: Callable[[], np.ndarray] | None = None) -> Sequence[Candidate]:
    """What fits the customer best, of all items or of those that ``allowed`` marks, if there is anything to go by."""
    # Without customers to learn from, the list would be that of everybody under the name of a personal one.
    if not len(visit.bundle.customers):
        return ()
    if visit.position is not None and allowed is None and not (visit.news or visit.is_filtered):
        return candidates.from_slate(visit.bundle, visit.position, strategy)
    if visit.events:
        depth, marked = FILTERED_DEPTH if visit.is_filtered else candidates.DEPTH, allowed and allowed()
        asked = (visit.bundle, visit.learned_id, visit.events, strategy, visit.as_of, visit.bought)
        return candidates.from_events(*asked, depth=depth, allowed=marked)
    if visit.position is not None:
        return candidates.from_slate(visit.bundle, visit.position, strategy) if allowed is None else ()
    if visit.profile.row is None or not visit.is_personal:
        return ()
    return candidates.from_attributes(
        visit.bundle, visit.profile.row, strategy, visit.as_of, allowed=allowed and allowed()
    )


def buy_again(visit: Visit) -> Sequence[Candidate]:
    """What the customer bought before, the most probable next purchase first."""
    return due_items(visit) or [one for one in personal(visit, BUY_AGAIN) if one.count > 0]


def due_items(visit: Visit) -> list[Candidate]:
    """What the customer bought before with the interval of its purchases, where the bundle learned intervals."""
    if visit.position is not None and not visit.news:
        return item_candidates.due_again(visit.bundle, visit.position)
    return item_candidates.due_again_from_events(visit.bundle, visit.learned_id, visit.events, visit.as_of)


def similar_items(visit: Visit) -> Sequence[Candidate]:
    """Items like those of the page."""
    return item_candidates.similar(visit.bundle, _positions(visit, visit.request.context_items))


def similar_to_last(visit: Visit) -> Sequence[Candidate]:
    """Items like the one that the customer bought last, or met last where nothing was bought."""
    events = [one for one in visit.events if one.kind == "order"] or _liked(visit.events)
    return item_candidates.similar(visit.bundle, _positions(visit, [events[-1].item_id])) if events else ()


def complete_the_basket(visit: Visit) -> Sequence[Candidate]:
    """What is bought together with the items of the page, else with the cart, else with the last order."""
    seeds = list(visit.request.context_items) or sorted(visit.marks([IN_CART]).in_cart) or _last_order(visit)
    return item_candidates.bought_together(visit.bundle, _positions(visit, seeds))


def next_in_session(visit: Visit) -> Sequence[Candidate]:
    """What comes next after the events of this visit."""
    return item_candidates.next_in_session(visit.bundle, _liked(visit.session))


def recently_viewed(visit: Visit) -> Sequence[Candidate]:
    """What the customer looked at, the last first."""
    last = {event.item_id: event.at for event in visit.events if event.kind == "view"}
    newest = sorted(last, key=lambda item_id: (last[item_id], item_id), reverse=True)
    return [
        Candidate(item_id, 1.0 / place, VIEWED, reason=_seen(item_id, visit.as_of - last[item_id]))
        for place, item_id in enumerate(newest[: candidates.DEPTH], start=1)
    ]


def _seen(item_id: str, age: timedelta) -> ItemReason:
    return ItemReason("viewed", f"You looked at this {ago(age.total_seconds() / _DAY_SECONDS)}", item_id)


def on_sale_for_you(visit: Visit) -> Sequence[Candidate]:
    """What the customer bought before and would now pay less for, the largest share saved first."""
    paid = _last_paid(visit)
    rows = visit.store.rows_by_key("items", list(paid))
    prices = {item_id: (rows.get(item_id) or {}).get("price") for item_id in paid}
    saved = {
        item_id: 1 - price / paid[item_id]
        for item_id, price in prices.items()
        if price is not None and 0 < round(price, 2) < round(paid[item_id], 2)
    }
    return [
        Candidate(item_id, share, ON_SALE, reason=_cheaper(item_id, prices[item_id] or 0.0, paid[item_id]))
        for item_id, share in sorted(saved.items(), key=lambda one: (-one[1], one[0]))
    ]


def _last_paid(visit: Visit) -> dict[str, float]:
    """By item: what the customer paid for one piece the last time."""
    customer_id = visit.request.customer_id
    if customer_id is None or not visit.profile.known or not visit.is_personal:
        return {}
    lines = visit.store.rows_of_customer("order_lines", customer_id, before=ALWAYS, limit=PAID_LINES)
    return {line["item_id"]: line["amount"] / line["quantity"] for line in lines if line["amount"] and line["quantity"]}


def _cheaper(item_id: str, price: float, paid: float) -> ItemReason:
    return ItemReason("on_sale", f"Now {price:.2f}; the last time you paid {paid:.2f}", item_id)


def trending(visit: Visit) -> Sequence[Candidate]:
    """What sells more and more."""
    return item_candidates.trending(visit.bundle)


def best_sellers(visit: Visit) -> Sequence[Candidate]:
    """What many customers bought lately."""
    return item_candidates.best_sellers(visit.bundle, limit=None if visit.is_filtered else candidates.DEPTH)


def new_arrivals(visit: Visit) -> Sequence[Candidate]:
    """What came into the catalogue lately."""
    return item_candidates.new_arrivals(visit.bundle)


REGISTRY: Mapping[str, Strategy] = {
    FOR_YOU: for_you,
    NEW_FOR_YOU: new_for_you,
    BUY_AGAIN: buy_again,
    SIMILAR: similar_items,
    SIMILAR_TO_LAST: similar_to_last,
    BASKET: complete_the_basket,
    SESSION: next_in_session,
    VIEWED: recently_viewed,
    ON_SALE: on_sale_for_you,
    TRENDING: trending,
    BEST_SELLERS: best_sellers,
    NEW_ARRIVALS: new_arrivals,
    POPULAR: best_sellers,
}


def _positions(visit: Visit, item_ids: Sequence[str]) -> list[int]:
    found = (visit.bundle.items.position(item_id) for item_id in item_ids)
    return [position for position in found if position is not None]


def _liked(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.kind not in {"dislike", "return", "cart_remove"}]


def _last_order(visit: Visit) -> list[str]:
    orders = [event for event in visit.events if event.kind == "order"]
    return list(dict.fromkeys(event.item_id for event in orders if event.at == orders[-1].at))
