"""Offers, who was drawn to get them, and who used them."""

from __future__ import annotations

from recommender.tables import Column, Table

OFFERS = Table(
    "offers",
    (
        Column("offer_id", "identifier", "one offer", required=True),
        Column(
            "kind",
            "word",
            "what the customer gets",
            required=True,
            choices=("percent", "amount", "gift", "points", "service"),
        ),
        Column("name", "text", "name of the offer"),
        Column("value", "decimal", "percent, money or points", minimum=0),
        Column("unit_cost", "decimal", "what one use costs the company", minimum=0),
        Column("starts_at", "instant", "from when", is_plan=True),
        Column("ends_at", "instant", "until when", is_plan=True),
        Column("channels", "list", "where it may be shown"),
        Column("categories", "list", "categories it covers"),
        Column("item_ids", "list", "items it covers"),
        Column("conditions", "text", "further conditions"),
        Column("budget", "decimal", "what all uses together may cost", minimum=0),
        Column("budget_period", "text", "the period the budget is for"),
        Column("cap_per_customer", "integer", "uses per customer", minimum=0),
        Column("is_stackable", "boolean", "may be combined with other offers"),
    ),
    key=("offer_id",),
    exists_from="starts_at",
    customer_columns=(),
)

ASSIGNMENTS = Table(
    "assignments",
    (
        Column("assignment_id", "identifier", "one draw", required=True),
        Column("offer_id", "identifier", "of which offer", required=True),
        Column("customer_id", "identifier", "which customer", required=True),
        Column("assigned_at", "instant", "when", required=True),
        Column("arm", "word", "gets the offer or not", required=True, choices=("treatment", "control")),
        Column("propensity", "decimal", "probability of this arm", minimum=0, maximum=1),
        Column("channel", "text", "where it was offered"),
    ),
    key=("assignment_id",),
    exists_from="assigned_at",
)

REDEMPTIONS = Table(
    "redemptions",
    (
        Column("redemption_id", "identifier", "one use", required=True),
        Column("offer_id", "identifier", "of which offer", required=True),
        Column("customer_id", "identifier", "by whom", required=True),
        Column("redeemed_at", "instant", "when", required=True),
        Column("order_id", "identifier", "in which order"),
        Column("cost", "decimal", "what it cost the company", minimum=0),
    ),
    key=("redemption_id",),
    exists_from="redeemed_at",
)
