"""Segments by rule, their customers and their history; cohorts and lifecycle."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.schemas.common import Answer, AsOf, ModelVersion, Page, Query

_ACCOUNT = "in the account currency"
SEGMENT_EXAMPLE: dict[str, Any] = {
    "name": "valuable_and_slipping",
    "rule": 'segment = "slipping" and predicted_value > 100',
    "created_at": "2017-12-04T09:00:00Z",
    "customer_count": 214,
    "as_of": "2017-12-04T00:00:00Z",
}
MEMBER_EXAMPLE: dict[str, Any] = {
    "customer_id": "1009",
    "entered_at": "2017-11-06T00:00:00Z",
    "segment": "slipping",
    "rfm": "355",
    "region": "north",
    "band": "high",
    "churn_probability": 0.62,
    "horizon_days": 28,
    "predicted_value": 131.3,
    "expected_loss": 81.4,
    "last_order_at": "2017-11-03T17:20:00Z",
    "is_holdout": False,
}


class SegmentIn(BaseModel):
    """A rule in the language of filters."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"rule": SEGMENT_EXAMPLE["rule"]}]}
    )

    rule: str = Field(
        description="Over columns of customers, `attributes.<name>`, and scores: `segment`, `rfm`, `rfm_group`, "
        "`band`, `churn_probability`, `expected_loss`, `predicted_value`, `lever`, `order_count`, `last_order_at`, ..."
    )


class SegmentOut(Answer):
    """A saved rule and how many are in it."""

    model_config = ConfigDict(json_schema_extra={"examples": [SEGMENT_EXAMPLE]})

    name: str = Field(description="Name of the segment")
    rule: str = Field(description="Who is in it")
    created_at: AwareDatetime = Field(description="Instant (UTC) at which the name was first used")
    customer_count: int = Field(description="Customers in it, also those who did not agree to marketing")
    as_of: AsOf


class SegmentsOut(Answer):
    """All segments."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [SEGMENT_EXAMPLE]}]})

    data: tuple[SegmentOut, ...] = Field(description="By name")


class MembersQuery(Query):
    """Which part of the list to tell."""

    cursor: str | None = Field(None, min_length=1, max_length=2_000, description="`next_cursor` of the page before")
    limit: int = Field(50, ge=1, le=500, description="Rows at most")


class MemberOut(Answer):
    """A customer of a segment, and what the last scoring said."""

    customer_id: str = Field(description="The customer")
    entered_at: AwareDatetime = Field(description="Instant (UTC) of the scores that first fitted the rule")
    segment: str | None = Field(description="Lifecycle state")
    rfm: str | None = Field(description="Scores of recency, frequency and money, 1 to 5 each")
    region: str | None = Field(description="Region of the customer")
    band: str | None = Field(description="Band of risk")
    churn_probability: float | None = Field(description="0 to 1; null outside the population")
    horizon_days: int = Field(description="Days that the probability and the value look ahead")
    predicted_value: float | None = Field(description=f"Expected within the horizon, {_ACCOUNT}")
    expected_loss: float | None = Field(description=f"Probability times predicted value, {_ACCOUNT}")
    last_order_at: AwareDatetime | None = Field(description="Instant (UTC) of the last order")
    is_holdout: bool = Field(description="Whether the customer is never treated, so that effects can be measured")


class MembersOut(Page[MemberOut]):
    """One page of the customers of a segment."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"data": [MEMBER_EXAMPLE], "next_cursor": None, "has_more": False}]}
    )


class SegmentChangeOut(Answer):
    """What a scoring or a new rule changed."""

    at: AwareDatetime = Field(description="Instant (UTC) of the scores")
    entered: int = Field(description="Customers who came")
    left: int = Field(description="Customers who went")
    customer_count: int = Field(description="Customers in the segment from then on")


