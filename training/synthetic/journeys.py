"""What happened to the customers of a block: rows as arrays, collected week by week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synthetic.plan import Block
from training.synthetic.population import Population

Rows = dict[str, np.ndarray]


class EventLog:
    """Arrays of equal length by name of the kind of event, joined when all weeks are done."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Rows]] = {}

    def add(self, kind: str, **columns: np.ndarray) -> None:
        """Note rows of a kind; every call for a kind names the same columns."""
        self._parts.setdefault(kind, []).append(columns)

    def rows(self, kind: str) -> Rows:
        """All rows of a kind in the order they were noted; no columns where nothing was noted."""
        parts = self._parts.get(kind, [])
        return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}


@dataclass(frozen=True)
class Journeys:
    """The outcome of simulating a block; customers and items are positions, times are weeks since the start.

    ``orders``: customer, week, placed, channel, promised, delivered, offer (of the redemption, else -1).
    ``lines``: order, item, quantity, is_defective, is_unwanted; sorted by order.
    ``tickets``: customer, topic, order (-1: none), opened, replied, resolved, reopened, closed.
    ``assignments``: customer, offer, week, assigned, is_treated, propensity.
    ``hazards``: customer, week, hazard, unexplained and one column per cause. ``left`` is NaN for who stays.
    """

    block: Block
    population: Population
    satisfaction: np.ndarray
    left: np.ndarray
    cause: np.ndarray
    orders: Rows
    lines: Rows
    tickets: Rows
    assignments: Rows
    hazards: Rows
    uplift: np.ndarray

    def last_week(self, final: float) -> np.ndarray:
        """The week in which each customer left, or ``final``."""
        return np.where(np.isfinite(self.left), self.left, final)
