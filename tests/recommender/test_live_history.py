"""What one customer did, as a request reads it from the store."""

from __future__ import annotations

from datetime import timedelta

from recommender.event_store import EventStore
from recommender.live_history import Event, Met, items_met, purchases
from tests.conftest import NOW

THEN = NOW - timedelta(days=9)


def line(order_id: str, item_id: str, days: int, customer_id: str = "ann") -> dict[str, object]:
    at = THEN + timedelta(days=days)
    return {"order_id": order_id, "item_id": item_id, "customer_id": customer_id, "ordered_at": at}


def met(event_id: str, kind: str, item_id: str | None, days: int) -> dict[str, object]:
    row = {"event_id": event_id, "kind": kind, "item_id": item_id, "customer_id": "ann"}
    return {**row, "occurred_at": THEN + timedelta(days=days)}


def test_what_was_met_is_counted_by_item_and_kind_with_its_last_instant(store: EventStore) -> None:
    lines = [line("o1", "tea", 0), line("o1", "tea", 0), line("o2", "tea", 4), line("o3", "cup", 2)]
    store.append_rows("order_lines", [*lines, line("o4", "pot", 1, "bob")])
    returned = {"return_id": "r1", "customer_id": "ann", "item_id": "cup", "returned_at": THEN + timedelta(days=3)}
    store.append_rows("returns", [returned])
    rows = [met("e1", "dislike", "jam", 1), met("e2", "view", "tea", 5), met("e3", "search", None, 5)]
    store.append_rows("interactions", [*rows, met("e4", "cart_add", "tea", 6), met("e5", "cart_add", "tea", 7)])
    assert items_met(store, "ann") == [
        Met("tea", "order", 2, THEN + timedelta(days=4)),
        Met("jam", "dislike", 1, THEN + timedelta(days=1)),
        Met("cup", "order", 1, THEN + timedelta(days=2)),
        Met("cup", "return", 1, THEN + timedelta(days=3)),
        Met("tea", "cart_add", 2, THEN + timedelta(days=7)),
    ]


def test_nothing_is_met_by_who_did_not_agree_or_is_unknown(store: EventStore) -> None:
    store.append_rows("order_lines", [line("o1", "tea", 0)])
    assert len(items_met(store, "ann")) == 1
    assert items_met(store, "nobody") == []
    store.upsert("customers", {"customer_id": "ann", "consent_personalization": False})
    assert items_met(store, "ann") == []


def test_a_purchase_that_the_store_holds_already_counts_once() -> None:
    stored = [Met("tea", "order", 2, THEN), Met("tea", "return", 1, THEN)]
    later = THEN + timedelta(days=1)
    events = [Event("tea", THEN, "order"), Event("cup", THEN, "view"), Event("tea", later, "order")]
    assert purchases(stored, events) == {"tea": (3, later)}
    assert purchases([], events) == {"tea": (2, later)}
