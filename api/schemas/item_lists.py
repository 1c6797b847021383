"""Lists that start from items, and the parameters that ask for them."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from api.schemas.common import Answer, AsOf, ModelVersion, Query
from api.schemas.recommendations import RecommendedItemOut

MOST_FURTHER_ITEMS = 50
_HEAD = {"model_version": "20171204T000000Z-1f3a", "as_of": "2017-12-04T00:00:00Z", "took_ms": 1.2}


def _list_of_ids(text: str) -> str:
    try:
        ids = json.loads(text) if text else []
    except ValueError:
        ids = None
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise ValueError('must be a JSON array of item ids, percent-encoded, such as ["1082185", "a,b"]')
    if len(ids) > MOST_FURTHER_ITEMS:
        raise ValueError(f"names {len(ids)} items; at most {MOST_FURTHER_ITEMS} can be given")
    return text


def _example(strategy: str, item_id: str, code: str, text: str, evidence: str | None) -> ConfigDict:
    reason = {"code": code, "text": text, "evidence_item_id": evidence}
    item = {"item_id": item_id, "rank": 1, "score": 0.84, "strategy": strategy, "reasons": [reason], "properties": None}
    answer: dict[str, Any] = {"strategy": strategy, "fallback": None, **_HEAD, "items": [item], "warnings": []}
    return ConfigDict(json_schema_extra={"examples": [answer]})


class ItemListQuery(Query):
    """How many items to tell."""

    limit: int = Field(10, ge=1, le=100, description="Number of items at most")


class PopularItemsQuery(ItemListQuery):
    """Which popular items to tell."""

    category: str | None = Field(None, max_length=1_000, description="Only items of this category path or below it")


class BoughtTogetherQuery(ItemListQuery):
    """What is in the basket beside the item of the path."""

    further: Annotated[str, AfterValidator(_list_of_ids)] = Field(
        "",
        alias="with",
        max_length=100_000,
        description="Further items of the same basket, as a JSON array of ids, because an id may hold any character",
    )

    @property
    def further_ids(self) -> tuple[str, ...]:
        """The further items."""
        return tuple(json.loads(self.further)) if self.further else ()


class CustomersQuery(Query):
    """How many customers to tell."""

    limit: int = Field(10, ge=1, le=100, description="Number of customers at most")


class ItemListOut(Answer):
    """Items that belong to no customer."""

    model_config = _example(
        "popular_items", "1082185", "popular", "531 customers bought this in the last 28 days", None
    )

    strategy: str = Field(description="How the list was made")
    fallback: str | None = Field(description="What was answered instead of what was asked; null: as asked")
    model_version: ModelVersion
    as_of: AsOf
    took_ms: float = Field(ge=0, description="Milliseconds that the server worked on it")
    items: tuple[RecommendedItemOut, ...] = Field(description="Best first; fewer than asked only if there are fewer")
    warnings: tuple[str, ...] = Field(description="What the reader should know about this list")


class SimilarItemsOut(ItemListOut):
    """Items like one item."""

    model_config = _example("similar_items", "1098066", "similar", "Similar to FLUID MILK WHITE ONLY", "1082185")


class BoughtTogetherOut(ItemListOut):
    """What goes into the basket with one or several items."""

    model_config = _example(
        "bought_together", "999999", "bought_together", "Bought together with FLUID MILK WHITE ONLY", "1082185"
    )


class TrendingItemsOut(ItemListOut):
    """What sells more and more."""

    model_config = _example("trending", "899624", "trending", "More and more customers buy this", None)


class NewItemsOut(ItemListOut):
    """What came lately."""

    model_config = _example("new_arrivals", "17381856", "new_arrival", "New in the shop", None)


class CustomerForItemOut(Answer):
    """One place of a list of customers."""

    customer_id: str = Field(description="The customer")
    rank: int = Field(ge=1, description="Place in the list, 1 is best")
    score: float = Field(description="For the order within this list only; it has no unit")


class CustomerListOut(Answer):
    """The customers to tell of an item; only those who agreed to personalization."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "item_id": "1082185",
                    "strategy": "customers_for_item",
                    "fallback": None,
                    **_HEAD,
                    "customers": [{"customer_id": "2375", "rank": 1, "score": 1.0}],
                    "warnings": [],
                }
            ]
        }
    )

    item_id: str = Field(description="The item, as asked")
    strategy: str = Field(description="How the customers were found")
    fallback: str | None = Field(description="Whose customers were answered instead; null: as asked")
    model_version: ModelVersion
    as_of: AsOf
    took_ms: float = Field(ge=0, description="Milliseconds that the server worked on it")
    customers: tuple[CustomerForItemOut, ...] = Field(description="Best first")
    warnings: tuple[str, ...] = Field(description="What the reader should know about this list")
