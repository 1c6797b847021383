"""Lists of items that belong to no customer, and the catalogue."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from api.operation import operation
from api.request_log import took_ms
from api.row_writing import put_row
from api.schemas.entities import ItemIn
from api.schemas.recommendations import ItemListOut, PopularItemsQuery, SimilarItemsQuery
from api.services import advisor

views = APIBlueprint("items", __name__, tag="Items")


@views.get("/v1/items/<identifier:item_id>/similar")
@operation(scope="recs:read", query=SimilarItemsQuery, returns=ItemListOut)
def get_similar_items(item_id: str, query: SimilarItemsQuery) -> dict[str, Any]:
    """Items that the same customers like.

    For an item without neighbours, what is popular, labelled as a fallback.
    """
    return {**vars(advisor().similar_items(item_id, limit=query.limit)), "took_ms": took_ms()}


@views.get("/v1/items/popular")
@operation(scope="recs:read", query=PopularItemsQuery, returns=ItemListOut)
def get_popular_items(query: PopularItemsQuery) -> dict[str, Any]:
    """Items that many customers bought lately."""
    answer = advisor().popular_items(limit=query.limit, category=query.category)
    return {**vars(answer), "took_ms": took_ms()}


@views.put("/v1/items/<identifier:item_id>")
@operation(scope="catalog:write", body=ItemIn, status=204)
def put_item(item_id: str, body: ItemIn) -> None:
    """Store the row of an item, in place of the one before."""
    put_row("items", "item_id", item_id, body.root)
