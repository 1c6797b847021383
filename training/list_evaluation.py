"""How good and how varied lists are: every model on one window, both targets, all slices, with paired intervals.

Pure functions from top lists and a truth to nested figures. For each slate (``all``, ``new``) there are figures for
what is bought in the window, and under ``next_basket`` the same for the first day with a purchase in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from recommender import metrics
from recommender.interaction_matrix import InteractionMatrix
from recommender.probability_metrics import reliability
from recommender.splits import Truth

POPULARITY = "popularity"
# A customer with at most so many days with a purchase has few baskets: too few for a rhythm.
FEW_BASKETS = 2
DECISIVE = "ndcg"
_SLICE_MEASURES = (DECISIVE, "recall")

Lists = Mapping[str, Mapping[str, np.ndarray]]
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Customers:
    """What was known of the listed customers and of the items before the cutoff.

    ``buyer_counts`` and ``categories`` (-1: none) have one value per item; ``activity`` is the number of purchases
    and ``basket_days`` the number of days with one, per customer listed, ``median_activity`` that of all customers;
    ``history`` is 1 where a customer listed bought an item.
    """

    customer_count: int
    buyer_counts: np.ndarray
    categories: np.ndarray
    activity: np.ndarray
    basket_days: np.ndarray
    median_activity: float
    history: sparse.csr_matrix

    @classmethod
    def of(cls, matrix: InteractionMatrix) -> Customers:
        """All customers of a matrix; where nobody ordered, what speaks for an item counts as a purchase."""
        bought = matrix.is_purchase()
        rows, count = matrix.rows[bought].astype(np.int64), len(matrix.customers)
        days = np.floor(matrix.age_days[bought]).astype(np.int64)
        day_pairs = np.unique(rows * (days.max(initial=0) + 1) + days)
        activity, history = np.bincount(rows, minlength=count), matrix.seen()
        return cls(
            customer_count=count,
            buyer_counts=np.bincount(history.indices, minlength=len(matrix.items)),
            categories=category_codes(matrix),
            activity=activity,
            basket_days=np.bincount(day_pairs // (days.max(initial=0) + 1), minlength=count),
            median_activity=float(np.median(activity)) if count else 0.0,
            history=history,
        )

    def listed(self, positions: np.ndarray) -> Customers:
        """The same, with the customers at some positions as those that are listed."""
        parts = {name: getattr(self, name)[positions] for name in ("activity", "basket_days", "history")}
        return replace(self, **parts)

    def slices(self) -> dict[str, np.ndarray]:
        """Which customers belong to each slice; light are those with at most the median of purchases."""
        is_light = self.activity <= self.median_activity
        return {
            "light customers": is_light,
            "heavy customers": ~is_light,
            "customers with few baskets": self.basket_days <= FEW_BASKETS,
        }


def category_codes(matrix: InteractionMatrix) -> np.ndarray:
    """A code per item for the second level of its category, the first where there is no second, -1 without any."""
    codes = np.full(len(matrix.items), -1, dtype=np.int64)
    features = matrix.item_features
    for prefix in ("category_1=", "category_2="):
        columns = [place for place, name in enumerate(features.names if features else ()) if name.startswith(prefix)]
        if features is not None and columns:
            items, places = features.values[:, columns].nonzero()
            codes[items] = np.array(columns)[places]
    return codes


def evaluate_lists(
    lists: Lists, truth: Truth, customers: Customers, *, baselines: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """Figures by slate of every model; ``lists`` has positions by slate and model, rows as in truth and customers.

    Gains are paired differences of NDCG to the slate's baseline; in slices also to popularity. Names in
    ``baselines`` that were not judged give no gains.
    """
    return {slate: _slate(slate, models, truth, customers, baselines[slate], seed) for slate, models in lists.items()}


def with_shipped(figures: Mapping[str, Any], shipped: str) -> dict[str, Any]:
    """The figures of a slate with those of the shipped model beside all models: as a whole and in each slice."""
    named = {**figures, "shipped": figures["models"][shipped]}
    if "next_basket" in figures:
        named["next_basket"] = with_shipped(figures["next_basket"], shipped)
    named["slices"] = {part: {**one, **one["models"][shipped]} for part, one in figures["slices"].items()}
    for gains in ("gains_over_baseline", "gains_over_popularity"):
        named[f"shipped_{gains}"] = figures[gains].get(shipped)
    return named


def without_model(figures: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The figures of a slate without those of one model, whatever was named shipped."""
    left = {**figures}
    if "next_basket" in figures:
        left["next_basket"] = without_model(figures["next_basket"], name)
    left["slices"] = {part: {**one, "models": _less(one["models"], name)} for part, one in figures["slices"].items()}
    return left | {key: _less(left[key], name) for key in ("models", "gains_over_baseline", "gains_over_popularity")}


