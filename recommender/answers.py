"""What the advisor answers: plain values that an edge turns into JSON, CSV or Parquet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class ItemReason:
    """Why an item is shown: a code for programs, a sentence for people, and the item that is the evidence."""

    code: str
    text: str
    evidence_item_id: str | None = None


@dataclass(frozen=True)
class RecommendedItem:
    """One place of a list; rank 1 is best."""

    item_id: str
    rank: int
    score: float
    strategy: str
    reasons: tuple[ItemReason, ...]
    properties: dict[str, Any] | None = None


@dataclass(frozen=True)
class Recommendations:
    """A decision: what to show one customer at one placement, and how it came about."""

    recommendation_id: str
    customer_id: str
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


@dataclass(frozen=True)
class RiskReason:
    """Why a customer is likely to leave or to stay; ``contribution`` in log-odds, ``direction`` up or down."""

    code: str
    text: str
    lever: str
    direction: str
    contribution: float


@dataclass(frozen=True)
class ChurnRisk:
    """Probability that a customer leaves within the horizon, with what it costs, why, and what to do."""

    customer_id: str
    customer_known: bool
    in_population: bool
    churn_probability: float | None
    horizon_days: int
    population: str
    band: str | None
    expected_loss: float | None
    predicted_value: float | None
    lever: str
    action: str
    reasons: tuple[RiskReason, ...]
    model_version: str | None
    as_of: datetime | None


@dataclass(frozen=True)
class CustomerValue:
    """What a customer was worth and is expected to be worth within the horizon, in the account currency."""

    customer_id: str
    customer_known: bool
    horizon_days: int
    historic_value: float | None
    predicted_value: float | None
    total_value: float | None
    model_version: str | None
    as_of: datetime | None


@dataclass(frozen=True)
class CustomerSummary:
    """What is known of a customer: profile, consents, and the figures of the last scoring."""

    customer_id: str
    customer_known: bool
    profile: dict[str, Any]
    consent_personalization: bool
    consent_marketing: bool
    segment: str | None
    churn_probability: float | None
    predicted_value: float | None
    order_count: int
    last_order_at: datetime | None
    model_version: str | None
    as_of: datetime | None


@dataclass(frozen=True)
class RiskFilter:
    """Which rows of the churn list are asked for; None means any."""

    min_probability: float | None = None
    max_probability: float | None = None
    min_value: float | None = None
    max_value: float | None = None
    segment: str | None = None
    region: str | None = None
    band: str | None = None


@dataclass(frozen=True)
class RiskPage:
    """One page of the churn list and the cursor of the next, None at the end."""

    risks: tuple[ChurnRisk, ...]
    next_cursor: str | None = field(default=None)
