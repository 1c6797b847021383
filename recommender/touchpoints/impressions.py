"""Impressions: what we showed, where, at which rank."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days
from recommender.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

RECENT_DAYS = 28

IMPRESSIONS = Table(
    "impressions",
    (
        Column("recommendation_id", "identifier", "one answer of ours", required=True),
        Column("rank", "integer", "place in it, 1 is best", required=True, minimum=1),
        Column("shown_at", "instant", "when", required=True),
        Column("customer_id", "identifier", "to whom, where known"),
        Column("session_id", "identifier", "in which visit"),
        Column("item_id", "identifier", "the item shown"),
        Column("offer_id", "identifier", "the offer shown"),
        Column("placement", "text", "where on the page or in the mail"),
        Column("channel", "text", "over which channel"),
        Column("model_version", "text", "bundle that decided"),
        Column("propensity", "decimal", "probability of showing it", minimum=0, maximum=1),
        Column("variant", "text", "arm of an experiment"),
    ),
    key=("recommendation_id", "rank"),
    exists_from="shown_at",
    one_of=("customer_id", "session_id"),
    # Written at the wall clock with every answer, also over data that end years ago.
    tells_time=False,
)


def impression_features(impressions: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the known customers who were shown something."""
    import pandas as pd

    rows = impressions[impressions["customer_id"].notna()]
    rows = rows.assign(age=age_days(rows["shown_at"], cutoff))
    recent = rows[rows["age"] < RECENT_DAYS]
    by_customer = rows.groupby("customer_id")
    counts = pd.DataFrame(
        {
            "impression_count": by_customer.size(),
            "impression_28d_count": recent.groupby("customer_id").size(),
            "impression_item_28d_count": _distinct(recent, "item_id"),
            "impression_offer_28d_count": _distinct(recent, "offer_id"),
            "recommendation_28d_count": _distinct(recent, "recommendation_id"),
        }
    ).fillna(0.0)
    return counts.assign(days_since_last_impression=by_customer["age"].min())


def _distinct(rows: pd.DataFrame, column: str) -> pd.Series:
    return rows[["customer_id", column]].dropna().drop_duplicates().groupby("customer_id").size()


IMPRESSION_BLOCK = FeatureBlock(
    "impressions",
    (IMPRESSIONS,),
    impression_features,
    (
        Feature("impression_count", "items and offers shown so far"),
        Feature("impression_28d_count", "items and offers shown in the last 28 days"),
        Feature("impression_item_28d_count", "different items shown in the last 28 days"),
        Feature("impression_offer_28d_count", "different offers shown in the last 28 days"),
        Feature("recommendation_28d_count", "recommendations shown in the last 28 days"),
        Feature("days_since_last_impression", "days since anything was last shown", UNKNOWN),
    ),
)