def _less(models: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: one for key, one in models.items() if key != name}


def _slate(
    slate: str,
    models: Mapping[str, np.ndarray],
    truth: Truth,
    customers: Customers,
    baseline: str,
    seed: int,
) -> dict[str, Any]:
    wanted = truth.all if slate == "all" else truth.new
    first = _both(truth.next_basket, wanted)
    within = {"new items": truth.new, "repeat items": truth.repeat} if slate == "all" else {}
    parts = {**within, "cold items": _both(truth.cold, wanted)}
    figures = _target(models, wanted, parts, customers, baseline, seed)
    figures["next_basket"] = _target(
        models, first, {name: _both(first, one) for name, one in parts.items()}, customers, baseline, seed
    )
    for name, positions in models.items():
        figures["models"][name] |= variety(positions, customers, seed=seed)
    return figures | {
        "baseline": baseline,
        "truth": _truth_figures(wanted, customers, seed),
        "histories": {"overlap": _mean(metrics.overlap_of_sets(customers.history))},
        "items": wanted.shape[1],
        "places": max((positions.shape[1] for positions in models.values()), default=0),
    }


def _target(
    models: Mapping[str, np.ndarray],
    wanted: sparse.csr_matrix,
    parts: Mapping[str, sparse.csr_matrix],
    customers: Customers,
    baseline: str,
    seed: int,
) -> dict[str, Any]:
    """One target: means of every model, gains over the baseline, and slices by item and by customer."""
    values = {name: _values(positions, wanted, parts, customers) for name, positions in models.items()}
    judged = {
        name: metrics.intervals(
            {
                **own,
                **_gains("gain_over_baseline", own, values.get(baseline)),
                **_gains("gain_over_popularity", own, values.get(POPULARITY)),
            },
            seed=seed,
        )
        for name, own in values.items()
    }
    names = [*parts, *customers.slices()]
    return {
        "models": {name: _part(one, "") for name, one in judged.items()},
        "gains_over_baseline": _gains_of(judged, "gain_over_baseline", without=baseline),
        "gains_over_popularity": _gains_of(judged, "gain_over_popularity", without=POPULARITY),
        "slices": {
            part: {"customers": _most(judged, part), "models": {name: _part(one, part) for name, one in judged.items()}}
            for part in names
        },
    }


def _values(
    positions: np.ndarray, wanted: sparse.csr_matrix, parts: Mapping[str, sparse.csr_matrix], customers: Customers
) -> Columns:
    """One value per customer of each measure, and as ``slice/measure`` of each slice."""
    whole = metrics.accuracy(positions, wanted)
    found = {f"/{name}": values for name, values in whole.items()}
    for part, truth in parts.items():
        accuracy = metrics.accuracy(positions, truth)
        found |= {f"{part}/{name}": accuracy[name] for name in _SLICE_MEASURES}
    for part, inside in customers.slices().items():
        found |= {f"{part}/{name}": np.where(inside, whole[name], np.nan) for name in _SLICE_MEASURES}
    return found


