"""What a score tells of a customer besides the risk: value, segment, profile, orders; one column each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from recommender.bundle import ModelBundle
from recommender.models.lifetime_value import purchase_history
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.rfm import rfm_figures, rfm_scores
from recommender.retention.segments import lifecycle_states
from recommender.touchpoints import TABLES

if TYPE_CHECKING:
    import pandas as pd


def figures_of(
    tables: Mapping[str, pd.DataFrame],
    customer_ids: pd.Index,
    bundle: ModelBundle,
    as_of: datetime,
    *,
    definition: ChurnDefinition,
) -> pd.DataFrame:
    """By customer, in the order of the ids, the columns of a score row that are not about risk."""
    import pandas as pd

    lines, returns = tables["order_lines"], tables.get("returns", TABLES["returns"].empty())
    orders, values = _orders(lines, customer_ids), _value(lines, returns, customer_ids, bundle, as_of)
    parts = [
        orders,
        values,
        _profile(tables.get("customers", TABLES["customers"].empty()), customer_ids),
        lifecycle_states(tables, customer_ids, as_of, definition),
        _rfm(orders, values["historic_value"], bundle, as_of),
    ]
    return pd.concat(parts, axis=1)


def _orders(lines: pd.DataFrame, customer_ids: pd.Index) -> pd.DataFrame:
    import pandas as pd

    by_customer = lines.groupby("customer_id")
    return pd.DataFrame(
        {
            "order_count": by_customer["order_id"].nunique().reindex(customer_ids, fill_value=0),
            "last_order_at": by_customer["ordered_at"].max().reindex(customer_ids),
        },
        index=customer_ids,
    )


def _value(
    lines: pd.DataFrame, returns: pd.DataFrame, customer_ids: pd.Index, bundle: ModelBundle, as_of: datetime
) -> pd.DataFrame:
    import pandas as pd

    paid = lines.groupby("customer_id")["amount"].sum().reindex(customer_ids, fill_value=0.0)
    paid_back = returns.groupby("customer_id")["amount"].sum().reindex(customer_ids, fill_value=0.0)
    values = pd.DataFrame({"historic_value": paid - paid_back, "predicted_value": float("nan")}, index=customer_ids)
    history = purchase_history(lines, returns, as_of)
    if "value" in bundle.models and len(history):
        predicted = bundle.models["value"].predict(history, bundle.horizon_days)
        values["predicted_value"] = predicted.reindex(customer_ids)
    return values


def _rfm(orders: pd.DataFrame, net_amount: pd.Series, bundle: ModelBundle, as_of: datetime) -> pd.Series:
    """RFM scores by the bounds that the training learned; missing for customers without an order."""
    import pandas as pd

    learned = bundle.facts.get("customer_base")
    if learned is None:
        return pd.Series(pd.NA, index=orders.index, dtype="string", name="rfm")
    figures = rfm_figures(orders["last_order_at"], orders["order_count"], net_amount, as_of)
    return rfm_scores(figures, learned["rfm"]["bounds"]).reindex(orders.index)


def _profile(customers: pd.DataFrame, customer_ids: pd.Index) -> pd.DataFrame:
    """Region, and whether the customer may be written to; who has no row has not refused."""
    import pandas as pd

    known = customers.set_index("customer_id")
    consent = known["consent_marketing"].reindex(customer_ids).fillna(True).astype(bool)
    return pd.DataFrame({"region": known["region"].reindex(customer_ids), "consent_marketing": consent})
