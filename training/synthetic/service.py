"""What follows an order: delivery, late or not, defects, unwanted items, and the tickets they cause."""

from __future__ import annotations

import numpy as np

from training.synthetic.journeys import Rows
from training.synthetic.plan import WEEKS

DAY = 1 / 7
ORDER_CHANNELS = ("web", "app", "store")
IN_STORE = ORDER_CHANNELS.index("store")
TOPICS = ("delivery", "defect", "billing", "question")
DELIVERY, DEFECT, BILLING, QUESTION = range(4)
_UNRESOLVED_WEEKS = 16


def deliver(rng: np.random.Generator, placed: np.ndarray, channel: np.ndarray, strain: np.ndarray) -> Rows:
    """When each order was promised and delivered; NaN for what is carried home from a store."""
    count = len(placed)
    promised = placed + DAY * rng.choice([2.0, 3.0, 5.0], count)
    is_late = rng.random(count) < 0.05 + 0.13 * strain
    late_days = is_late * (0.5 + rng.exponential(2.5 + 1.5 * strain))
    delivered = np.where(is_late, promised + DAY * late_days, promised - DAY * rng.uniform(0, 1.5, count))
    at_home = channel != IN_STORE
    return {
        "promised": np.where(at_home, promised, np.nan),
        "delivered": np.where(at_home, delivered, np.nan),
        "late_days": np.where(at_home, late_days, 0.0),
    }


def handed_over(orders: Rows) -> np.ndarray:
    """When the customer had each order: delivered, or taken home at once."""
    return np.where(np.isfinite(orders["delivered"]), orders["delivered"], orders["placed"])


def draw_tickets(
    rng: np.random.Generator, orders: Rows, broken: Rows, asking: Rows, strain: np.ndarray, first_order: int
) -> Rows:
    """Tickets of a week: about late orders, about broken items, and those of customers who just ask.

    ``broken`` and ``asking`` have customer and the time from which on; ``broken`` also the order. ``strain`` is by
    customer: the more, the longer everything takes.
    """
    late = np.flatnonzero((orders["late_days"] > 0) & (rng.random(len(orders["placed"])) < 0.4))
    upset = np.flatnonzero(rng.random(len(broken["customer"])) < 0.5)
    customer = np.concatenate([orders["customer"][late], broken["customer"][upset], asking["customer"]])
    since = np.concatenate([orders["promised"][late], broken["found"][upset], asking["since"]])
    order = np.concatenate([first_order + late, broken["order"][upset], np.full(len(asking["customer"]), -1)])
    kinds = [np.full(len(late), DELIVERY), np.full(len(upset), DEFECT), rng.choice([BILLING, QUESTION], len(order))]
    topic = np.concatenate([kinds[0], kinds[1], kinds[2][: len(asking["customer"])]])
    opened = since + DAY * rng.uniform(0.02, 2.0, len(order))
    return {"customer": customer, "topic": topic, "order": order, **_handle(rng, opened, strain[customer])}


def _handle(rng: np.random.Generator, opened: np.ndarray, strain: np.ndarray) -> Rows:
    count = len(opened)
    replied = opened + DAY * rng.lognormal(-1.2, 0.8, count) * (1 + strain)
    resolved = replied + DAY * rng.lognormal(0.7, 1.0, count) * (1 + 1.5 * strain)
    resolved = np.where(rng.random(count) < 0.1, np.nan, resolved)
    again = np.isfinite(resolved) & (rng.random(count) < 0.12)
    reopened = np.where(again, resolved + DAY * rng.uniform(0.5, 10, count), np.nan)
    ends = np.where(np.isfinite(resolved), resolved, opened + _UNRESOLVED_WEEKS)
    closed = np.where(again, reopened + 4.0, ends)
    return {
        "opened": opened,
        "replied": np.where(replied < WEEKS, replied, np.nan),
        "resolved": resolved,
        "reopened": reopened,
        "closed": closed,
    }
