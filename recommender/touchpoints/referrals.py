"""Referrals: customers who brought customers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days
from recommender.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

REFERRALS = Table(
    "referrals",
    (
        Column("referral_id", "identifier", "one referral", required=True),
        Column("referrer_id", "identifier", "who referred", required=True),
        Column("referred_id", "identifier", "who came", required=True),
        Column("referred_at", "instant", "when", required=True),
        Column("reward", "decimal", "what the referrer got", minimum=0),
    ),
    key=("referral_id",),
    exists_from="referred_at",
    customer_columns=("referrer_id", "referred_id"),
)


def referral_features(referrals: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers who referred somebody.

    A row lies with its referrer's history, so that of the customer who came does not tell who brought them.
    """
    import pandas as pd

    given = referrals.assign(age=age_days(referrals["referred_at"], cutoff)).groupby("referrer_id")
    features = pd.DataFrame(
        {
            "referral_count": given.size(),
            "referral_reward_amount": given["reward"].sum(),
            "days_since_last_referral": given["age"].min(),
        }
    )
    return features.rename_axis("customer_id")


REFERRAL_BLOCK = FeatureBlock(
    "referrals",
    (REFERRALS,),
    referral_features,
    (
        Feature("referral_count", "customers referred"),
        Feature("referral_reward_amount", "rewards for referrals so far"),
        Feature("days_since_last_referral", "days since a customer was last referred", UNKNOWN),
    ),
)
