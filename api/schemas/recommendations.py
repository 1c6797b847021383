"""Recommended items as they are answered."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, ConfigDict, Field

from api.schemas.common import Answer, AsOf, ModelVersion
from recommender.answers import REASON_CODES

_BOUGHT_ITEM: dict[str, Any] = {
    "item_id": "1082185",
    "rank": 1,
    "score": 0.84,
    "strategy": "for_you",
    "reasons": [
        {
            "code": "bought_before",
            "text": "You bought this 14 times, the last time 5 days ago",
            "evidence_item_id": "1082185",
        }
    ],
    "properties": None,
}


class ItemReasonOut(Answer):
    """Why an item is shown."""

    code: str = Field(description="For programs: " + "; ".join(f"{code} ({why})" for code, why in REASON_CODES.items()))
    text: str = Field(description="A sentence for people")
    evidence_item_id: str | None = Field(description="The item that is the evidence, if one is")


class RecommendedItemOut(Answer):
    """One place of a list."""

    item_id: str = Field(description="The item")
    rank: int = Field(ge=1, description="Place in the list, 1 is best")
    score: float = Field(description="For the order within this list only; it has no unit")
    strategy: str = Field(description="How the item was found")
    reasons: tuple[ItemReasonOut, ...] = Field(min_length=1, description="Why it is shown, the strongest first")
    properties: dict[str, Any] | None = Field(description="The item's columns; null unless included")


_LIST: dict[str, Any] = {
    "recommendation_id": "3d7f8a52c1f04f5a9d41a6c4f3a7b1e0",
    "customer_id": "2375",
    "session_id": None,
    "customer_known": True,
    "placement": "home",
    "strategy": "for_you",
    "fallback": None,
    "model_version": "20171204T000000Z-1f3a",
    "as_of": "2017-12-04T00:00:00Z",
    "valid_until": "2026-11-22T06:30:00Z",
    "took_ms": 2.1,
    "items": [_BOUGHT_ITEM],
    "warnings": [],
    "debug": None,
}


class RecommendationsOut(Answer):
    """What to show who asks at one placement."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LIST]})

    recommendation_id: str = Field(description="Send it back with events that this list led to")
    customer_id: str | None = Field(description="The customer, as asked; null for a stranger")
    session_id: str | None = Field(description="The visit, as asked")
    customer_known: bool = Field(description="Whether the store knows the customer")
    placement: str = Field(description="Where the items are shown")
    strategy: str = Field(description="How the list was made")
    fallback: str | None = Field(description="What was answered instead of the placement's strategy; null: as asked")
    model_version: ModelVersion
    as_of: AsOf
    valid_until: AwareDatetime | None = Field(description="Until when (UTC) the list can be shown and continued")
    took_ms: float = Field(ge=0, description="Milliseconds that the server worked on it")
    items: tuple[RecommendedItemOut, ...] = Field(description="Best first; fewer than asked only if there are fewer")
    warnings: tuple[str, ...] = Field(description="What the reader should know about this list")
    debug: dict[str, Any] | None = Field(description="Null unless included; its content may change")


class RecommendationsBatchOut(Answer):
    """The lists of one page, in the order of the requests."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [_LIST], "took_ms": 4.3}]})

    data: tuple[RecommendationsOut, ...] = Field(description="One list for each request")
    took_ms: float = Field(ge=0, description="Milliseconds that the server worked on all of them")


class RerankOut(Answer):
    """The caller's items in the order that suits who asks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **{name: _LIST[name] for name in ("customer_id", "session_id", "customer_known")},
                    **{name: _LIST[name] for name in ("strategy", "fallback", "model_version", "as_of", "took_ms")},
                    "items": [
                        _BOUGHT_ITEM,
                        {
                            "item_id": "no-such-item",
                            "rank": 2,
                            "score": 0.0,
                            "strategy": "as_given",
                            "reasons": [
                                {
                                    "code": "unknown_item",
                                    "text": "Nothing is known of this item",
                                    "evidence_item_id": None,
                                }
                            ],
                            "properties": None,
                        },
                    ],
                    "missing_ids": ["no-such-item"],
                    "warnings": ["1 items are unknown and come last"],
                }
            ]
        }
    )

    customer_id: str | None = Field(description="The customer, as asked; null for a stranger")
    session_id: str | None = Field(description="The visit, as asked")
    customer_known: bool = Field(description="Whether the store knows the customer")
    strategy: str = Field(description="What decides the order")
    fallback: str | None = Field(description="What decides instead of the customer's taste; null: as asked")
    model_version: ModelVersion
    as_of: AsOf
    took_ms: float = Field(ge=0, description="Milliseconds that the server worked on it")
    items: tuple[RecommendedItemOut, ...] = Field(description="Each item once, best first, the unknown ones last")
    missing_ids: tuple[str, ...] = Field(description="Items that neither the catalogue nor the model knows")
    warnings: tuple[str, ...] = Field(description="What the reader should know about this list")
