"""What returns tell about a customer: how much came back, and when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days, share
from recommender.touchpoints.orders import ORDER_LINES, RETURNS

if TYPE_CHECKING:
    import pandas as pd

WINDOWS_DAYS = (56, 182)
# Words in a reason that say the item was not as it should be; what is only not liked has none of them.
DEFECT_WORDS = "defect|broke|damage|fault|not work|quality|wrong|spoil|expired|leak"


def return_features(returns: pd.DataFrame, order_lines: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with a return; shares are of all order lines, at most 1."""
    import pandas as pd

    age = age_days(returns["returned_at"], cutoff)
    is_defect = returns["reason"].str.contains(DEFECT_WORDS, case=False, na=False).astype(bool)
    by_customer = returns.assign(age=age).groupby("customer_id")
    count, amount = by_customer.size(), by_customer["amount"].sum()
    bought = order_lines[order_lines["customer_id"].isin(count.index)].groupby("customer_id")
    within = {
        f"return_{kind}{days}d_count": chosen & (age < days)
        for kind, chosen in (("", age.notna()), ("defect_", is_defect))
        for days in WINDOWS_DAYS
    }
    windows = pd.DataFrame(within).groupby(returns["customer_id"]).sum()
    return pd.DataFrame(
        {
            "return_count": count,
            "return_amount": amount,
            "return_line_share": share(count, bought.size().reindex(count.index)).clip(upper=1),
            "return_amount_share": share(amount, bought["amount"].sum().reindex(count.index)).clip(upper=1),
            "days_since_last_return": by_customer["age"].min(),
            "return_defect_count": is_defect.groupby(returns["customer_id"]).sum(),
            **windows,
        }
    )


RETURN_BLOCK = FeatureBlock(
    "returns",
    (RETURNS, ORDER_LINES),
    return_features,
    (
        Feature("return_count", "lines returned"),
        *(Feature(f"return_{days}d_count", f"lines returned in the last {days} days") for days in WINDOWS_DAYS),
        Feature("return_defect_count", "lines returned as broken, damaged, wrong or poor"),
        *(Feature(f"return_defect_{days}d_count", f"such lines of the last {days} days") for days in WINDOWS_DAYS),
        Feature("return_amount", "paid back so far"),
        Feature("return_line_share", "lines returned as a share of the lines bought"),
        Feature("return_amount_share", "paid back as a share of what was paid"),
        Feature("days_since_last_return", "days from the last return to the cutoff", UNKNOWN),
    ),
)
