"""How much and how often customers buy lately: rates in which the past fades."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from recommender.features import age_days

if TYPE_CHECKING:
    import pandas as pd

# Days after which an order counts 1/e of one of today.
FADING_DAYS = (15, 30, 60, 120)
MINIMUM_AGE_DAYS = 7.0


def spend_rates(order_lines: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Amount and order days per day, by customer with an order, from order lines as of the cutoff.

    Each day counts ``exp(-age / fading)``; the sums are divided by the days since the first order counted likewise, so
    that a customer who always buys alike has one rate for every fading. An amount that is not finite counts as 0.
    """
    import pandas as pd

    ages = age_days(order_lines["ordered_at"], cutoff)
    lines = pd.DataFrame(
        {
            "customer_id": order_lines["customer_id"],
            "age": ages,
            "day": np.ceil(ages),
            "amount": order_lines["amount"].where(np.isfinite(order_lines["amount"]), 0.0),
        }
    )
    visits = lines.drop_duplicates(["customer_id", "day"])
    since = lines.groupby("customer_id")["age"].max().clip(lower=MINIMUM_AGE_DAYS)
    rates = {}
    for fading in FADING_DAYS:
        days = fading * -np.expm1(-since / fading)
        paid = (np.exp(-lines["age"] / fading) * lines["amount"]).groupby(lines["customer_id"]).sum()
        came = np.exp(-visits["age"] / fading).groupby(visits["customer_id"]).sum()
        rates[f"spend_rate_{fading}d_amount"] = paid / days
        rates[f"order_day_rate_{fading}d"] = came / days
    return pd.DataFrame(rates)
