"""Hand-typed interactions for tests of models."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix

CUTOFF = datetime(2024, 6, 1, tzinfo=UTC)


def event_frame(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    """Events as ``(customer, item, days before the cutoff, kind)``."""
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "days", "kind"])
    frame["at"] = pd.to_datetime([CUTOFF - timedelta(days=days) for days in frame.pop("days")], utc=True)
    return frame.astype({"customer_id": "string", "item_id": "string", "kind": "string"})


def matrix_of(*rows: tuple[str, str, float, str], customers: str = "", items: str = "") -> InteractionMatrix:
    """The matrix of such events; the indexes, where given as words, may hold more than the events do."""
    return InteractionMatrix.from_events(
        event_frame(*rows),
        cutoff=CUTOFF,
        customers=IdIndex(customers.split()) if customers else None,
        items=IdIndex(items.split()) if items else None,
    )


def strangers(fitted: InteractionMatrix, *customers: str) -> InteractionMatrix:
    """Customers without any interaction, on the items of a matrix."""
    nothing = np.zeros(0)
    return InteractionMatrix(
        IdIndex(customers),
        fitted.items,
        nothing.astype(np.int32),
        nothing.astype(np.int32),
        nothing.astype(np.float32),
        nothing.astype(np.float32),
        nothing.astype(bool),
    )
