"""Subscriptions: contracts that run until somebody ends them."""

from __future__ import annotations

from recommender.tables import Column, Table

SUBSCRIPTIONS = Table(
    "subscriptions",
    (
        Column("subscription_id", "identifier", "one contract", required=True),
        Column("customer_id", "identifier", "whose", required=True),
        Column("started_at", "instant", "since when", required=True),
        Column("ended_at", "instant", "until when"),
        Column("end_reason", "text", "why it ended", known_at="ended_at"),
        Column("plan", "text", "which plan"),
        Column("monthly_amount", "decimal", "paid per month", minimum=0),
    ),
    key=("subscription_id",),
    exists_from="started_at",
)
