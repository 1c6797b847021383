"""What follows from a churn probability: a band, a lever and an action, in words."""

from __future__ import annotations

from collections.abc import Sequence

from recommender.answers import RiskReason

# Fixed, so that a customer's move between bands is a move of the customer, not of the bounds.
BANDS = ((0.5, "high"), (0.2, "medium"), (0.0, "low"))

_ACTIONS = {
    ("high", "service"): "Call the customer and solve what is open before anything else",
    ("high", "product"): "Show what is new in the categories this customer buys, in person or by message",
    ("high", "offer"): "Make a win-back offer on what this customer used to buy",
    ("high", "none"): "Ask the customer how things are going",
    ("medium", "service"): "Write to the customer about what went wrong",
    ("medium", "product"): "Send recommendations at the next contact",
    ("medium", "offer"): "Remind of what this customer buys, with a small incentive",
    ("medium", "none"): "Send a reminder at the usual order time",
}
NO_ACTION = "Nothing to do"


def band_of(churn_probability: float) -> str:
    """``high`` from 0.5, ``medium`` from 0.2, else ``low``."""
    return next(name for bound, name in BANDS if churn_probability >= bound)


def lever_of(reasons: Sequence[RiskReason]) -> str:
    """The lever of the strongest reason that raises the risk and that the company can act on, else ``none``."""
    return next((one.lever for one in reasons if one.direction == "up" and one.lever != "none"), "none")


def action_for(band: str, lever: str) -> str:
    """What to do about a customer of a band whose strongest reason has a lever."""
    return _ACTIONS.get((band, lever), NO_ACTION)
