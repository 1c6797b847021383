"""Lifecycle states: where a customer stands, by the own rhythm and the activity window.

Every customer is in exactly one state at an instant. By orders, the first that holds:

- ``prospect``: never ordered.
- ``lapsed``: no order within the activity window.
- ``won_back``: ordered within the window, after a silence that was longer than the window.
- ``new``: ordered for the first time within the window.
- ``slipping``: silent for longer than SLIPPING_RATIO times the own usual interval (the median) and for longer than
  SLIPPING_SHARE of the own intervals; so who orders like clockwork slips soon, and who never did slips late.
- ``active``: everybody else.

Where contracts say who is a customer, the same states by subscriptions: ``prospect`` never had one; ``lapsed`` has
none that runs; ``won_back`` began one within the window after more than CHANGE_DAYS without any; ``new`` began the
first within the window; ``slipping`` pays less a month than at the beginning of the window, or where no amount is
known holds fewer contracts; ``active`` is everybody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recommender.features import age_days
from recommender.retention.definitions import ChurnDefinition

if TYPE_CHECKING:
    import pandas as pd

PROSPECT, NEW, ACTIVE, SLIPPING, LAPSED, WON_BACK = "prospect", "new", "active", "slipping", "lapsed", "won_back"
STATES = (PROSPECT, NEW, ACTIVE, SLIPPING, LAPSED, WON_BACK)
SLIPPING_RATIO, SLIPPING_SHARE = 2.0, 0.9
# A change of plan that takes effect on the next day is no lapse.
CHANGE_DAYS = 1.0


def lifecycle_states(
    tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, as_of: datetime, definition: ChurnDefinition
) -> pd.Series:
    """The state of each customer, in the order of the ids, from tables as of the instant."""
    if definition.contractual:
        return contract_states(tables["subscriptions"], customer_ids, as_of, definition.activity_days)
    return order_states(tables["order_lines"], customer_ids, as_of, definition.activity_days)


def order_states(orders: pd.DataFrame, customer_ids: pd.Index, as_of: datetime, activity_days: float) -> pd.Series:
    """States by orders, of which ``customer_id`` and ``ordered_at`` are looked at: order lines or whole orders."""
    told = _told_by_orders(orders, as_of, activity_days).reindex(customer_ids)
    return _chosen(
        customer_ids,
        {
            PROSPECT: told["last"].isna(),
            LAPSED: told["last"] > activity_days,
            WON_BACK: told["returned"] > 0,
            NEW: told["first"] <= activity_days,
            SLIPPING: told["last"] > told["patience"],
        },
    )


def contract_states(
    subscriptions: pd.DataFrame, customer_ids: pd.Index, as_of: datetime, activity_days: float
) -> pd.Series:
    """States by subscriptions."""
    began = age_days(subscriptions["started_at"], as_of)
    # What has not ended goes on.
    ended = age_days(subscriptions["ended_at"], as_of).fillna(float("-inf"))
    contracts = subscriptions[["customer_id", "monthly_amount"]].assign(began=began, ended=ended)
    contracts = contracts.sort_values(["customer_id", "began"], ascending=[True, False], kind="stable")
    by_customer = contracts.groupby("customer_id")
    # Ages: the smallest is the latest end so far, and before the first contract there is none.
    free_since = by_customer["ended"].cummin().groupby(contracts["customer_id"]).shift()
    returned = contracts["customer_id"][
        (free_since - contracts["began"] > CHANGE_DAYS) & (contracts["began"] <= activity_days)
    ]
    running = contracts.loc[contracts["ended"] <= 0, "customer_id"]
    first = by_customer["began"].max().reindex(customer_ids)
    return _chosen(
        customer_ids,
        {
            PROSPECT: first.isna(),
            LAPSED: ~customer_ids.isin(running.unique()),
            WON_BACK: customer_ids.isin(returned.unique()),
            NEW: first <= activity_days,
            SLIPPING: (_weight(contracts, 0.0) < _weight(contracts, activity_days)).reindex(
                customer_ids, fill_value=False
            ),
        },
    )


def _chosen(customer_ids: pd.Index, conditions: Mapping[str, Any]) -> pd.Series:
    """The name of the first condition that holds, else ``active``."""
    import numpy as np
    import pandas as pd

    holds = [np.asarray(one, dtype=bool) for one in conditions.values()]
    chosen = np.select(holds, list(conditions), ACTIVE)
    return pd.Series(chosen, index=customer_ids, dtype="string", name="segment")


def _told_by_orders(orders: pd.DataFrame, as_of: datetime, activity_days: float) -> pd.DataFrame:
    """By customer the ages of the first and the last order, how often a lapse ended within the window, the patience.

    The patience is the days of silence that the own rhythm explains; NaN without two days with orders. Several orders
    on one day, of 24 hours counted back from the instant, count as one.
    """
    import numpy as np
    import pandas as pd

    numbers, customer_ids = pd.factorize(orders["customer_id"])
    ages = pd.DataFrame({"customer": numbers, "age": age_days(orders["ordered_at"], as_of).to_numpy()})
    ages = ages.sort_values(["customer", "age"], ascending=[True, False], kind="stable")
    days = ages.assign(day=ages["age"] // 1).drop_duplicates(["customer", "day"])
    interval = _since_before(days, "day").groupby(days["customer"])
    is_return = (_since_before(ages, "age") > activity_days) & (ages["age"] <= activity_days)
    by_customer = ages.groupby("customer")["age"]
    return pd.DataFrame(
        {
            "first": by_customer.max(),
            "last": by_customer.min(),
            "returned": is_return.groupby(ages["customer"]).sum(),
            "patience": np.maximum(SLIPPING_RATIO * interval.median(), interval.quantile(SLIPPING_SHARE)),
        }
    ).set_axis(customer_ids)


def _since_before(rows: pd.DataFrame, column: str) -> pd.Series:
    """Days from the row before of the same customer, NaN at the first; rows lie by customer, oldest first."""
    return (rows[column].shift() - rows[column]).where(rows["customer"] == rows["customer"].shift())


def _weight(contracts: pd.DataFrame, age: float) -> pd.Series:
    """By customer what the contracts that ran so many days ago came to: money a month, or their number."""
    ran = (contracts["began"] > age) & (contracts["ended"] <= age)
    amount = contracts["monthly_amount"].fillna(0.0)
    paid = amount.groupby(contracts["customer_id"]).transform("sum") > 0
    return amount.where(paid, 1.0).where(ran, 0.0).groupby(contracts["customer_id"]).sum()
