"""The catalogue: what can be recommended."""

from __future__ import annotations

from recommender.tables import Column, Table

ITEMS = Table(
    "items",
    (
        Column("item_id", "identifier", "what can be recommended", required=True),
        Column("title", "text", "name shown to customers"),
        Column("category", "text", "path of categories, `a > b > c`"),
        Column("brand", "text", "brand or maker"),
        Column("price", "decimal", "price of one piece", minimum=0),
        Column("cost", "decimal", "what one piece costs the company", minimum=0),
        Column("product_group_id", "identifier", "the product that this item is a variant of"),
        Column("is_available", "boolean", "can be sold now", default=True),
        Column("available_from", "instant", "from when it can be sold", is_plan=True),
        Column("available_until", "instant", "until when it can be sold", is_plan=True),
        Column("is_replenishable", "boolean", "is bought again when used up"),
        Column("attributes", "object", "all further columns as a JSON object"),
    ),
    key=("item_id",),
    exists_from="available_from",
    customer_columns=(),
)
