"""Customers, what they are worth, and what was deleted of them."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, ConfigDict, Field

from api.schemas.common import Answer, AsOf, ModelVersion, Query

_ACCOUNT = "in the account currency"


class ValueQuery(Query):
    """How far to look."""

    horizon_days: int | None = Field(
        None, ge=1, le=365, description="Days to look ahead from `as_of`; default: the horizon of the training"
    )


class CustomerValueOut(Answer):
    """What a customer was worth and is expected to be worth."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer_id": "2375",
                    "customer_known": True,
                    "horizon_days": 28,
                    "historic_value": 3117.4,
                    "predicted_value": 214.9,
                    "total_value": 3332.3,
                    "predicted_value_low": 96.0,
                    "predicted_value_high": 371.5,
                    "predicted_orders": 5.1,
                    "predicted_order_amount": 42.1,
                    "value_is_margin": True,
                    "method": "mean_value",
                    "horizon_method": None,
                    "model_version": "20171204T000000Z-1f3a",
                    "as_of": "2017-12-04T00:00:00Z",
                }
            ]
        }
    )

    customer_id: str = Field(description="The customer, as asked")
    customer_known: bool = Field(description="Whether the store knows the customer")
    horizon_days: int = Field(description="Days that the prediction looks ahead from `as_of`")
    historic_value: float | None = Field(
        description=f"Orders less returns so far, less costs where they are known, {_ACCOUNT}"
    )
    predicted_value: float | None = Field(description=f"Expected within the horizon, {_ACCOUNT}")
    total_value: float | None = Field(description=f"Both together, {_ACCOUNT}")
    predicted_value_low: float | None = Field(description="In 1 of 10 customers it is less; null: not known")
    predicted_value_high: float | None = Field(description="In 1 of 10 customers it is more; null: not known")
    predicted_orders: float | None = Field(description="Days with an order that make up the predicted value")
    predicted_order_amount: float | None = Field(description=f"What such a day is expected to bring, {_ACCOUNT}")
    value_is_margin: bool | None = Field(
        description="Whether costs are taken off; `false`: value is revenue; null: the scores are of another bundle"
    )
    method: str | None = Field(description="The model behind the prediction")
    horizon_method: str | None = Field(
        description="How the value of another horizon than the training's was found: `expected_orders`, as many times "
        "as more orders are expected, or `days`, in proportion; then there are no bounds. Null: the training's own"
    )
    model_version: ModelVersion
    as_of: AsOf


class CustomerOut(Answer):
    """What is known of a customer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer_id": "2375",
                    "customer_known": True,
                    "profile": {"region": "north", "household_size": "2"},
                    "consent_personalization": True,
                    "consent_marketing": True,
                    "segment": "active",
                    "rfm": "543",
                    "churn_probability": 0.04,
                    "predicted_value": 214.9,
                    "order_count": 86,
                    "last_order_at": "2017-12-01T17:20:00Z",
                    "model_version": "20171204T000000Z-1f3a",
                    "as_of": "2017-12-04T00:00:00Z",
                }
            ]
        }
    )

    customer_id: str = Field(description="The customer, as asked")
    customer_known: bool = Field(description="Whether the store knows the customer")
    profile: dict[str, Any] = Field(description="Columns and attributes of the customer")
    consent_personalization: bool = Field(description="Whether we may learn from the customer's events")
    consent_marketing: bool = Field(description="Whether we may send the customer offers")
    segment: str | None = Field(
        description="Lifecycle state: `prospect`, `new`, `active`, `slipping`, `lapsed` or `won_back`"
    )
    rfm: str | None = Field(description="Scores of recency, frequency and money, 1 to 5 each; null: never ordered")
    churn_probability: float | None = Field(ge=0, le=1, description="As in the churn risk, 0 to 1")
    predicted_value: float | None = Field(description=f"As in the value, {_ACCOUNT}")
    order_count: int = Field(ge=0, description="Orders so far")
    last_order_at: AwareDatetime | None = Field(description="Instant (UTC) of the last order")
    model_version: ModelVersion
    as_of: AsOf


class ErasureOut(Answer):
    """What was deleted of a customer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer_id": "2375",
                    "deleted": {"customers": 1, "order_lines": 1250, "scores": 1},
                    "bundles_holding_id": ["20171204T000000Z-1f3a"],
                }
            ]
        }
    )

    customer_id: str = Field(description="The customer, as asked")
    deleted: dict[str, int] = Field(description="Rows deleted, by table; `scores` are those of the churn list")
    bundles_holding_id: tuple[str, ...] = Field(
        description="Versions on disk that were trained while the customer was known; train anew and remove them"
    )
