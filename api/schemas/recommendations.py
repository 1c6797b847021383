"""Recommended items and the parameters that ask for them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from api.schemas.common import Answer, AsOf, ModelVersion, Query

INCLUDABLE = ("properties", "debug")

_BOUGHT_ITEM: dict[str, Any] = {
    "item_id": "1082185",
    "rank": 1,
    "score": 0.84,
    "strategy": "personal_frequency",
    "reasons": [{"code": "bought_again", "text": "Bought 14 times, last 5 days ago", "evidence_item_id": "1082185"}],
    "properties": None,
}


def _known_names(text: str) -> str:
    unknown = sorted(set(text.split(",")) - set(INCLUDABLE))
    if text and unknown:
        raise ValueError(f"{unknown[0]!r} cannot be included; known are {', '.join(INCLUDABLE)}")
    return text


class RecommendationsQuery(Query):
    """What to recommend."""

    placement: str = Field("home", min_length=1, max_length=64, description="Where the items are shown")
    limit: int = Field(10, ge=1, le=100, description="Number of items at most")
    diversity: float | None = Field(
        None,
        ge=0,
        le=1,
        description="0: most relevant, 1: as many categories as possible; default: the placement's",
    )
    include: Annotated[str, AfterValidator(_known_names)] = Field(
        "", description="More to tell, separated by commas: `properties` of the items, `debug`"
    )

    @property
    def included(self) -> frozenset[str]:
        """The names to include."""
        return frozenset(filter(None, self.include.split(",")))


class ItemReasonOut(Answer):
    """Why an item is shown."""

    code: str = Field(description="For programs")
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


class RecommendationsOut(Answer):
    """What to show one customer at one placement."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recommendation_id": "3d7f8a52c1f04f5a9d41a6c4f3a7b1e0",
                    "customer_id": "2375",
                    "customer_known": True,
                    "placement": "home",
                    "strategy": "personal",
                    "fallback": None,
                    "model_version": "20171204T000000Z-1f3a",
                    "as_of": "2017-12-04T00:00:00Z",
                    "valid_until": "2026-11-22T06:30:00Z",
                    "took_ms": 2.1,
                    "items": [_BOUGHT_ITEM],
                    "warnings": [],
                    "debug": None,
                }
            ]
        }
    )

    recommendation_id: str = Field(description="Send it back with events that this list led to")
    customer_id: str = Field(description="The customer, as asked")
    customer_known: bool = Field(description="Whether the store knows the customer")
    placement: str = Field(description="Where the items are shown")
    strategy: str = Field(description="How the list was made")
    fallback: str | None = Field(description="What was answered instead of a personal list; null: as asked")
    model_version: ModelVersion
    as_of: AsOf
    valid_until: AwareDatetime | None = Field(description="Ask again after this instant (UTC)")
    took_ms: float = Field(ge=0, description="Milliseconds that the server worked on it")
    items: tuple[RecommendedItemOut, ...] = Field(description="Best first; fewer than asked only if there are fewer")
    warnings: tuple[str, ...] = Field(description="What the reader should know about this list")
    debug: dict[str, Any] | None = Field(description="Null unless included; its content may change")
