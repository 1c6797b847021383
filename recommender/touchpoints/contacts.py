"""Contacts: what the company sent, and whether it was opened."""

from __future__ import annotations

from recommender.tables import Column, Table

CONTACTS = Table(
    "contacts",
    (
        Column("contact_id", "identifier", "one message", required=True),
        Column("customer_id", "identifier", "to whom", required=True),
        Column("sent_at", "instant", "when", required=True),
        Column("channel", "text", "email, sms, post, ...", required=True),
        Column("campaign", "text", "as part of which campaign"),
        Column("offer_id", "identifier", "with which offer"),
        Column("opened_at", "instant", "opened"),
        Column("clicked_at", "instant", "clicked"),
    ),
    key=("contact_id",),
    exists_from="sent_at",
)
