"""What the advisor answers: plain values that an edge turns into JSON, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

REASON_CODES: Mapping[str, str] = {
    "due_again": "bought before, and as long ago as lies between two purchases",
    "bought_before": "bought before",
    "goes_with": "like an item that the customer bought or met",
    "similar": "like the item of the page, or the last one bought",
    "bought_together": "bought together with an item of the page, of the cart or of the last order",
    "next_in_session": "follows an item of this visit",
    "same_session": "met in the same visits as an item of this one",
    "viewed": "looked at by the customer",
    "on_sale": "cheaper than the customer paid",
    "customers_like_you": "bought by customers who buy what the customer buys",
    "profile": "bought by customers of the same attributes",
    "passes_filter": "passes the filter of the request or of the placement",
    "trending": "bought by more customers than before",
    "popular": "among the hundred items bought by most customers lately",
    "recent": "bought by customers lately",
    "new_arrival": "new in the catalogue",
    "pinned": "chosen by the shop",
    "in_range": "nothing is known but that the shop has it",
    "not_scored": "came after the last training",
    "unknown_item": "nobody knows the item",
}


@dataclass(frozen=True)
class ItemReason:
    """Why an item is shown: a code for programs, a sentence for people, and the item that is the evidence."""

    code: str
    text: str
    evidence_item_id: str | None = None


@dataclass(frozen=True)
class RecommendedItem:
    """One place of a list; rank 1 is best. ``propensity`` is the probability with which the list shows the item."""

    item_id: str
    rank: int
    score: float
    strategy: str
    reasons: tuple[ItemReason, ...]
    properties: dict[str, Any] | None = None
    propensity: float = 1.0


@dataclass(frozen=True)
class Recommendations:
    """A decision: what to show one customer at one placement, and how it came about."""

    recommendation_id: str
    customer_id: str | None
    customer_known: bool
    placement: str
    strategy: str
    fallback: str | None
    model_version: str | None
    as_of: datetime | None
    valid_until: datetime | None
    items: tuple[RecommendedItem, ...]
    warnings: tuple[str, ...] = ()
    debug: dict[str, Any] | None = None
    session_id: str | None = None


@dataclass(frozen=True)
class Reranking:
    """A caller's list in a customer's order; ``missing_ids`` are those that nobody knows, which come last."""

    customer_id: str | None
    session_id: str | None
    customer_known: bool
    strategy: str
    fallback: str | None
    model_version: str | None
    as_of: datetime | None
    items: tuple[RecommendedItem, ...]
    missing_ids: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemList:
    """Items that belong to no customer: similar ones, popular ones."""

    strategy: str
    fallback: str | None
    model_version: str | None
    as_of: datetime | None
    items: tuple[RecommendedItem, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class CustomerForItem:
    """One customer to tell of an item; rank 1 is best."""

    customer_id: str
    rank: int
    score: float


@dataclass(frozen=True)
class CustomerList:
    """The customers to tell of an item, and how they were found."""

    item_id: str
    strategy: str
    fallback: str | None
    model_version: str | None
    as_of: datetime | None
    customers: tuple[CustomerForItem, ...]
    warnings: tuple[str, ...] = ()
