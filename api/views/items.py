"""Lists of items that belong to no customer, and the catalogue."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from api.operation import operation
from api.request_log import took_ms
from api.row_writing import put_row
from api.schemas.entities import ItemIn
from api.schemas.item_lists import (
    BoughtTogetherOut,
    BoughtTogetherQuery,
    CustomerListOut,
    CustomersQuery,
    ItemListOut,
    ItemListQuery,
    NewItemsOut,
    PopularItemsQuery,
    SimilarItemsOut,
    TrendingItemsOut,
)
from api.services import advisor

views = APIBlueprint("items", __name__, tag="Items")


@views.get("/v1/items/<identifier:item_id>/similar")
@operation(scope="recs:read", query=ItemListQuery, returns=SimilarItemsOut)
def get_similar_items(item_id: str, query: ItemListQuery) -> dict[str, Any]:
    """Items that the same customers like and that are alike.

    Where too few are, best sellers of its category, then of everything fill the list; `warnings` count them, and each
    item bears the `strategy` that found it.
    """
    return {**vars(advisor().similar_items(item_id, limit=query.limit)), "took_ms": took_ms()}


@views.get("/v1/items/<identifier:item_id>/bought-together")
@operation(scope="recs:read", query=BoughtTogetherQuery, returns=BoughtTogetherOut)
def get_items_bought_together(item_id: str, query: BoughtTogetherQuery) -> dict[str, Any]:
    """What else is in the baskets that hold an item, or all the items of a basket.

    Where too few are, similar items, then best sellers fill the list, labelled as such.
    """
    answer = advisor().bought_together([item_id, *query.further_ids], limit=query.limit)
    return {**vars(answer), "took_ms": took_ms()}


@views.get("/v1/items/<identifier:item_id>/customers")
@operation(scope="recs:read", query=CustomersQuery, returns=CustomerListOut)
def get_customers_for_item(item_id: str, query: CustomersQuery) -> dict[str, Any]:
    """The customers for whom an item stands highest, by their ids alone.

    Who did not agree to personalization or was erased is never among them. For an item in nobody's list those of
    similar items, else of its category, else of what is popular, labelled as a fallback.
    """
    return {**vars(advisor().customers_for(item_id, limit=query.limit)), "took_ms": took_ms()}


@views.get("/v1/items/popular")
@operation(scope="recs:read", query=PopularItemsQuery, returns=ItemListOut)
def get_popular_items(query: PopularItemsQuery) -> dict[str, Any]:
    """Items that many customers bought lately, of everything or of a category.

    Where nothing of the category was sold, what is popular at all, labelled as a fallback.
    """
    answer = advisor().popular_items(limit=query.limit, category=query.category)
    return {**vars(answer), "took_ms": took_ms()}


@views.get("/v1/items/trending")
@operation(scope="recs:read", query=ItemListQuery, returns=TrendingItemsOut)
def get_trending_items(query: ItemListQuery) -> dict[str, Any]:
    """Items that sell more and more; where too few do, what is popular fills the list, labelled as such."""
    return {**vars(advisor().trending_items(limit=query.limit)), "took_ms": took_ms()}


@views.get("/v1/items/new")
@operation(scope="recs:read", query=ItemListQuery, returns=NewItemsOut)
def get_new_items(query: ItemListQuery) -> dict[str, Any]:
    """Items that came into the catalogue lately.

    Where too little came lately, what is popular fills the list, labelled as such.
    """
    return {**vars(advisor().new_items(limit=query.limit)), "took_ms": took_ms()}


@views.put("/v1/items/<identifier:item_id>")
@operation(scope="catalog:write", body=ItemIn, status=204)
def put_item(item_id: str, body: ItemIn) -> None:
    """Store the row of an item, in place of the one before."""
    put_row("items", "item_id", item_id, body.root)
