"""Customers: who they are, since when, and what they agreed to."""

from __future__ import annotations

from recommender.tables import Column, Table

CUSTOMERS = Table(
    "customers",
    (
        Column("customer_id", "identifier", "whom we serve", required=True),
        Column("signed_up_at", "instant", "when the customer became one"),
        Column("birth_year", "integer", "year of birth", minimum=1850, maximum=2100),
        Column("region", "text", "where the customer lives"),
        Column("channel", "text", "over which channel the customer came"),
        Column("consent_personalization", "boolean", "may we learn from this customer's events", default=True),
        Column("consent_marketing", "boolean", "may we send this customer offers", default=True),
        Column("attributes", "object", "all further columns as a JSON object"),
    ),
    key=("customer_id",),
    exists_from="signed_up_at",
)
