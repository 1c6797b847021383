"""What value models look at: purchase histories in terms of value, faded rates, and all features."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from recommender.models.lifetime_value import purchase_history
from recommender.models.spend_rates import spend_rates
from recommender.models.value_panel import joined
from recommender.retention.margins import Margins
from recommender.touchpoints import FEATURES, TABLES

if TYPE_CHECKING:
    import pandas as pd


def value_history(
    tables: Mapping[str, pd.DataFrame], margins: Margins, cutoff: datetime, features: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One row per customer with an order, sorted, from tables as of the cutoff; amounts are margins where known.

    ``features`` are those of all customers with an order, where somebody computed them already.
    """
    lines, returns = valued(tables, margins)
    history = purchase_history(lines, returns, cutoff).join(spend_rates(lines, cutoff))
    if features is None:
        features = FEATURES.compute(tables, history.index, cutoff)
    return joined(history, features)


def valued(tables: Mapping[str, pd.DataFrame], margins: Margins) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Order lines and returns whose amounts are what they brought and took."""
    lines, returns, items = (tables.get(name, TABLES[name].empty()) for name in ("order_lines", "returns", "items"))
    return margins.lines(lines, items), margins.returns(returns)
