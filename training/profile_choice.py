"""Choose what customers get of whom only attributes are known: what their like buys, or the same as everybody."""

from __future__ import annotations

import numpy as np

from recommender import metrics
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create
from recommender.models.base import Recommender
from recommender.randomness import rng_for
from recommender.ranking import best_items
from recommender.splits import Truth
from training.list_evaluation import POPULARITY
from training.recommender_fitting import FAILURES, Fitted, told
from training.selection import Choice, Judged, choose

ATTRIBUTE_POPULARITY = "attribute_popularity"
K_JUDGED = 10


def choose_profile(fitted: Fitted, known: InteractionMatrix, truth: Truth, *, most: int, seed: int) -> Choice | None:
    """The choice on a past window, judged on customers with attributes as if nothing else were known of them.

    ``known`` holds what they did before the window. Each half of them is judged by a model of the other customers:
    what somebody bought must not tell of the same person. None where too few customers have attributes.
    """
    judging = _judging(known, truth, most, seed)
    lists: dict[str, list[np.ndarray]] = {POPULARITY: [], ATTRIBUTE_POPULARITY: []}
    for half in (judging[::2], judging[1::2]):
        others = np.setdiff1d(np.arange(len(known.customers)), half)
        model = fit_profile(known.of_customers(others)) if len(half) else None
        if model is None:
            return None
        strangers = known.of_events(np.zeros(len(known), dtype=bool)).of_customers(half)
        for name, one in ((POPULARITY, fitted.alone[POPULARITY]), (ATTRIBUTE_POPULARITY, model)):
            lists[name].append(best_items(one, strangers, k=K_JUDGED)[0])
    wanted = truth.all[np.concatenate([judging[::2], judging[1::2]])]
    judged = {name: Judged(metrics.accuracy(np.concatenate(found), wanted), "ndcg") for name, found in lists.items()}
    return choose("profile", judged, baseline=POPULARITY, seed=seed)


def fit_profile(matrix: InteractionMatrix) -> Recommender | None:
    """The model of attributes; None where customers have none, or where it fails."""
    if matrix.customer_features is None or not matrix.customer_features.values.nnz:
        return None
    try:
        model: Recommender = create(ATTRIBUTE_POPULARITY).fit(matrix)
    except FAILURES as problem:
        told(ATTRIBUTE_POPULARITY, problem)
        return None
    return model


def _judging(known: InteractionMatrix, truth: Truth, most: int, seed: int) -> np.ndarray:
    """Positions of at most so many customers who have attributes and buy something in the window."""
    if known.customer_features is None:
        return np.zeros(0, dtype=np.int64)
    described = np.diff(known.customer_features.values.tocsr().indptr) > 0
    found = np.flatnonzero(described & (np.diff(truth.all.indptr) > 0))
    if len(found) <= most:
        return found
    return np.sort(rng_for(seed, "customers who judge attributes").choice(found, most, replace=False))
