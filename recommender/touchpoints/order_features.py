"""What orders tell about a customer: rhythm, spend and variety.

Several orders within one order day count as one shopping occasion. Order days are the 24 hours counted back from the
cutoff, so windows hold whole days, no time zone is assumed, and a cutoff at the company's night cuts days at night.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import (
    UNKNOWN,
    Feature,
    FeatureBlock,
    age_days,
    distinct_counts,
    event_days,
    last_by,
    share,
    unique_pairs,
)
from recommender.touchpoints.orders import ORDER_LINES

if TYPE_CHECKING:
    import pandas as pd

WINDOWS_DAYS = (28, 56, 112, 182)
TREND_DAYS = 56


def order_features(order_lines: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """Features of the customers with an order, from order lines as of the cutoff."""
    import pandas as pd

    lines, customer_ids = _lines(order_lines, cutoff)
    orders = _orders(lines)
    days = event_days(orders, "customer", "age")
    parts = [_rhythm(days), _intervals(days), _windows(orders, days), _baskets(orders), _variety(lines, orders)]
    features = pd.concat(parts, axis=1)
    features["order_due_mean_ratio"] = share(features["days_since_last_order"], features["order_interval_mean_days"])
    features["order_due_max_ratio"] = share(features["days_since_last_order"], features["order_interval_max_days"])
    features.index = customer_ids.take(features.index)
    return features


def _lines(order_lines: pd.DataFrame, cutoff: datetime) -> tuple[pd.DataFrame, pd.Index]:
    """The lines with numbers in place of identifiers, their age, and the customers by number."""
    import pandas as pd

    customer, customer_ids = pd.factorize(order_lines["customer_id"])
    order = pd.factorize(order_lines["order_id"])[0]
    lines = pd.DataFrame(
        {
            "customer": customer,
            # two customers who share the text of an order id do not share the order
            "order": pd.factorize(customer * (order.max(initial=0) + 1) + order)[0],
            "item": pd.factorize(order_lines["item_id"])[0],
            "channel": pd.factorize(order_lines["channel"])[0],
            "store": pd.factorize(order_lines["store_id"])[0],
            "age": age_days(order_lines["ordered_at"], cutoff).to_numpy(),
            "amount": order_lines["amount"].to_numpy(),
            "discount": order_lines["discount"].to_numpy(),
        }
    )
    return lines, pd.Index(customer_ids, dtype="string", name="customer_id")


def _orders(lines: pd.DataFrame) -> pd.DataFrame:
    """One row per order: its customer, its age, its order day counted back from the cutoff, what was paid."""
    by_order = lines.groupby("order")
    orders = by_order[["amount", "discount"]].sum(min_count=1)
    orders["age"] = by_order["age"].min()
    return orders.assign(customer=by_order["customer"].first(), day=orders["age"] // 1)


def _rhythm(days: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    by_customer = days.groupby("customer")["day"]
    count, first, last = by_customer.size(), by_customer.max(), by_customer.min()
    weekdays = days.assign(weekday=days["day"] % 7).groupby(["customer", "weekday"]).size()
    return pd.DataFrame(
        {
            "order_day_count": count,
            "age_at_last_order_days": first - last,
            "order_span_share": share(first - last, first),
            "order_day_share": count / (first + 1),
            "order_weekday_top_share": weekdays.groupby("customer").max() / count,
        }
    )


def _intervals(days: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    by_customer = days.groupby("customer")["interval"]
    return pd.DataFrame(
        {
            "order_interval_mean_days": by_customer.mean(),
            "order_interval_std_days": by_customer.std(),
            "order_interval_last_days": by_customer.last(),
            "order_interval_max_days": by_customer.max(),
        }
    )


def _windows(orders: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    features: dict[str, pd.Series] = {}
    for window in WINDOWS_DAYS:
        features[f"order_days_{window}d_count"] = (days["day"] < window).groupby(days["customer"]).sum()
        features[f"spend_{window}d_amount"] = _spend_within(orders, window)
    earlier = _spend_within(orders, 2 * TREND_DAYS)
    features["spend_trend_share"] = share(features[f"spend_{TREND_DAYS}d_amount"], earlier)
    features["order_days_trend_share"] = share(
        features[f"order_days_{TREND_DAYS}d_count"], features[f"order_days_{2 * TREND_DAYS}d_count"]
    )
    return pd.DataFrame(features)


def _spend_within(orders: pd.DataFrame, days: int) -> pd.Series:
    return orders["amount"].where(orders["day"] < days, 0.0).groupby(orders["customer"]).sum()


def _baskets(orders: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    by_customer = orders.groupby("customer")
    amounts, discounts = by_customer["amount"], by_customer["discount"].sum()
    return pd.DataFrame(
        {
            "order_count": by_customer.size(),
            "days_since_last_order": by_customer["age"].min(),
            "days_since_first_order": by_customer["age"].max(),
            "spend_total_amount": amounts.sum(),
            "basket_mean_amount": amounts.mean(),
            "basket_std_amount": amounts.std(),
            "basket_last_amount": last_by(
                orders.assign(recency=-orders["age"]), "customer", ["recency", "amount", "discount"]
            )["amount"],
            "discount_share": share(discounts, discounts + amounts.sum()),
        }
    )


def _variety(lines: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    owner, size = lines["customer"].to_numpy(), int(lines["customer"].max()) + 1
    picked_order, picked_item = unique_pairs(lines["order"].to_numpy(), lines["item"].to_numpy())
    picker = orders["customer"].to_numpy()[picked_order]
    picks, items = np.bincount(picker, minlength=size), distinct_counts(picker, picked_item, size)
    return pd.DataFrame(
        {
            "item_distinct_count": items,
            "items_per_order_mean_count": picks / orders.groupby("customer").size(),
            "repeat_item_share": 1 - items / picks,
            "order_channel_count": distinct_counts(owner, lines["channel"].to_numpy(), size),
            "order_store_count": distinct_counts(owner, lines["store"].to_numpy(), size),
        }
    )


def _window(days: int) -> tuple[Feature, ...]:
    period = f"in the last {days} days"
    return (
        Feature(f"order_days_{days}d_count", f"order days {period}"),
        Feature(f"spend_{days}d_amount", f"paid {period}"),
    )


ORDER_BLOCK = FeatureBlock(
    "orders",
    (ORDER_LINES,),
    order_features,
    (
        Feature("order_count", "orders so far"),
        Feature("order_day_count", "order days so far"),
        *(feature for days in WINDOWS_DAYS for feature in _window(days)),
        Feature("spend_total_amount", "paid so far"),
        Feature(
            "spend_trend_share",
            "spend of the last 56 days as a share of that of the last 112; one half is steady",
            UNKNOWN,
        ),
        Feature(
            "order_days_trend_share",
            "order days of the last 56 days as a share of those of the last 112; one half is steady",
            UNKNOWN,
        ),
        Feature("days_since_last_order", "days from the last order to the cutoff", UNKNOWN),
        Feature("days_since_first_order", "days from the first order to the cutoff", UNKNOWN),
        Feature("age_at_last_order_days", "whole days from the first to the last order day", UNKNOWN),
        Feature("order_span_share", "age at the last order as a share of the days since the first", UNKNOWN),
        Feature("order_day_share", "share of the days since the first order that have one", UNKNOWN),
        Feature("order_interval_mean_days", "mean days between order days; unknown before the second", UNKNOWN),
        Feature(
            "order_interval_std_days",
            "standard deviation of the days between order days; unknown before the third",
            UNKNOWN,
        ),
        Feature("order_interval_last_days", "days between the last two order days", UNKNOWN),
        Feature("order_interval_max_days", "longest time between two order days", UNKNOWN),
        Feature("order_due_mean_ratio", "days since the last order divided by the usual days between orders", UNKNOWN),
        Feature("order_due_max_ratio", "days since the last order divided by the longest pause so far", UNKNOWN),
        Feature("order_weekday_top_share", "share of order days on the customer's most usual day of the week", UNKNOWN),
        Feature("basket_mean_amount", "mean amount of an order", UNKNOWN),
        Feature("basket_last_amount", "amount of the last order", UNKNOWN),
        Feature("basket_std_amount", "standard deviation of the amounts of orders", UNKNOWN),
        Feature("discount_share", "discounts as a share of what the goods would have cost without", UNKNOWN),
        Feature("item_distinct_count", "different items bought"),
        Feature("items_per_order_mean_count", "mean number of different items in an order", UNKNOWN),
        Feature(
            "repeat_item_share", "share of the items in orders that the customer had bought in another order", UNKNOWN
        ),
        Feature("order_channel_count", "channels ordered over"),
        Feature("order_store_count", "shops ordered in"),
    ),
)
