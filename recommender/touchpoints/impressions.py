"""Impressions: what we showed, where, at which rank."""

from __future__ import annotations

from recommender.tables import Column, Table

IMPRESSIONS = Table(
    "impressions",
    (
        Column("recommendation_id", "identifier", "one answer of ours", required=True),
        Column("rank", "integer", "place in it, 1 is best", required=True, minimum=1),
        Column("shown_at", "instant", "when", required=True),
        Column("customer_id", "identifier", "to whom, where known"),
        Column("session_id", "identifier", "in which visit"),
        Column("item_id", "identifier", "the item shown"),
        Column("offer_id", "identifier", "the offer shown"),
        Column("placement", "text", "where on the page or in the mail"),
        Column("channel", "text", "over which channel"),
        Column("model_version", "text", "bundle that decided"),
        Column("propensity", "decimal", "probability of showing it", minimum=0, maximum=1),
        Column("variant", "text", "arm of an experiment"),
    ),
    key=("recommendation_id", "rank"),
    exists_from="shown_at",
    one_of=("customer_id", "session_id"),
)
