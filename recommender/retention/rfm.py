"""Recency, frequency, monetary: three scores of 1 to 5 by fifths of the shop's customers, and the groups they make.

A score tells in which fifth of the customers the middle of those with the same figure lies; 5 is best. So equal
figures get equal scores, whatever their number: where 70 of 100 ordered once, their middle is the 35th and their
frequency is 2; where all are equal, as in a shop of one customer, the score is 3. The bounds of the fifths are learned
by ``train`` from all customers with an order and applied by ``score``, so that a score does not move because another
bucket of customers is scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from recommender.features import age_days

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SCORES = (1, 2, 3, 4, 5)
# By what is scored: days since the last order, orders, and what was paid less what came back, in the account currency.
FIGURES = ("days_since_last_order", "order_count", "net_amount")
# The usual map of recency and frequency; money tells customers of a group apart.
_GROUPS: Mapping[str, Sequence[str]] = {
    "champions": ("54", "55"),
    "loyal": ("34", "35", "44", "45"),
    "potential_loyal": ("42", "43", "52", "53"),
    "newcomers": ("51",),
    "promising": ("41",),
    "need_attention": ("33",),
    "about_to_sleep": ("31", "32"),
    "cannot_lose": ("15", "25"),
    "at_risk": ("13", "14", "23", "24"),
    "hibernating": ("11", "12", "21", "22"),
}
GROUPS: Mapping[str, str] = {code: name for name, codes in _GROUPS.items() for code in codes}
GROUP_NAMES = tuple(_GROUPS)


def rfm_figures(
    last_order_at: pd.Series, order_count: pd.Series, net_amount: pd.Series, as_of: datetime
) -> pd.DataFrame:
    """The three figures of the customers with an order, by customer."""
    import pandas as pd

    columns = dict(zip(FIGURES, (age_days(last_order_at, as_of), order_count, net_amount), strict=True))
    return pd.DataFrame(columns)[order_count > 0].astype("float64")


def learn_bounds(figures: pd.DataFrame) -> dict[str, list[float]]:
    """By figure the lowest value of each score from 2 on, as far as anybody reaches it; days negative."""
    return {name: _bounds(_directed(name, figures[name].to_numpy())) for name in FIGURES}


def rfm_scores(figures: pd.DataFrame, bounds: Mapping[str, Sequence[float]]) -> pd.Series:
    """Texts such as ``543``: recency 5, frequency 4, monetary 3; by customer."""
    import numpy as np
    import pandas as pd

    digits = [1 + np.searchsorted(bounds[name], _directed(name, figures[name].to_numpy()), "right") for name in FIGURES]
    numbers = pd.Series(digits[0] * 100 + digits[1] * 10 + digits[2], index=figures.index)
    return numbers.astype("string").rename("rfm")


def rfm_group(rfm: str) -> str:
    """The group of a customer with these scores, by recency and frequency."""
    return GROUPS[rfm[:2]]


def _directed(name: str, values: np.ndarray) -> np.ndarray:
    """The values so turned that more is better."""
    return -values if name == "days_since_last_order" else values


def _bounds(values: np.ndarray) -> list[float]:
    import numpy as np

    distinct, counts = np.unique(values, return_counts=True)
    # Twice the rank of the middle of those with a value, in whole numbers: exact at the bounds.
    middles = 2 * np.cumsum(counts) - counts
    starts = [np.flatnonzero(len(SCORES) * middles > 2 * fifth * len(values)) for fifth in SCORES[:-1]]
    return [float(distinct[found[0]]) for found in starts if len(found)]
