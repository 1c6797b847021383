"""Subscriptions: contracts that run until somebody ends them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days
from recommender.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

SUBSCRIPTIONS = Table(
    "subscriptions",
    (
        Column("subscription_id", "identifier", "one contract", required=True),
        Column("customer_id", "identifier", "whose", required=True),
        Column("started_at", "instant", "since when", required=True),
        Column("ended_at", "instant", "until when"),
        Column("end_reason", "text", "why it ended", known_at="ended_at"),
        Column("plan", "text", "which plan"),
        Column("monthly_amount", "decimal", "paid per month", minimum=0),
    ),
    key=("subscription_id",),
    exists_from="started_at",
)


def subscription_features(subscriptions: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with a contract; one whose end is not known by the cutoff is running."""
    import pandas as pd

    since_start, since_end = (age_days(subscriptions[name], cutoff) for name in ("started_at", "ended_at"))
    is_running = since_end.isna()
    rows = subscriptions.assign(
        running=is_running,
        running_amount=subscriptions["monthly_amount"].where(is_running),
        since_start=since_start,
        running_age=since_start.where(is_running),
        since_end=since_end,
        length=since_start - since_end,
    )
    by_customer = rows.groupby("customer_id")
    running = by_customer["running"].sum()
    return pd.DataFrame(
        {
            "subscription_count": by_customer.size(),
            "subscription_running_count": running,
            "subscription_ended_count": by_customer.size() - running,
            "subscription_monthly_amount": by_customer["running_amount"].sum(),
            "subscription_age_days": by_customer["running_age"].max(),
            "days_since_last_subscription_start": by_customer["since_start"].min(),
            "days_since_last_subscription_end": by_customer["since_end"].min(),
            "subscription_ended_mean_days": by_customer["length"].mean(),
            "subscription_plan_count": by_customer["plan"].nunique(),
        }
    )


SUBSCRIPTION_BLOCK = FeatureBlock(
    "subscriptions",
    (SUBSCRIPTIONS,),
    subscription_features,
    (
        Feature("subscription_count", "contracts so far"),
        Feature("subscription_running_count", "contracts running"),
        Feature("subscription_ended_count", "contracts ended"),
        Feature("subscription_monthly_amount", "paid per month for running contracts"),
        Feature("subscription_age_days", "days since the start of the oldest running contract", UNKNOWN),
        Feature("days_since_last_subscription_start", "days since the start of the newest contract", UNKNOWN),
        Feature("days_since_last_subscription_end", "days since a contract last ended", UNKNOWN),
        Feature("subscription_ended_mean_days", "mean length of the contracts ended", UNKNOWN),
        Feature("subscription_plan_count", "different plans so far"),
    ),
)
