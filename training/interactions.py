"""From the tables of a history to customers x items."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd

from recommender.feature_matrices import customer_features, item_features
from recommender.history import History
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.touchpoints import TABLES

_SOURCES = (("order_lines", "ordered_at", "order"), ("returns", "returned_at", "return"))


def events_before(history: History, cutoff: datetime) -> pd.DataFrame:
    """All events before the cutoff that link a customer to an item: ``customer_id, item_id, at, kind``."""
    parts = []
    for table, at, kind in _SOURCES:
        rows = history.read(table, before=cutoff, columns=["customer_id", "item_id", at])
        parts.append(rows.rename(columns={at: "at"}).assign(kind=kind))
    rows = history.read("interactions", before=cutoff, columns=["customer_id", "item_id", "occurred_at", "kind"])
    parts.append(rows.rename(columns={"occurred_at": "at"}))
    events = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return events[["customer_id", "item_id", "at", "kind"]]


def customers_before(history: History, cutoff: datetime) -> IdIndex:
    """All customers with an event of any table before the cutoff."""
    ids: set[str] = set()
    for table in TABLES.values():
        if not table.customer_columns or table.name == "customers":
            continue
        for column in table.customer_columns:
            ids.update(history.read(table.name, before=cutoff, columns=[column])[column].dropna().unique())
    return IdIndex(ids)


def interactions_before(history: History, cutoff: datetime) -> InteractionMatrix:
    """Everything known before the cutoff: all customers with an event x the whole catalogue, with features of both.

    The catalogue is what has a row in ``items`` or was ever met by a customer.
    """
    events = events_before(history, cutoff)
    item_rows = history.read("items", before=cutoff)
    items = IdIndex([*item_rows["item_id"], *events["item_id"].dropna().unique()])
    customers = customers_before(history, cutoff)
    matrix = InteractionMatrix.from_events(events, cutoff=cutoff, customers=customers, items=items)
    customer_rows = history.read("customers", before=cutoff)
    return replace(
        matrix,
        item_known_days=_known_days(item_rows, items, cutoff),
        item_features=item_features(item_rows, items),
        customer_features=customer_features(customer_rows, customers),
    )


def met_before(history: History, matrix: InteractionMatrix, cutoff: datetime) -> InteractionMatrix:
    """Who met which item before the cutoff: the matrix of ``interactions_before``, where it has an event.

    A shop may know sessions alone. Where no event names a customer, sessions stand in the place of customers.
    """
    if len(matrix):
        return matrix
    columns = ["session_id", "item_id", "occurred_at", "kind"]
    rows = history.read("interactions", before=cutoff, columns=columns)
    events = rows.rename(columns={"session_id": "customer_id", "occurred_at": "at"})
    visits = InteractionMatrix.from_events(events, cutoff=cutoff, items=matrix.items)
    return replace(visits, item_known_days=matrix.item_known_days, item_features=matrix.item_features)


def _known_days(item_rows: pd.DataFrame, items: IdIndex, cutoff: datetime) -> np.ndarray | None:
    """How many days before the cutoff each item became available; None where all were always there."""
    begins = item_rows["available_from"]
    if begins.isna().all():
        return None
    days = np.full(len(items), np.inf, dtype=np.float32)
    given = begins.notna().to_numpy()
    ages = (pd.Timestamp(cutoff) - begins[given]).dt.total_seconds() / 86_400.0
    days[items.positions(item_rows["item_id"][given])] = ages
    return days