def _gains(label: str, own: Columns, rival: Columns | None) -> Columns:
    if rival is None:
        return {}
    decisive = [name for name in own if name.endswith(f"/{DECISIVE}")]
    return {name.removesuffix(DECISIVE) + label: own[name] - rival[name] for name in decisive}


def _part(judged: Mapping[str, metrics.Interval], part: str) -> dict[str, Any]:
    """The figures of a slice; of the whole the measures alone, whose gains are listed apart."""
    figures = {
        name.removeprefix(f"{part}/"): asdict(one) for name, one in judged.items() if name.startswith(f"{part}/")
    }
    return figures if part else {name: one for name, one in figures.items() if not name.startswith("gain_")}


def _gains_of(judged: Mapping[str, Mapping[str, metrics.Interval]], label: str, *, without: str) -> dict[str, Any]:
    return {name: asdict(one[f"/{label}"]) for name, one in judged.items() if name != without and f"/{label}" in one}


def _most(judged: Mapping[str, Mapping[str, metrics.Interval]], part: str) -> int:
    return max((one[f"{part}/{DECISIVE}"].customers for one in judged.values()), default=0)


def variety(positions: np.ndarray, customers: Customers, *, seed: int) -> dict[str, Any]:
    """Beyond accuracy: coverage, novelty, diversity, bias to what is popular, and overlap between customers.

    ``coverage`` is a share of the catalogue, ``novelty`` in bits, ``diversity`` the share of pairs of a list from
    different categories (NaN where items have none), ``popularity_percentile`` the mean mid-rank of the listed items by
    buyers (1 is the most popular), ``head_share`` the share of places with items of the short head.
    """
    has_categories = bool((customers.categories >= 0).any())
    diversity = metrics.category_diversity(positions, customers.categories)
    columns = {
        "overlap": metrics.overlap(positions, len(customers.buyer_counts)),
        "novelty": metrics.novelty(positions, customers.buyer_counts, customers.customer_count),
        "diversity": diversity if has_categories else np.full(len(positions), np.nan),
        **{name: metrics.mean_over_list(positions, values) for name, values in _popularity(customers).items()},
    }
    figures: dict[str, Any] = {name: asdict(one) for name, one in metrics.intervals(columns, seed=seed).items()}
    return figures | {"coverage": metrics.coverage(positions, len(customers.buyer_counts))}


def _popularity(customers: Customers) -> Columns:
    return {
        "popularity_percentile": metrics.popularity_percentiles(customers.buyer_counts),
        "head_share": metrics.short_head(customers.buyer_counts).astype(float),
    }


def _truth_figures(wanted: sparse.csr_matrix, customers: Customers, seed: int) -> dict[str, Any]:
    """How popular what was really bought is, to hold beside the lists."""
    columns = {name: metrics.mean_over_truth(wanted, values) for name, values in _popularity(customers).items()}
    return {name: asdict(one) for name, one in metrics.intervals(columns, seed=seed).items()} | {"pairs": wanted.nnz}


def calibration(positions: np.ndarray, scores: np.ndarray, wanted: sparse.csr_matrix) -> list[dict[str, float]]:
    """Probability said and share bought of the places of all lists, in bins of equally many places, lowest first."""
    shown = positions >= 0
    if not shown.any():
        return []
    bought = metrics.hits(positions, wanted)[shown].astype(float)
    return named_bins(reliability(bought, scores[shown].astype(float)))


def named_bins(table: np.ndarray) -> list[dict[str, float]]:
    """The rows of ``reliability`` with names: mean probability, share that it happened to, and how many they are."""
    return [dict(zip(("predicted", "happened", "count"), map(float, row), strict=True)) for row in table]


def _both(one: sparse.csr_matrix, other: sparse.csr_matrix) -> sparse.csr_matrix:
    kept = sparse.csr_matrix(one.multiply(other))
    kept.eliminate_zeros()
    return kept


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
