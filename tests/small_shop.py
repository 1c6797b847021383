"""A small shop with answers that are known by construction, for tests of the whole path.

120 customers in two groups, 120 items in two departments. A customer of a group buys only in the group's department:
a staple of his own every 8 days, and at each visit one more item of the department, in turn. Customers whose number
is a multiple of 6 stop ordering 60 days before the end; everybody else goes on to the last day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from recommender.frame_validation import validate_frame
from recommender.touchpoints import TABLES

END = datetime(2024, 3, 1, tzinfo=UTC)
START = END - timedelta(days=240)
CUSTOMERS = 120
ITEMS_PER_DEPARTMENT = 60
VISIT_DAYS = 8
LEFT_DAYS_BEFORE_END = 60


def customer_id(number: int) -> str:
    """Id of a customer, sortable by number."""
    return f"c{number:03d}"


def item_id(department: int, number: int) -> str:
    """Id of an item of a department (0 or 1)."""
    return f"{'ab'[department]}{number % ITEMS_PER_DEPARTMENT:02d}"


def staple_of(number: int) -> str:
    """The item that a customer buys at every visit."""
    return item_id(number % 2, number // 2)


def has_left(number: int) -> bool:
    """Whether a customer stopped ordering before the end."""
    return number % 6 == 0


def tables() -> dict[str, pd.DataFrame]:
    """The tables of the shop, as frames that pass validation."""
    lines = pd.DataFrame([line for number in range(CUSTOMERS) for line in _lines_of(number)])
    customers = pd.DataFrame(
        {
            "customer_id": [customer_id(number) for number in range(CUSTOMERS)],
            "signed_up_at": START - timedelta(days=1),
            "region": ["north" if number % 2 else "south" for number in range(CUSTOMERS)],
        }
    )
    return {"customers": customers, "items": _items(), "order_lines": lines}


def _items() -> pd.DataFrame:
    places = [(department, number) for department in (0, 1) for number in range(ITEMS_PER_DEPARTMENT)]
    return pd.DataFrame(
        {
            "item_id": [item_id(*place) for place in places],
            "title": [f"Thing {item_id(*place)}" for place in places],
            "category": [f"department {'ab'[department]} > shelf {number % 4}" for department, number in places],
            "price": [1.0 + number for _, number in places],
        }
    )


def _lines_of(number: int) -> list[dict[str, object]]:
    end = END - timedelta(days=LEFT_DAYS_BEFORE_END) if has_left(number) else END
    lines: list[dict[str, object]] = []
    visit, at = 0, START + timedelta(days=number % VISIT_DAYS, hours=9)
    while at < end:
        extra = item_id(number % 2, number // 2 + 1 + visit % (ITEMS_PER_DEPARTMENT - 1))
        order = {
            "order_id": f"{customer_id(number)}-{visit}",
            "customer_id": customer_id(number),
            "ordered_at": at,
            "amount": 2.0 + number % 5,
        }
        lines += [{**order, "item_id": bought} for bought in (staple_of(number), extra)]
        visit, at = visit + 1, at + timedelta(days=VISIT_DAYS)
    return lines


def valid_tables() -> dict[str, pd.DataFrame]:
    """The tables as validation passes them."""
    return {
        name: validate_frame(TABLES[name], frame, now=END + timedelta(days=1)).rows for name, frame in tables().items()
    }
