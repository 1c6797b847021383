"""Customers: who they are, since when, and what they agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days
from recommender.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

CUSTOMERS = Table(
    "customers",
    (
        Column("customer_id", "identifier", "whom we serve", required=True),
        Column("signed_up_at", "instant", "when the customer became one"),
        Column("birth_year", "integer", "year of birth", minimum=1850, maximum=2100),
        Column("region", "identifier", "where the customer lives"),
        Column("channel", "text", "over which channel the customer came"),
        Column("consent_personalization", "boolean", "may we learn from this customer's events", default=True),
        Column("consent_marketing", "boolean", "may we send this customer offers", default=True),
        Column("attributes", "object", "all further columns as a JSON object"),
    ),
    key=("customer_id",),
    exists_from="signed_up_at",
)


def customer_features(customers: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with a row of their own.

    Consent, region, channel and attributes are kept without the time at which they were given, so a later change
    would reach into the past: they make no feature.
    """
    import pandas as pd

    rows = customers.set_index("customer_id")
    return pd.DataFrame(
        {
            "age_years": cutoff.year - rows["birth_year"].astype("Float64"),
            "days_since_sign_up": age_days(rows["signed_up_at"], cutoff),
        }
    )


CUSTOMER_BLOCK = FeatureBlock(
    "customers",
    (CUSTOMERS,),
    customer_features,
    (
        Feature("age_years", "years from the year of birth to that of the cutoff", UNKNOWN),
        Feature("days_since_sign_up", "days as a customer", UNKNOWN),
    ),
)
