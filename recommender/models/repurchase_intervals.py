"""When a customer buys an item again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from scipy.special import ndtr

from recommender.errors import NotEnoughData, NotFitted
from recommender.interaction_matrix import InteractionMatrix

# Two purchases on neighbouring days may lie minutes apart.
_SHORTEST_INTERVAL_DAYS = 0.5
# Events that are put into order at once; bounds the memory that the pairs are found with.
_BLOCK_EVENTS = 500_000
# From so many intervals on a customer has a rhythm, and an item one of its own.
OWN_INTERVALS = 2
USUAL_INTERVALS = 5


@dataclass(frozen=True)
class Purchased:
    """Pairs of a customer and an item bought, as parallel arrays.

    ``counts`` purchases on different days (those of one day, counted back from the cutoff, are one),
    ``last_age_days`` since the last, ``first_age_days`` since the first, and of the ``counts - 1`` intervals between
    them the mean of the logarithms (0 where there is none) and the sum of their squares about that mean.
    """

    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray
    last_age_days: np.ndarray
    first_age_days: np.ndarray
    log_means: np.ndarray
    log_squares: np.ndarray

    @classmethod
    def of(cls, interactions: InteractionMatrix) -> Purchased:
        """The pairs of a matrix, by customer and item; purchases that are not orders do not count.

        Some customers at a time: beside the matrix, what is kept of each pair is held, and what is told of a block.
        """
        ordered = interactions.by_customer()
        parts = [cls._of_events(ordered, start, stop) for start, stop in _blocks(ordered.rows)]
        names = [one.name for one in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    @classmethod
    def _of_events(cls, ordered: InteractionMatrix, start: int, stop: int) -> Purchased:
        """The pairs of all events of some customers."""
        block = slice(start, stop)
        chosen = ordered.is_order[block] & (ordered.weights[block] > 0)
        rows, columns = ordered.rows[block][chosen], ordered.columns[block][chosen]
        ages = ordered.age_days[block][chosen].astype(np.float64)
        order = np.lexsort((ages, columns, rows))
        rows, columns, ages = rows[order], columns[order], ages[order]
        begins = np.ones(len(rows), dtype=bool)
        begins[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
        kept = begins.copy()
        kept[1:] |= np.diff(np.floor(ages)) > 0
        rows, columns, ages, begins = rows[kept], columns[kept], ages[kept], begins[kept]
        pair = np.cumsum(begins) - 1
        logs = np.log(np.maximum(np.diff(ages, prepend=0.0), _SHORTEST_INTERVAL_DAYS))
        logs[begins] = 0.0
        counts = np.bincount(pair, minlength=0).astype(np.int64)
        means = np.bincount(pair, weights=logs, minlength=len(counts)) / np.maximum(counts - 1, 1)
        squares = np.where(begins, 0.0, (logs - means[pair]) ** 2) if len(pair) else logs
        summed = np.bincount(pair, weights=squares, minlength=len(counts))
        ends = np.append(begins[1:], True) if len(begins) else begins
        return cls(rows[begins], columns[begins], counts, ages[begins], ages[ends], means, summed)

    @property
    def mean_interval_days(self) -> np.ndarray:
        """The mean days between two purchases of each pair; NaN where there was one."""
        span, intervals = self.first_age_days - self.last_age_days, self.counts - 1
        means: np.ndarray = np.divide(span, intervals, out=np.full(len(span), np.nan), where=intervals > 0)
        return means


@dataclass(frozen=True)
class Forecast:
    """For each pair: the typical days between purchases, and the probability of one within the horizon.

    ``told_days`` is what can be said of it in words: the customer's own mean from OWN_INTERVALS intervals on, before
    that the mean over the customers of the item, NaN where these bought it again fewer than USUAL_INTERVALS times.
    """

    interval_days: np.ndarray
    told_days: np.ndarray
    probabilities: np.ndarray


class RepurchaseIntervals:
    """Intervals between purchases of an item are lognormal around the pair's own typical interval.

    The typical interval of a pair is its mean logarithm, shrunk to the item's by ``n / (n + k)`` where k is the
    variance within the pairs over that between them (empirical Bayes by moments: Efron and Morris 1975). The item's
    is shrunk to the category's and that to the mean of all, each worth five intervals. Not every purchase is followed
    by another: the probability that one is comes from the shares of purchases that were, those still open counted as
    far as they had time, shrunk likewise. The hazard of the next purchase follows from how long ago the last was.
    """

    def __init__(self, fewest_intervals: int = 2) -> None:
        self.fewest_intervals = fewest_intervals

    def fit(self, interactions: InteractionMatrix, categories: np.ndarray | None = None) -> Self:
        """Learn all levels; ``categories`` has a code per item, -1 for none.

        Raises NotEnoughData where fewer than ``fewest_intervals`` purchases were ever repeated.
        """
        pairs = Purchased.of(interactions)
        intervals = pairs.counts - 1
        if intervals.sum() < self.fewest_intervals:
            raise NotEnoughData(
                f"RepurchaseIntervals needs {self.fewest_intervals} purchases of an item bought before and got "
                f"{int(intervals.sum())}; ingest more order_lines"
            )
        items = len(interactions.items)
        codes = np.full(items, -1) if categories is None else categories
        self._fit_intervals(pairs, intervals, codes, items)
        self.item_mean_days_: np.ndarray = _mean_days(pairs, intervals, items)
        self._fit_repeats(pairs, intervals, codes, items)
        return self

    def _fit_intervals(self, pairs: Purchased, intervals: np.ndarray, codes: np.ndarray, items: int) -> None:
        repeated = intervals > 0
        columns, weights = pairs.columns[repeated], intervals[repeated].astype(np.float64)
        means = pairs.log_means[repeated]
        freedom = max(float((weights - 1).sum()), 1.0)
        within = float(pairs.log_squares.sum()) / freedom if freedom > 1 else 0.5
        self.log_variance_: float = max(within, 0.05)
        sums = np.bincount(columns, weights=weights * means, minlength=items)
        sizes = np.bincount(columns, weights=weights, minlength=items)
        overall = float(sums.sum() / sizes.sum())
        self.item_log_means_: np.ndarray = _shrunk_by_level(sums, sizes, codes, overall)
        spread = weights * (means - self.item_log_means_[columns]) ** 2
        # What the pairs differ by beyond what so few intervals would by chance.
        between = max(float((spread - self.log_variance_).sum() / weights.sum()), 0.01)
        self.pair_shrinkage_: float = self.log_variance_ / between
        self.start_variance_: float = self.log_variance_ + between

    def _fit_repeats(self, pairs: Purchased, intervals: np.ndarray, codes: np.ndarray, items: int) -> None:
        repeats = np.bincount(pairs.columns, weights=intervals, minlength=items)
        elapsed = _by_now(pairs.last_age_days, self.item_log_means_[pairs.columns], self.start_variance_)
        open_ends = np.bincount(pairs.columns, weights=elapsed, minlength=items)
        overall = float(repeats.sum() / (repeats.sum() + open_ends.sum()))
        self.item_repeats_: np.ndarray = _shrunk_by_level(repeats, repeats + open_ends, codes, overall)

    def forecast(self, pairs: Purchased, horizon_days: float) -> Forecast:
        """The typical interval of each pair and the probability of a purchase within ``horizon_days`` from now.

        With F the distribution of the interval, a the days since the last purchase and r the probability that there
        is another at all: ``r (F(a + horizon) - F(a)) / (1 - r F(a))``. Raises NotFitted before ``fit``.
        """
        if not hasattr(self, "item_log_means_"):
            raise NotFitted(self)
        intervals = (pairs.counts - 1).astype(np.float64)
        prior, k = self.item_log_means_[pairs.columns], self.pair_shrinkage_
        typical = (intervals * pairs.log_means + k * prior) / (intervals + k)
        variance = self.log_variance_ * (1.0 + 1.0 / (intervals + k))
        returns = (intervals + _PRIOR_PURCHASES * self.item_repeats_[pairs.columns]) / (intervals + _PRIOR_PURCHASES)
        returns = np.clip(returns, 0.0, 0.999)
        now = _by_now(pairs.last_age_days, typical, variance)
        then = _by_now(pairs.last_age_days + horizon_days, typical, variance)
        told = np.where(intervals >= OWN_INTERVALS, pairs.mean_interval_days, self.item_mean_days_[pairs.columns])
        return Forecast(np.exp(typical), told, returns * (then - now) / (1.0 - returns * now))

    def state(self) -> dict[str, Any]:
        """What was learned of items and pairs; raises NotFitted before ``fit``."""
        if not hasattr(self, "item_log_means_"):
            raise NotFitted(self)
        return {"fewest_intervals": self.fewest_intervals, **{name: getattr(self, name) for name in _LEARNED}}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(state["fewest_intervals"])
        for name in _LEARNED:
            setattr(model, name, state[name])
        return model


# A first purchase says as much of whether there is a second as so many purchases of others do.
_PRIOR_PURCHASES = 2.0
# Groups with little of their own count as so many observations of the level above.
_LEVEL_OBSERVATIONS = 5.0
_LEARNED = (
    *("item_log_means_", "item_mean_days_", "item_repeats_"),
    *("log_variance_", "pair_shrinkage_", "start_variance_"),
)


def _mean_days(pairs: Purchased, intervals: np.ndarray, items: int) -> np.ndarray:
    """The mean interval of each item as it was seen, NaN where there are fewer than USUAL_INTERVALS."""
    spans = np.bincount(pairs.columns, weights=pairs.first_age_days - pairs.last_age_days, minlength=items)
    counts = np.bincount(pairs.columns, weights=intervals, minlength=items)
    means: np.ndarray = np.divide(spans, counts, out=np.full(items, np.nan), where=counts >= USUAL_INTERVALS)
    return means


def _blocks(rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of events in the order of customers, of about _BLOCK_EVENTS and no customer in two; at least one range."""
    if not len(rows):
        yield 0, 0
    start = 0
    while start < len(rows):
        last = min(start + _BLOCK_EVENTS, len(rows)) - 1
        stop = int(np.searchsorted(rows, rows[last], side="right"))
        yield start, stop
        start = stop


def _by_now(age_days: np.ndarray, log_means: np.ndarray, variance: np.ndarray | float) -> np.ndarray:
    """Share of the lognormal intervals that end before an age."""
    shares: np.ndarray = ndtr((np.log(np.maximum(age_days, 1e-6)) - log_means) / np.sqrt(variance))
    return shares


def _shrunk_by_level(sums: np.ndarray, sizes: np.ndarray, codes: np.ndarray, overall: float) -> np.ndarray:
    """Means by item, shrunk to that of the category, that one to the mean of all."""
    known = codes >= 0
    groups = int(codes.max(initial=-1)) + 1
    group_sums = np.bincount(codes[known], weights=sums[known], minlength=groups)
    group_sizes = np.bincount(codes[known], weights=sizes[known], minlength=groups)
    by_group = (group_sums + _LEVEL_OBSERVATIONS * overall) / (group_sizes + _LEVEL_OBSERVATIONS)
    prior = np.append(by_group, overall)[codes]
    shrunk: np.ndarray = (sums + _LEVEL_OBSERVATIONS * prior) / (sizes + _LEVEL_OBSERVATIONS)
    return shrunk
