"""What follows from a churn probability and its reasons: a band and a lever."""

from __future__ import annotations

from collections.abc import Sequence

from recommender.customer_answers import RiskReason

# Fixed, so that a customer's move between bands is a move of the customer, not of the bounds.
BANDS = ((0.5, "high"), (0.2, "medium"), (0.0, "low"))

TREATED_BANDS = ("high", "medium")


def band_of(churn_probability: float) -> str:
    """``high`` from 0.5, ``medium`` from 0.2, else ``low``."""
    return next(name for bound, name in BANDS if churn_probability >= bound)


def lever_of(reasons: Sequence[RiskReason]) -> str:
    """The lever of the strongest reason that raises the risk and that the company can act on, else ``none``."""
    return next((one.lever for one in reasons if one.direction == "up" and one.lever != "none"), "none")
