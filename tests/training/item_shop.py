"""A shop of known habits, with a bundle of the answers that start from items.

Sausages and buns are bought together, soap and sponge too; milk is in every basket. Everybody comes every 10 days.
``tea`` came last week. Anonymous visitors look at the grill and then at the charcoal, which nobody bought yet.
``shirt-red`` and ``shirt-blue`` are one product.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from recommender.bundle import ModelBundle
from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.touchpoints import TABLES
from training.interactions import interactions_before
from training.item_training import train_items
from training.progress import silent
from training.recommender_fitting import fit_recommenders
from training.settings import read_settings
from training.slates import lay_slates

END = datetime(2024, 3, 1, tzinfo=UTC)
BASKETS = (("sausage", "bun", "milk"), ("soap", "sponge", "milk"))
CUSTOMERS = 12
VISITS = 6
VISIT_DAYS = 10
ITEMS: dict[str, dict[str, Any]] = {
    "sausage": {"category": "food > grill"},
    "bun": {"category": "food > bread"},
    "milk": {"category": "food > dairy"},
    "soap": {"category": "home > bath"},
    "sponge": {"category": "home > bath"},
    "tea": {"category": "food > drinks", "available_from": END - timedelta(days=7)},
    "grill": {"category": "garden"},
    "charcoal": {"category": "garden"},
    "shirt-red": {"category": "clothes", "product_group_id": "shirt"},
    "shirt-blue": {"category": "clothes", "product_group_id": "shirt"},
}


def line(customer_id: str, item_id: str, days_ago: float) -> dict[str, Any]:
    """An order line so many days before the end."""
    at = END - timedelta(days=days_ago)
    return {"order_id": f"{customer_id}-{days_ago}", "customer_id": customer_id, "item_id": item_id, "ordered_at": at}


def order_lines() -> list[dict[str, Any]]:
    """Everybody's baskets, and a few shirts."""
    lines = [
        line(f"c{number:02}", item, 3 + number % 4 + VISIT_DAYS * visit)
        for number in range(CUSTOMERS)
        for visit in range(VISITS)
        for item in BASKETS[number % 2]
    ]
    shirts = [
        line(f"s{number}", item, 50 + number) for number in range(6) for item in ("shirt-red", "shirt-blue", "milk")
    ]
    return [*lines, *shirts]


def views() -> list[dict[str, Any]]:
    """Sessions of visitors who are nobody's customer."""
    return [
        {
            "event_id": f"v{session}-{item}",
            "kind": "view",
            "occurred_at": END - timedelta(days=2, minutes=minutes),
            "session_id": f"session-{session}",
            "item_id": item,
        }
        for session in range(6)
        for item, minutes in (("grill", 9), ("charcoal", 5))
    ]


def items() -> list[dict[str, Any]]:
    """The rows of the catalogue."""
    return [{"item_id": name, "title": name.title(), **row} for name, row in ITEMS.items()]


def item_history(
    folder: Path, lines: list[dict[str, Any]], seen: list[dict[str, Any]], *, only: str | None = None
) -> History:
    """A history of order lines and views over the catalogue, or over one of its items alone."""
    history = History.create(folder, buckets=1)
    catalogue = [row for row in items() if only in (None, row["item_id"])]
    for name, rows in (("items", catalogue), ("order_lines", lines), ("interactions", seen)):
        if rows:
            valid = validate_frame(TABLES[name], pd.DataFrame(rows), now=END + timedelta(days=60))
            assert valid.rejections == []
            history.add(name, valid.rows)
    return history


def item_bundle(history: History) -> ModelBundle:
    """The bundle of a history, without models of churn and value."""
    settings = read_settings()
    matrix = interactions_before(history, END)
    names = {"popularity": {}, "item_similarity": {}}
    fitted = fit_recommenders(matrix, names, seed=0, names=names)
    models = dict.fromkeys(("all", "new"), fitted.models["item_similarity"])
    laid = lay_slates(matrix, models, progress=list)
    answers = train_items(history, matrix, fitted, laid.slates, settings, as_of=END, seed=0, steps=silent)
    return ModelBundle(
        as_of=END,
        horizon_days=settings.horizon_days,
        customers=matrix.customers,
        items=matrix.items,
        slates=laid.slates,
        history=laid.history,
        item_slates=answers.item_slates,
        lists=answers.lists,
        models={**models, **answers.models},
        due=answers.due,
        categories=answers.categories,
        category_lists=answers.category_lists,
        facts=answers.facts,
        version="test",
    )
