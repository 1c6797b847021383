"""Orders and returns: what was bought, for how much, and what came back."""

from __future__ import annotations

from recommender.tables import Column, Table

ORDER_LINES = Table(
    "order_lines",
    (
        Column("order_id", "identifier", "one checkout", required=True),
        Column("item_id", "identifier", "what was bought", required=True),
        Column("customer_id", "identifier", "who bought", required=True),
        Column("ordered_at", "instant", "when the order was placed", required=True),
        Column("line_number", "integer", "running number of the item within the order", minimum=0),
        Column("quantity", "decimal", "pieces", default=1.0, minimum=0),
        Column("amount", "decimal", "paid for the line, after discounts", minimum=0),
        Column("discount", "decimal", "discounts taken off the line", minimum=0),
        Column("cost", "decimal", "what the line cost the company", minimum=0),
        Column("channel", "text", "where it was ordered"),
        Column("store_id", "identifier", "the shop, for orders on site"),
        Column("recommendation_id", "identifier", "the recommendation that led to it"),
        Column("promised_at", "instant", "delivery promised for", is_plan=True),
        Column("delivered_at", "instant", "delivered"),
    ),
    key=("order_id", "item_id", "line_number"),
    exists_from="ordered_at",
    numbered="line_number",
)

RETURNS = Table(
    "returns",
    (
        Column("return_id", "identifier", "one returned line", required=True),
        Column("customer_id", "identifier", "who returned", required=True),
        Column("item_id", "identifier", "what came back", required=True),
        Column("returned_at", "instant", "when it came back", required=True),
        Column("order_id", "identifier", "the order it came from"),
        Column("quantity", "decimal", "pieces", default=1.0, minimum=0),
        Column("amount", "decimal", "paid back", minimum=0),
        Column("reason", "text", "why"),
    ),
    key=("return_id",),
    exists_from="returned_at",
)
