"""What prices tell about a customer: what is bought again for more than before, and discounts that stayed away."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import UNKNOWN, Feature, FeatureBlock, age_days, share
from recommender.touchpoints.orders import ORDER_LINES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

RECENT_DAYS = 91
# A price paid longer ago than this is no longer what the customer compares with.
MEMORY_DAYS = 182


def price_features(order_lines: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with a line that has an amount, from order lines as of the cutoff.

    The price of a line is what a piece would have cost without discounts. An item bought again is compared with what
    the same customer saw for it first within the MEMORY_DAYS before; what fell counts as unchanged, because a loss
    weighs more than a gain. Items bought once tell nothing.
    """
    lines = _priced(order_lines, cutoff)
    again = _bought_again(lines)
    by_order = again.groupby(["customer_id", "age"])["ratio"].mean().groupby("customer_id")
    return _discounts(lines).assign(
        price_rise_mean_ratio=again.groupby("customer_id")["ratio"].mean(),
        price_rise_order_max_ratio=by_order.max(),
    )


def _priced(order_lines: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """The lines that have an amount and a quantity, with what they would have cost and the price of a piece."""
    lines = order_lines[["customer_id", "item_id", "quantity", "amount"]].assign(
        discount=order_lines["discount"].fillna(0.0), age=age_days(order_lines["ordered_at"], cutoff)
    )
    lines = lines[lines["amount"].notna() & (lines["quantity"] > 0)]
    full = lines["amount"] + lines["discount"]
    return lines.assign(full=full, price=full / lines["quantity"])


def _bought_again(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of the last RECENT_DAYS of an item bought before, with the price divided by the first remembered."""
    recalled = lines[(lines["age"] < RECENT_DAYS + MEMORY_DAYS) & (lines["price"] > 0)]
    # Two lines of an item in one order have one price to remember.
    paid = recalled.groupby(["customer_id", "item_id", "age"])["price"].mean().reset_index()
    paid = paid.sort_values(["customer_id", "item_id", "age"], ascending=[True, True, False], ignore_index=True)
    first = _first_remembered(paid)
    ratio = (paid["price"] / paid["price"].to_numpy()[first]).clip(lower=1.0)
    return paid.assign(ratio=ratio)[(first < paid.index) & (paid["age"] < RECENT_DAYS)]


def _first_remembered(paid: pd.DataFrame) -> np.ndarray:
    """Position of the oldest line of the same customer and item at most MEMORY_DAYS before each line."""
    import numpy as np

    owner = paid.groupby(["customer_id", "item_id"]).ngroup().to_numpy()
    # One rising number per line: its owner, then how young it is.
    width = RECENT_DAYS + 2.0 * MEMORY_DAYS
    rising = owner * width - paid["age"].to_numpy()
    return np.asarray(np.searchsorted(rising, rising - MEMORY_DAYS, side="left"))


def _discounts(lines: pd.DataFrame) -> pd.DataFrame:
    """Share of the full price that discounts took off lately and in the time before, and how much less it became."""
    import pandas as pd

    is_recent = lines["age"] < RECENT_DAYS
    is_before = ~is_recent & (lines["age"] < RECENT_DAYS + MEMORY_DAYS)
    recent, before = (_discount_share(lines, within) for within in (is_recent, is_before))
    lost = (before - recent).clip(lower=0.0)
    return pd.DataFrame({"discount_91d_share": recent, "discount_before_share": before, "discount_lost_share": lost})


def _discount_share(lines: pd.DataFrame, within: pd.Series) -> pd.Series:
    sums = lines[["discount", "full"]].where(within, 0.0).groupby(lines["customer_id"]).sum()
    return share(sums["discount"], sums["full"])


PRICE_BLOCK = FeatureBlock(
    "prices",
    (ORDER_LINES,),
    price_features,
    (
        Feature(
            "price_rise_mean_ratio",
            f"price divided by the first one seen in the {MEMORY_DAYS} days before, mean over the lines of the last "
            f"{RECENT_DAYS} days of items bought again; what fell counts as 1",
            UNKNOWN,
        ),
        Feature("price_rise_order_max_ratio", "the same for the order with the largest mean", UNKNOWN),
        Feature(
            "discount_91d_share", f"discounts of the last {RECENT_DAYS} days as a share of the full price", UNKNOWN
        ),
        Feature("discount_before_share", f"the same for the {MEMORY_DAYS} days before these", UNKNOWN),
        Feature("discount_lost_share", "by how much the share fell between the two; 0 where it did not", UNKNOWN),
    ),
)
