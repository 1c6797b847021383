"""What all customers together say of an item, as a reason to show it."""

from __future__ import annotations

from recommender.answers import ItemReason
from recommender.bundle import FEWEST_CUSTOMERS, RECENT_DAYS, ModelBundle
from recommender.item_lists import IN_RANGE


def of_everybody(bundle: ModelBundle, position: int) -> ItemReason:
    """What can be said of an item to anybody: that it is popular, that it was bought lately, or nothing of it.

    Few customers are not counted aloud: they might be known.
    """
    count = bundle.recent_customers.get(position, 0)
    did = "bought" if bundle.has_orders else "looked at"
    if count == 0:
        return IN_RANGE
    if count < FEWEST_CUSTOMERS:
        return ItemReason("recent", f"Customers {did} this lately")
    code = "popular" if position in bundle.best_sellers else "recent"
    return ItemReason(code, f"{count:,} customers {did} this in the last {RECENT_DAYS} days")