class SegmentHistoryOut(Answer):
    """How a segment grew and shrank."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "valuable_and_slipping",
                    "data": [{"at": "2017-12-04T00:00:00Z", "entered": 20, "left": 6, "customer_count": 214}],
                }
            ]
        }
    )

    name: str = Field(description="Name of the segment")
    data: tuple[SegmentChangeOut, ...] = Field(description="Oldest first; instants without a change are left out")


class CohortMonthOut(Answer):
    """A month of a cohort."""

    month: int = Field(description="Calendar months since that of the first order, which is 0")
    customers: int = Field(description="Customers who ordered in it")
    share: float = Field(description="Share of the cohort, 0 to 1")
    amount: float = Field(description=f"Paid in it, {_ACCOUNT}")


class CohortOut(Answer):
    """Customers by the month of their first order."""

    cohort: str = Field(description="Year and month (UTC)")
    customers: int = Field(description="Customers whose first order was in it")
    months: tuple[CohortMonthOut, ...] = Field(description="The months that are over, up to 12 after the first")


class RepurchasePointOut(Answer):
    """A point of a repurchase curve."""

    days: int = Field(description="Days since the first order")
    share: float = Field(description="Share of customers who had made the order within them, 0 to 1")
    low: float = Field(description="Lower bound at 95 %")
    high: float = Field(description="Upper bound at 95 %")


class RepurchaseOut(Answer):
    """How soon customers make their Nth order, by Kaplan and Meier: who is watched for a short time counts so long."""

    order: int = Field(description="N")
    customers: int = Field(description="Customers with a first order")
    median_days: int | None = Field(description="Days until half of them had made it; null: not within a year")
    points: tuple[RepurchasePointOut, ...] = Field(description="Week by week up to a year")


class CohortsOut(Answer):
    """Retention of cohorts and repurchase curves."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model_version": "20171204T000000Z-1f3a",
                    "as_of": "2017-12-04T00:00:00Z",
                    "cohorts": [
                        {
                            "cohort": "2017-10",
                            "customers": 40,
                            "months": [
                                {"month": 0, "customers": 40, "share": 1.0, "amount": 1210.5},
                                {"month": 1, "customers": 22, "share": 0.55, "amount": 640.0},
                            ],
                        }
                    ],
                    "repurchase": [
                        {
                            "order": 2,
                            "customers": 2450,
                            "median_days": 12,
                            "points": [{"days": 7, "share": 0.36, "low": 0.34, "high": 0.38}],
                        }
                    ],
                }
            ]
        }
    )

    model_version: ModelVersion
    as_of: AsOf
    cohorts: tuple[CohortOut, ...] = Field(description="The latest 24, oldest first")
    repurchase: tuple[RepurchaseOut, ...] = Field(description="For the 2nd to the 5th order")


class LifecycleStatesOut(Answer):
    """Where everybody stood."""

    at: AwareDatetime = Field(description="Instant (UTC), as of which the states are")
    customers: dict[str, int] = Field(description="Customers by state")


class MoveOut(Answer):
    """Customers who went from one state to another, or stayed."""

    origin: str = Field(description="State at the beginning; `unknown`: came between")
    state: str = Field(description="State at the end")
    customers: int = Field(description="Customers who did")
    share: float = Field(description="Share of those of the origin, 0 to 1")


class TransitionsOut(Answer):
    """The moves of a month."""

    from_at: AwareDatetime = Field(description="Instant (UTC) of the origins")
    to_at: AwareDatetime = Field(description="Instant (UTC) of the states")
    moves: tuple[MoveOut, ...] = Field(description="Those that anybody made")


class LifecycleOut(Answer):
    """Lifecycle states at the beginning of each month, each as of then, and the moves between them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model_version": "20171204T000000Z-1f3a",
                    "as_of": "2017-12-04T00:00:00Z",
                    "told_by": "orders",
                    "activity_days": 56,
                    "states": [{"at": "2017-12-01T00:00:00Z", "customers": {"active": 1900, "slipping": 214}}],
                    "transitions": [
                        {
                            "from_at": "2017-11-01T00:00:00Z",
                            "to_at": "2017-12-01T00:00:00Z",
                            "moves": [{"origin": "active", "state": "slipping", "customers": 120, "share": 0.06}],
                        }
                    ],
                }
            ]
        }
    )

    model_version: ModelVersion
    as_of: AsOf
    told_by: str | None = Field(description="`orders` or `subscriptions`; null before the first training")
    activity_days: int | None = Field(description="Days of the activity window of the states")
    states: tuple[LifecycleStatesOut, ...] = Field(description="Oldest first, at most 13 months")
    transitions: tuple[TransitionsOut, ...] = Field(description="Between each two of them")
