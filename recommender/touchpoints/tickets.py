"""Support tickets: what went wrong, and how it was put right."""

from __future__ import annotations

from recommender.tables import Column, Table

TICKETS = Table(
    "tickets",
    (
        Column("ticket_id", "identifier", "one problem", required=True),
        Column("customer_id", "identifier", "whose", required=True),
        Column("opened_at", "instant", "when it was reported", required=True),
        Column("first_replied_at", "instant", "first answer"),
        Column("resolved_at", "instant", "solved"),
        Column("reopened_at", "instant", "reported again"),
        Column("channel", "text", "where it was reported"),
        Column("topic", "text", "what it is about"),
        Column("severity", "text", "how bad it is"),
        Column("contact_count", "integer", "contacts until it was solved", minimum=0, known_at="resolved_at"),
        Column("handle_seconds", "decimal", "time spent by agents", minimum=0, known_at="resolved_at"),
        Column("order_id", "identifier", "the order it is about"),
        Column("text", "text", "what the customer wrote"),
    ),
    key=("ticket_id",),
    exists_from="opened_at",
)
