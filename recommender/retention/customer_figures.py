"""What a score tells of a customer besides the risk: value, segment, profile, orders; one column each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from recommender.bundle import ModelBundle
from recommender.models.lifetime_value import total_amounts
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.expected_values import PREDICTED, predicted_values
from recommender.retention.margins import Margins
from recommender.retention.rfm import rfm_figures, rfm_scores
from recommender.retention.segments import lifecycle_states
from recommender.retention.value_history import value_history, valued
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
    features: pd.DataFrame,
) -> pd.DataFrame:
    """By customer, in the order of the ids, the columns of a score row that are not about risk.

    ``features`` are those of all these customers; among the tables ``items`` is read for costs.
    """
    import pandas as pd

    orders = _orders(tables["order_lines"], customer_ids)
    values = _value(tables, customer_ids, bundle, as_of, features)
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
    tables: Mapping[str, pd.DataFrame],
    customer_ids: pd.Index,
    bundle: ModelBundle,
    as_of: datetime,
    features: pd.DataFrame,
) -> pd.DataFrame:
    """What customers were worth, and what they are expected to be worth and to order within the horizon."""
    import pandas as pd

    margins = Margins(**bundle.facts.get("value", {}).get("margins", {}))
    lines, returns = valued(tables, margins)
    paid, paid_back = (total_amounts(rows).reindex(customer_ids, fill_value=0.0) for rows in (lines, returns))
    values = pd.DataFrame({"historic_value": paid - paid_back}, index=customer_ids)
    if "value" not in bundle.models or not len(lines):
        return values.assign(**dict.fromkeys(PREDICTED, float("nan")))
    history = value_history(tables, margins, as_of, features)
    predicted = predicted_values(bundle, history)
    return values.join(predicted[list(PREDICTED)])


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
