"""What offers tell about a customer: what was offered, and whether it was used."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days, share
from recommender.touchpoints.offers import ASSIGNMENTS, REDEMPTIONS

if TYPE_CHECKING:
    import pandas as pd

RECENT_DAYS = 90


def offer_features(assignments: pd.DataFrame, redemptions: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with a treatment or a redemption.

    Draws into control leave no trace: the customer was offered nothing.
    """
    import pandas as pd

    treatments = assignments[assignments["arm"] == "treatment"]
    treatments = _aged(treatments, age_days(treatments["assigned_at"], cutoff))
    used = _aged(redemptions, age_days(redemptions["redeemed_at"], cutoff))
    offered, redeemed = treatments.groupby("customer_id"), used.groupby("customer_id")
    features = pd.DataFrame(
        {
            "offer_treatment_count": offered.size(),
            "offer_treatment_90d_count": offered["recent"].sum(),
            "offer_redemption_count": redeemed.size(),
            "offer_redemption_90d_count": redeemed["recent"].sum(),
            "offer_redemption_cost_amount": redeemed["cost"].sum(),
        }
    ).fillna(0.0)
    return features.assign(
        offer_redemption_share=_redeemed_share(treatments, used),
        days_since_last_treatment=offered["age"].min(),
        days_since_last_redemption=redeemed["age"].min(),
    )


def _aged(rows: pd.DataFrame, age: pd.Series) -> pd.DataFrame:
    return rows.assign(age=age, recent=age < RECENT_DAYS)


def _redeemed_share(treatments: pd.DataFrame, used: pd.DataFrame) -> pd.Series:
    """Share of the different offers made that the customer has used."""
    pair = ["customer_id", "offer_id"]
    made = treatments[pair].drop_duplicates()
    taken = made.merge(used[pair].drop_duplicates(), on=pair).groupby("customer_id").size()
    count = made.groupby("customer_id").size()
    return share(taken.reindex(count.index, fill_value=0), count)


OFFER_BLOCK = FeatureBlock(
    "offers",
    (ASSIGNMENTS, REDEMPTIONS),
    offer_features,
    (
        Feature("offer_treatment_count", "offers made so far"),
        Feature("offer_treatment_90d_count", f"offers made in the last {RECENT_DAYS} days"),
        Feature("offer_redemption_count", "offers used so far"),
        Feature("offer_redemption_90d_count", f"offers used in the last {RECENT_DAYS} days"),
        Feature("offer_redemption_cost_amount", "what the offers used cost the company"),
        Feature("offer_redemption_share", "share of the different offers made that were used", UNKNOWN),
        Feature("days_since_last_treatment", "days since the last offer was made", UNKNOWN),
        Feature("days_since_last_redemption", "days since an offer was last used", UNKNOWN),
    ),
)
