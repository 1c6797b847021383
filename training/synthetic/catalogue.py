"""The catalogue of the synthetic company: items that come and go, prices that change, discounts by category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synthetic.columns import Columns, chosen, numbered
from training.synthetic.plan import WEEKS, Plan

# path, typical price, weeks until it is used up (0: not bought again on a rhythm), share sent back
CATEGORIES: tuple[tuple[str, float, float, float], ...] = (
    ("food > dairy > milk", 2.0, 1.5, 0.002),
    ("food > dairy > cheese", 5.0, 2.5, 0.002),
    ("food > drinks > coffee", 8.0, 4.0, 0.004),
    ("food > drinks > tea", 5.0, 6.0, 0.004),
    ("food > bakery > bread", 3.0, 1.0, 0.001),
    ("food > pantry > pasta", 2.5, 3.0, 0.002),
    ("food > snacks > chocolate", 3.5, 2.0, 0.002),
    ("household > cleaning > detergent", 9.0, 6.0, 0.006),
    ("household > paper > towels", 6.0, 4.0, 0.003),
    ("household > kitchen > pans", 35.0, 0.0, 0.06),
    ("household > decoration > candles", 12.0, 0.0, 0.04),
    ("care > hair > shampoo", 6.0, 7.0, 0.01),
    ("care > skin > cream", 14.0, 9.0, 0.02),
    ("care > teeth > toothpaste", 3.0, 6.0, 0.003),
    ("pets > food > cat food", 11.0, 2.5, 0.005),
    ("pets > toys > balls", 7.0, 0.0, 0.05),
    ("clothes > shirts > cotton", 25.0, 0.0, 0.16),
    ("clothes > shoes > running", 80.0, 0.0, 0.2),
    ("leisure > books > novels", 14.0, 0.0, 0.03),
    ("leisure > garden > seeds", 4.0, 0.0, 0.01),
)
_PATHS = [path for path, *_ in CATEGORIES]
_NOVELTY_WEEKS = 8


@dataclass(frozen=True)
class Catalogue:
    """Arrays by item, sorted by category; ``prices`` and ``discounts`` are (items | categories) x weeks.

    ``cumulative`` holds for each week, one after the other, the running share of every item's popularity, shifted by
    the number of the week: one search in it draws items of any weeks and categories at once.
    """

    category: np.ndarray
    starts: np.ndarray
    prices: np.ndarray
    cost_share: np.ndarray
    interval_weeks: np.ndarray
    defect_share: np.ndarray
    return_share: np.ndarray
    available_from: np.ndarray
    available_until: np.ndarray
    discounts: np.ndarray
    cumulative: np.ndarray

    def draw(self, rng: np.random.Generator, categories: np.ndarray, weeks: np.ndarray | int) -> np.ndarray:
        """One item, available in its week, for each category given."""
        size = len(self.category)
        before = self.starts[categories] + np.asarray(weeks) * size
        after = self.starts[categories + 1] + np.asarray(weeks) * size
        padded = self.cumulative
        share = padded[before] + rng.random(len(categories)) * (padded[after] - padded[before])
        share = np.minimum(share, np.nextafter(padded[after], 0.0))
        return np.searchsorted(padded, share, side="right") - 1 - np.asarray(weeks) * size

    def is_available(self, items: np.ndarray, week: int) -> np.ndarray:
        """Whether each item can be bought in the week; an item that is still to come has an infinite start."""
        return (self.available_from[items] <= week) & (week < self.available_until[items])

    def table(self, plan: Plan) -> Columns:
        """The rows of ``items`` as of the end of the span."""
        rng = plan.rng("catalogue titles")
        size = len(self.category)
        number = np.arange(size)
        came = np.where(self.available_from > 0, self.available_from - 1 / 7, np.nan)
        went = np.where(np.isfinite(self.available_until), self.available_until, np.nan)
        brand = rng.integers(40, size=size)
        names = [f"{_PATHS[category].split(' > ')[-1]} no. {one}" for one, category in enumerate(self.category)]
        return {
            "item_id": numbered("i", number, 6),
            "title": np.array(names, dtype=object),
            "category": chosen(_PATHS, self.category),
            "brand": numbered("brand ", brand, 2),
            "price": self.prices[:, -1],
            "cost": np.round(self.prices[:, -1] * self.cost_share, 2),
            "product_group_id": numbered("g", number // 2, 6),
            "is_available": ~np.isfinite(self.available_until),
            "available_from": plan.instants(came),
            "available_until": plan.instants(went),
            "is_replenishable": self.interval_weeks > 0,
        }


def make_catalogue(plan: Plan) -> Catalogue:
    """Draw the catalogue; it depends on the seed and the number of items alone."""
    rng = plan.rng("catalogue")
    category = np.sort(np.arange(plan.items) % len(CATEGORIES))
    starts = np.searchsorted(category, np.arange(len(CATEGORIES) + 1))
    price, interval, returned = (np.array([row[place] for row in CATEGORIES])[category] for place in (1, 2, 3))
    came, went = _lifetimes(rng, plan.items, starts)
    popularity = rng.pareto(1.2, plan.items) + 0.05
    return Catalogue(
        category=category,
        starts=starts,
        prices=_prices(rng, price * rng.lognormal(0, 0.4, plan.items)),
        cost_share=rng.uniform(0.5, 0.8, plan.items),
        interval_weeks=interval * rng.lognormal(0, 0.25, plan.items),
        defect_share=rng.beta(1, 60, plan.items),
        return_share=returned,
        available_from=came,
        available_until=went,
        discounts=_discounts(rng),
        cumulative=_cumulative(popularity, came, went),
    )


def _lifetimes(rng: np.random.Generator, size: int, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    arrives = rng.random(size) < 0.3
    came = np.where(arrives, rng.integers(1, WEEKS - 3, size), 0).astype(float)
    ends = rng.random(size) < 0.1
    went = np.where(ends, came + rng.integers(12, WEEKS, size), np.inf)
    went = np.where(went < WEEKS, went, np.inf)
    # Every category has something to sell in every week.
    came[starts[:-1]] = 0.0
    went[starts[:-1]] = np.inf
    return came, went


def _prices(rng: np.random.Generator, base: np.ndarray) -> np.ndarray:
    changes = (rng.random((len(base), WEEKS)) < 1 / 30) * rng.normal(0.05, 0.06, (len(base), WEEKS))
    changes[:, 0] = 0.0
    # One wave of price increases hits some items harder than others.
    changes[:, 62] += (rng.random(len(base)) < 0.4) * rng.uniform(0.05, 0.2, len(base))
    return np.round(np.maximum(base[:, None] * np.exp(np.cumsum(changes, axis=1)), 0.1), 2)


def _discounts(rng: np.random.Generator) -> np.ndarray:
    running = rng.random((len(CATEGORIES), WEEKS)) < 0.35
    # From this week on half of the categories have nearly no discounts: some customers miss them.
    running[::2, 58:] &= rng.random((len(CATEGORIES[::2]), WEEKS - 58)) < 0.15
    return running * rng.choice([0.1, 0.2, 0.3], (len(CATEGORIES), WEEKS))


def _cumulative(popularity: np.ndarray, came: np.ndarray, went: np.ndarray) -> np.ndarray:
    week = np.arange(WEEKS)[:, None]
    is_new = (came > 0) & (week - came < _NOVELTY_WEEKS)
    weights = popularity * (1 + 1.5 * is_new) * ((came <= week) & (week < went))
    shares = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return np.concatenate([[0.0], (shares + week).ravel()])
