"""What of an amount stays with the company: the margin where costs are known, else the amount itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# Costs of less of the revenue say too little about the rest of it.
KNOWN_SHARE_AT_LEAST = 0.5


@dataclass(frozen=True)
class Margins:
    """How amounts become values: less ``cost_share`` of them, or less the cost of the line where it is known.

    ``cost_share`` None: the costs of less than half of the revenue are known, and value is revenue. ``known_share``
    is the part of the revenue whose cost is known.
    """

    cost_share: float | None = None
    known_share: float = 0.0

    @property
    def is_margin(self) -> bool:
        """Whether value is margin; else it is revenue."""
        return self.cost_share is not None

    @classmethod
    def learn(cls, order_lines: pd.DataFrame, items: pd.DataFrame) -> Margins:
        """The share of costs in the lines whose cost is known, from both tables as of one instant."""
        amounts, costs = _finite(order_lines["amount"]), _costs(order_lines, items)
        revenue, is_known = float(np.nansum(amounts)), ~np.isnan(amounts + costs)
        known = float(amounts[is_known].sum())
        if revenue <= 0.0 or known < KNOWN_SHARE_AT_LEAST * revenue:
            return cls(None, known / revenue if revenue > 0.0 else 0.0)
        return cls(float(costs[is_known].sum()) / known, known / revenue)

    def lines(self, order_lines: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
        """Order lines whose ``amount`` is what they brought; below 0 where a line cost more than was paid."""
        if self.cost_share is None:
            return order_lines
        amounts, costs = _finite(order_lines["amount"]), _costs(order_lines, items)
        return order_lines.assign(amount=amounts - np.where(np.isnan(costs), amounts * self.cost_share, costs))

    def returns(self, returns: pd.DataFrame) -> pd.DataFrame:
        """Returns whose ``amount`` is the margin that went back: what came back is sold again."""
        if self.cost_share is None:
            return returns
        return returns.assign(amount=_finite(returns["amount"]) * max(0.0, 1.0 - self.cost_share))


def _costs(order_lines: pd.DataFrame, items: pd.DataFrame) -> np.ndarray:
    """Cost of each line: its own, else that of its pieces, else NaN."""
    own = _finite(order_lines["cost"])
    if not items["cost"].notna().any():
        return own
    by_item = items.set_index("item_id")["cost"]
    pieces = _finite(order_lines["item_id"].map(by_item)) * _finite(order_lines["quantity"])
    return np.where(np.isnan(own), pieces, own)


def _finite(values: pd.Series) -> np.ndarray:
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)
