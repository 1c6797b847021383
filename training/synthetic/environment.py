"""What happens around the customers: seasons, strained regions, a competitor, and the plan of offers."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from training.synthetic.columns import Columns, chosen
from training.synthetic.plan import WEEKS, Plan

REGIONS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "centre")
RESPONSE_CLASSES = ("none", "persuadable", "negative", "sure_thing")
NONE, PERSUADABLE, NEGATIVE, SURE_THING = range(4)
EFFECT_WEEKS = 4
_WAVES = range(30, 101, 5)


@dataclass(frozen=True)
class Offer:
    """One offer: ``treatment_share`` is the chance of treatment, None where past spend decides who gets it."""

    offer_id: str
    kind: str
    name: str
    value: float
    unit_cost: float
    treatment_share: float | None
    category: int


OFFERS = (
    Offer("f1", "percent", "15 percent off", 15.0, 4.0, 0.5, 2),
    Offer("f2", "amount", "5 off the next order", 5.0, 5.0, 0.5, 6),
    Offer("f3", "gift", "a small gift", 6.0, 3.0, 0.7, 12),
    Offer("f4", "points", "500 points", 500.0, 2.5, 0.3, 16),
    Offer("f5", "service", "free express delivery", 6.0, 4.5, None, 7),
    Offer("f6", "percent", "20 percent off for regulars", 20.0, 6.0, None, 14),
)


@dataclass(frozen=True)
class Environment:
    """Factors by week: ``season`` (weeks), ``strain`` and ``competitor`` (weeks x regions), all shared by blocks."""

    season: np.ndarray
    strain: np.ndarray
    competitor: np.ndarray
    category_season: np.ndarray

    def offer_in(self, week: int) -> int | None:
        """The offer whose wave begins in the week."""
        return (_WAVES.index(week)) % len(OFFERS) if week in _WAVES else None


def make_environment(plan: Plan, categories: int) -> Environment:
    """Draw seasons, strain of deliveries and support, and the competitor's campaigns."""
    rng = plan.rng("environment")
    year = 2 * np.pi * np.arange(WEEKS) / 52
    # The span ends with the year, so week 51 and week 103 are the last before it.
    before_holidays = np.isin(np.arange(WEEKS) % 52, [47, 48, 49, 50])
    phase = rng.uniform(0, 2 * np.pi, categories)
    tides = 1 + 0.6 * np.cos(year[:, None] + phase)
    return Environment(
        season=1 + 0.15 * np.cos(year) + 0.5 * before_holidays,
        strain=_episodes(rng, 5, 6) + 0.6 * before_holidays[:, None],
        competitor=_episodes(rng, 4, 7),
        category_season=np.cumsum(tides / tides.sum(axis=1, keepdims=True), axis=1),
    )


def _episodes(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    levels = np.zeros((WEEKS, len(REGIONS)))
    for region in range(len(REGIONS)):
        for begin in rng.integers(0, WEEKS - length, count):
            levels[begin : begin + length, region] = rng.uniform(0.6, 1.6)
    return levels


def offers_table(plan: Plan, category_paths: list[str]) -> Columns:
    """The rows of ``offers``: each runs from its first wave to the end of its last."""
    count = len(OFFERS)
    waves = [np.array([week for place, week in enumerate(_WAVES) if place % count == one]) for one in range(count)]
    texts = {name: np.array([getattr(offer, name) for offer in OFFERS]) for name in ("offer_id", "name")}
    return {
        **{name: values.astype(object) for name, values in texts.items()},
        "kind": chosen([offer.kind for offer in OFFERS], np.arange(count)),
        "value": np.array([offer.value for offer in OFFERS]),
        "unit_cost": np.array([offer.unit_cost for offer in OFFERS]),
        "starts_at": plan.instants(np.array([weeks.min() - 1.0 for weeks in waves])),
        "ends_at": plan.instants(np.array([weeks.max() + float(EFFECT_WEEKS) for weeks in waves])),
        "channels": np.array(['["email", "web"]'] * count, dtype=object),
        "categories": np.array([json.dumps([category_paths[offer.category]]) for offer in OFFERS], dtype=object),
        "cap_per_customer": np.full(count, 3),
        "is_stackable": np.zeros(count, dtype=bool),
    }
