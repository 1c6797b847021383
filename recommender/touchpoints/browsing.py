"""Browsing: views, searches, carts, wishes and ratings."""

from __future__ import annotations

from recommender.tables import Column, Table

INTERACTIONS = Table(
    "interactions",
    (
        Column("event_id", "identifier", "one event", required=True),
        Column("kind", "word", "view, search, cart_add, cart_remove, wishlist, rating, dislike, ...", required=True),
        Column("occurred_at", "instant", "when it happened", required=True),
        Column("item_id", "identifier", "the item; empty for a search"),
        Column("customer_id", "identifier", "who, where known"),
        Column("session_id", "identifier", "the visit, for visitors not known"),
        Column("value", "decimal", "the rating, the seconds seen, ..."),
        Column("query", "text", "what was searched for"),
        Column("channel", "text", "where it happened"),
        Column("recommendation_id", "identifier", "the recommendation that led to it"),
    ),
    key=("event_id",),
    exists_from="occurred_at",
    one_of=("customer_id", "session_id"),
)
