"""Churn risks and how they moved, as they are told."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, ConfigDict, Field

from api.schemas.common import Answer, AsOf, ModelVersion, Page
from recommender.retention.causes import CAUSES

RISK_EXAMPLE: dict[str, Any] = {
    "customer_id": "1009",
    "customer_known": True,
    "in_population": True,
    "churn_probability": 0.62,
    "horizon_days": 28,
    "population": "customers with an order in the last 56 days",
    "band": "high",
    "expected_loss": 81.4,
    "predicted_value": 131.3,
    "lever": "service",
    "action": "call about the open ticket",
    "reasons": [
        {
            "code": "unresolved_tickets",
            "text": "2 open tickets, the oldest for 9 days",
            "lever": "service",
            "direction": "up",
            "contribution": 0.6,
        },
        {
            "code": "no_order",
            "text": "No order for 31 days; usually every 9",
            "lever": "offer",
            "direction": "up",
            "contribution": 1.4,
        },
    ],
    "base_log_odds": -1.31,
    "other_log_odds": -0.2,
    "model_version": "20171204T000000Z-1f3a",
    "as_of": "2017-12-04T00:00:00Z",
    "definition": "churn",
    "segment": "slipping",
    "region": "north",
    "treatment": "service_recovery",
    "is_holdout": False,
    "consent_marketing": True,
    "last_order_at": "2017-11-03T17:20:00Z",
    "expected_next_order_at": "2017-12-16T09:00:00Z",
    "next_order_earliest_at": "2017-12-06T10:00:00Z",
    "next_order_latest_at": "2018-01-20T08:00:00Z",
    "order_interval_days": 9.2,
    "churn_curve": [[7, 0.91], [14, 0.83], [28, 0.62], [56, 0.44], [91, 0.37], [182, 0.31], [365, 0.28]],
    "churn_curve_learned_days": 182,
    "scored_at": "2017-12-04T00:00:00Z",
    "previous_band": "medium",
    "history": None,
}
_MOVES_EXAMPLE: dict[str, Any] = {
    "definition": "churn",
    "since": "2017-11-06T00:00:00Z",
    "as_of": "2017-12-04T00:00:00Z",
    "moves": [
        {
            "from_band": None,
            "to_band": "low",
            "customer_count": 310,
            "expected_loss_before": 0.0,
            "expected_loss": 2104.5,
        },
        {
            "from_band": "low",
            "to_band": "high",
            "customer_count": 42,
            "expected_loss_before": 391.2,
            "expected_loss": 2880.0,
        },
    ],
}


class RiskReasonOut(Answer):
    """Why a customer is likely to leave or to stay."""

    code: str = Field(description="For programs: " + "; ".join(f"`{one.code}`: {one.meaning}" for one in CAUSES))
    text: str = Field(description="A sentence for people, with the figures of the customer as of `scored_at`")
    lever: str = Field(description="What helps against it: offer, service, product or none")
    direction: str = Field(description="`up`: raises the risk, `down`: lowers it")
    contribution: float = Field(description="Share in the score, in log-odds")


class ScorePointOut(Answer):
    """What one scoring said of a customer."""

    as_of: AwareDatetime = Field(description="Instant (UTC) of the scoring")
    churn_probability: float = Field(ge=0, le=1, description="0 to 1")
    band: str = Field(description="Band of risk")


class ChurnRiskOut(Answer):
    """Probability that a customer leaves within the horizon, with what it costs, why, and what to do."""

    model_config = ConfigDict(json_schema_extra={"examples": [RISK_EXAMPLE]})

    customer_id: str = Field(description="The customer, as asked")
    customer_known: bool = Field(description="Whether the store knows the customer")
    in_population: bool = Field(description="Whether the question is asked of this customer at all")
    churn_probability: float | None = Field(ge=0, le=1, description="0 to 1; null outside the population")
    horizon_days: int = Field(description="Days that the probability looks ahead from `scored_at`")
    population: str = Field(description="Of whom the question is asked")
    band: str | None = Field(description="Band of risk")
    expected_loss: float | None = Field(description="Probability times predicted value, in the account currency")
    predicted_value: float | None = Field(description="Expected within the horizon, in the account currency")
    lever: str = Field(description="What may keep the customer: offer, service, product or none")
    action: str = Field(description="What to do")
    reasons: tuple[RiskReasonOut, ...] = Field(
        description="What was done to the customer and raises the risk, then what else moved it most"
    )
    base_log_odds: float | None = Field(
        description="Log-odds before anything of the customer is looked at; with the contributions of the reasons and "
        "`other_log_odds` it sums to the log-odds of `churn_probability`"
    )
    other_log_odds: float | None = Field(description="What all that is not told as a reason adds up to, in log-odds")
    model_version: ModelVersion
    as_of: AsOf
    definition: str = Field(description="Which definition of churn this is about")
    segment: str | None = Field(description="Lifecycle state: prospect, new, active, slipping, lapsed, won_back")
    region: str | None = Field(description="Region of the customer")
    treatment: str | None = Field(description="What is suggested to be done to keep the customer; null: nothing")
    is_holdout: bool = Field(description="Whether the customer is never treated, so that effects can be measured")
    consent_marketing: bool = Field(description="Whether the customer may be sent offers")
    last_order_at: AwareDatetime | None = Field(description="Instant (UTC) of the last order")
    expected_next_order_at: AwareDatetime | None = Field(
        description="When half of such customers will have ordered, never before `as_of`; null: not within a year"
    )
    next_order_earliest_at: AwareDatetime | None = Field(
        description="When a tenth of such customers will have ordered; null: not within a year"
    )
    next_order_latest_at: AwareDatetime | None = Field(
        description="When nine tenths of such customers will have ordered; null: not within a year"
    )
    order_interval_days: float | None = Field(description="Average days between the orders of the customer")
    churn_curve: tuple[tuple[int, float], ...] | None = Field(
        description="Pairs of days from `as_of`, 7 to 365, and the probability of having left by then. Where leaving "
        "is to order nothing within the days, it falls as these grow longer; where it is the end of a contract, it "
        "rises. At `horizon_days` it is `churn_probability` where `as_of` is `scored_at`. Null: outside the population"
    )
    churn_curve_learned_days: int | None = Field(
        description="Up to so many days the curve is learned from what happened, beyond it is extrapolated"
    )
    scored_at: AwareDatetime | None = Field(
        description="Instant (UTC) of the scoring: probability, value and reasons are as of then; the dates, the days "
        "since and the curve are those of `as_of`"
    )
    previous_band: str | None = Field(
        description="Band at the scoring that `since` asks for; null: outside the population, or not asked for"
    )
    history: tuple[ScorePointOut, ...] | None = Field(
        description="What the scorings said, oldest first; null: not asked for"
    )


class BandMoveOut(Answer):
    """Customers that went from one band to another."""

    from_band: str | None = Field(description="Band then; null: outside the population")
    to_band: str | None = Field(description="Band now; null: outside the population")
    customer_count: int = Field(description="How many customers")
    expected_loss_before: float = Field(description="What they were expected to cost then, in the account currency")
    expected_loss: float = Field(description="What they are expected to cost now, in the account currency")


class BandMovesOut(Answer):
    """How all customers moved between the bands of two scorings, also those that stayed in theirs."""

    model_config = ConfigDict(json_schema_extra={"examples": [_MOVES_EXAMPLE]})

    definition: str = Field(description="By which definition of churn")
    since: AwareDatetime = Field(description="Instant (UTC) of the scoring that is compared with")
    as_of: AwareDatetime = Field(description="Instant (UTC) of the last scoring")
    moves: tuple[BandMoveOut, ...] = Field(description="One entry for each pair of bands that somebody went between")


class RisksOut(Page[ChurnRiskOut]):
    """One page of the churn list."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"data": [RISK_EXAMPLE], "next_cursor": None, "has_more": False}]}
    )
