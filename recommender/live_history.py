"""The history of one customer at the instant of a request, from rows of the event store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from recommender.event_store import EventStore
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import KIND_WEIGHTS, InteractionMatrix
from recommender.periods import from_microseconds
from recommender.store_engine import reading
from recommender.store_queries import query_items_met

# Enough to score the heaviest human customer; what was bought or refused is known however long ago it was.
EVENTS_AT_MOST = 5_000
# Of interactions, those that say something of an item until another event takes it back.
LASTING_KINDS = ("cart_add", "cart_remove", "dislike", "order", "wishlist")
_DAY_SECONDS = 86_400.0
# By item: at how many instants the customer bought it, and the last of them.
Purchases = Mapping[str, tuple[int, datetime]]
ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """One event that links the customer to an item; ``kind`` is ``order``, ``return`` or a kind of interaction."""

    item_id: str
    at: datetime
    kind: str


@dataclass(frozen=True)
class Met:
    """All of a customer's events of one kind with one item: at how many instants, and the last of them."""

    item_id: str
    kind: str
    count: int
    last_at: datetime


def items_met(store: EventStore, customer_id: str) -> list[Met]:
    """What the customer ordered, returned, or met in one of LASTING_KINDS, ever; what was met first comes first."""
    values = {"customer_id": customer_id, "kinds": LASTING_KINDS}
    with reading(store.engine) as connection:
        found = connection.execute(query_items_met(), values).all()
    return [Met(item_id, kind, int(count), from_microseconds(last)) for item_id, kind, count, last in found]


def events_of(store: EventStore, customer_id: str, *, since: datetime | None = None) -> list[Event]:
    """The customer's events that name an item, oldest first, at most the newest EVENTS_AT_MOST of each table."""
    events = [
        Event(row["item_id"], row[at], kind or row["kind"])
        for table, at, kind in (
            ("order_lines", "ordered_at", "order"),
            ("returns", "returned_at", "return"),
            ("interactions", "occurred_at", None),
        )
        for row in store.rows_of_customer(table, customer_id, before=ALWAYS, since=since, limit=EVENTS_AT_MOST)
        if row["item_id"] is not None
    ]
    return sorted(events, key=lambda event: event.at)


def session_events_of(store: EventStore, session_id: str) -> list[Event]:
    """The interactions of a session that name an item, oldest first, at most the newest EVENTS_AT_MOST."""
    rows = store.rows_of_session("interactions", session_id, limit=EVENTS_AT_MOST)
    return [Event(row["item_id"], row["occurred_at"], row["kind"]) for row in rows if row["item_id"] is not None]


def matrix_of(
    customer_id: str, events: Iterable[Event], items: IdIndex, as_of: datetime, *, has_orders: bool
) -> InteractionMatrix:
    """One customer's interactions over the catalogue of a bundle; events of items outside it are left out.

    ``has_orders`` is that of the matrix which the bundle was trained on.
    """
    distinct = dict.fromkeys(events)
    places = {item_id: items.position(item_id) for item_id in {event.item_id for event in distinct}}
    known = [event for event in distinct if places[event.item_id] is not None]
    weights = [KIND_WEIGHTS.get(event.kind, KIND_WEIGHTS["view"]) for event in known]
    ages = [max((as_of - event.at).total_seconds(), 0.0) / _DAY_SECONDS for event in known]
    return InteractionMatrix(
        customers=IdIndex([customer_id]),
        items=items,
        rows=np.zeros(len(known), dtype=np.int32),
        columns=np.array([places[event.item_id] for event in known], dtype=np.int32),
        weights=np.array(weights, dtype=np.float32),
        age_days=np.array(ages, dtype=np.float32),
        is_order=np.array([event.kind == "order" for event in known], dtype=bool),
        has_orders=has_orders,
    )


def purchases(met: Iterable[Met], news: Iterable[Event]) -> Purchases:
    """What was ever bought, from what the store counted and from events, oldest first, that it may hold already."""
    bought = {one.item_id: (one.count, one.last_at) for one in met if one.kind == "order"}
    for event in news:
        count, last_at = bought.get(event.item_id, (0, None))
        if event.kind == "order" and (last_at is None or event.at > last_at):
            bought[event.item_id] = (count + 1, event.at)
    return bought


def last_instant(events: Iterable[Event]) -> datetime | None:
    """When the customer was last heard of."""
    return max((event.at for event in events), default=None)


def describe(row: Mapping[str, Any] | None, item_id: str) -> str:
    """What to call an item in a sentence: its title, else its id."""
    title = (row or {}).get("title")
    return str(title) if title else item_id
