"""Examples for value models: what was known of customers at past cutoffs, and what they spent in the horizon after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recommender.errors import NotEnoughData
from recommender.models.lifetime_value import LifetimeValue
from recommender.models.past_rate import PastRate

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ValuePanel:
    """Rows of several cutoffs under one another: one customer at one cutoff is one row.

    ``known`` has the columns of ``known_of``, each row's of a rhythm that was fitted before its own cutoff; ``spent``
    is the amount less returns within ``horizon_days`` after it.
    """

    known: pd.DataFrame
    spent: pd.Series
    horizon_days: float

    @classmethod
    def gather(cls, examples: Sequence[tuple[pd.DataFrame, pd.Series]], horizon_days: float) -> ValuePanel:
        """The panel of one frame of ``known_of`` and its outcomes for each cutoff; raises NotEnoughData without any."""
        import pandas as pd

        if not examples:
            raise NotEnoughData("no past cutoff has a customer with an order; add older orders")
        known, spent = zip(*examples, strict=True)
        return cls(pd.concat(known), pd.concat(spent), horizon_days)


def joined(history: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Purchase histories with the features of the same customers; the history's own of two columns of one name."""
    return history.join(features.drop(columns=history.columns.intersection(features.columns)))


def known_of(history: pd.DataFrame, rhythm: LifetimeValue, horizon_days: float) -> pd.DataFrame:
    """What learners look at: the columns of the history, and what the rhythm and the past rate expect."""
    past, brought = PastRate().predict(history, horizon_days), rhythm.expected_order_amount(history)
    if rhythm.orders is None:
        return history.assign(past_rate_amount=past, rhythm_order_amount=brought, rhythm_amount=past)
    expected = rhythm.orders.expected_orders(history, horizon_days)
    return history.assign(
        past_rate_amount=past,
        rhythm_order_amount=brought,
        rhythm_order_count=expected,
        rhythm_amount=expected * brought,
    )
