"""What returns tell about a customer: how much came back, and when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days, share
from recommender.touchpoints.orders import ORDER_LINES, RETURNS

if TYPE_CHECKING:
    import pandas as pd

WINDOWS_DAYS = (56, 182)


def return_features(returns: pd.DataFrame, order_lines: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with a return; shares are of all order lines, at most 1."""
    import pandas as pd

    age = age_days(returns["returned_at"], cutoff)
    by_customer = returns.assign(age=age).groupby("customer_id")
    count, amount = by_customer.size(), by_customer["amount"].sum()
    bought = order_lines[order_lines["customer_id"].isin(count.index)].groupby("customer_id")
    windows = {f"return_{days}d_count": (age < days).groupby(returns["customer_id"]).sum() for days in WINDOWS_DAYS}
    return pd.DataFrame(
        {
            "return_count": count,
            "return_amount": amount,
            "return_line_share": share(count, bought.size().reindex(count.index)).clip(upper=1),
            "return_amount_share": share(amount, bought["amount"].sum().reindex(count.index)).clip(upper=1),
            "days_since_last_return": by_customer["age"].min(),
            **windows,
        }
    )


RETURN_BLOCK = FeatureBlock(
    "returns",
    (RETURNS, ORDER_LINES),
    return_features,
    (
        Feature("return_count", "lines returned", sentence="Items returned so far: {value:.0f}", lever="product"),
        *(
            Feature(
                f"return_{days}d_count",
                f"lines returned in the last {days} days",
                sentence=f"Items returned in the last {days} days: {{value:.0f}}",
                lever="product",
            )
            for days in WINDOWS_DAYS
        ),
        Feature("return_amount", "paid back so far", sentence="Paid back for returns: {value:,.2f}", lever="product"),
        Feature(
            "return_line_share",
            "lines returned as a share of the lines bought",
            sentence="Returned items among those bought: {value:.0%}",
            lever="product",
        ),
        Feature(
            "return_amount_share",
            "paid back as a share of what was paid",
            sentence="Of all that was paid, {value:.0%} was paid back for returns",
            lever="product",
        ),
        Feature(
            "days_since_last_return",
            "days from the last return to the cutoff",
            UNKNOWN,
            "Days since the last return: {value:.0f}",
            "product",
        ),
    ),
)
