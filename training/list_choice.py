"""Choose the recommenders of the lists: fit every candidate on the past, and let the window after it decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from recommender import metrics
from recommender.history import History
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.randomness import rng_for
from recommender.ranking import in_blocks, mask
from recommender.splits import Split, Truth
from recommender.top_items import top_items
from training.gate import worse_slices
from training.interactions import events_before
from training.list_evaluation import POPULARITY, Customers, evaluate_lists, with_shipped
from training.profile_choice import choose_profile
from training.progress import Steps
from training.ranking_training import RANK_BLEND, TWO_STAGE, PastExamples, past_examples, with_combined
from training.recommender_fitting import FAILURES, fit_recommenders, told
from training.selection import Choice, Judged, choose
from training.settings import TrainingSettings

SLATES = ("all", "new")
BASELINES = {"all": "personal_frequency", "new": "popularity"}
# These stand on other recommenders.
COMBINED = (TWO_STAGE, RANK_BLEND)
K_JUDGED = 10


@dataclass(frozen=True)
class Chosen:
    """The choice per slate, what the ranker may learn from, which recommenders were left out, and all figures.

    ``profile`` is the choice for customers of whom only attributes are known.
    """

    choices: Mapping[str, Choice]
    examples: PastExamples
    left_out: Mapping[str, str]
    figures: Mapping[str, Any] = field(default_factory=dict)
    profile: Choice | None = None


def top_of(model: Recommender, matrix: InteractionMatrix, *, k: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Positions and scores of the k best items of every customer, for each slate."""

    def best(_: np.ndarray, block: InteractionMatrix, scores: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        return [top_items(mask(scores, block, seen=slate == "new", allowed=None), k) for slate in SLATES]

    parts = list(in_blocks(best, model, matrix))
    return {
        slate: (np.concatenate([one[place][0] for one in parts]), np.concatenate([one[place][1] for one in parts]))
        for place, slate in enumerate(SLATES)
    }


@dataclass(frozen=True)
class JudgedLists:
    """Every model on a window: by slate and name what decides, and by slate all figures that a report shows.

    ``left_out`` says why a model could not be judged.
    """

    judged: Mapping[str, Mapping[str, Judged]]
    figures: Mapping[str, Any]
    left_out: Mapping[str, str]


def judge_recommenders(
    models: Mapping[str, Recommender], matrix: InteractionMatrix, truth: Truth, *, most: int, seed: int, steps: Steps
) -> JudgedLists:
    """Every model on a window, by at most so many customers; those without truth count nowhere."""
    some_truth = np.flatnonzero(np.diff(truth.all.indptr))
    if len(some_truth) > most:
        some_truth = np.sort(rng_for(seed, "customers who judge").choice(some_truth, most, replace=False))
    histories, truth = matrix.of_customers(some_truth), truth.of_customers(some_truth)
    lists: dict[str, dict[str, np.ndarray]] = {slate: {} for slate in SLATES}
    left_out = {}
    for name in steps("judge", list(models)):
        try:
            best = top_of(models[name], histories, k=K_JUDGED)
        except FAILURES as problem:
            left_out[name] = told(name, problem)
            continue
        for slate, (positions, _) in best.items():
            lists[slate][name] = positions
    wanted = {"all": truth.all, "new": truth.new}
    judged = {
        slate: {
            name: Judged(metrics.accuracy(positions, wanted[slate]), "ndcg") for name, positions in lists[slate].items()
        }
        for slate in SLATES
    }
    customers = Customers.of(matrix).listed(some_truth)
    figures = evaluate_lists(lists, truth, customers, baselines=BASELINES, seed=seed)
    return JudgedLists(judged, figures, left_out)


def choose_recommenders(
    history: History,
    matrix: InteractionMatrix,
    settings: TrainingSettings,
    *,
    as_of: datetime,
    seed: int,
    steps: Steps,
) -> Chosen:
    """Decide on the window before ``as_of``; where nobody did anything before it, the baselines are taken.

    ``matrix`` holds what was known before ``as_of``; models are judged on customers who were known before the window.
    """
    past = matrix.earlier(settings.horizon_days)
    known = past.of_those_with_events()
    split = Split(as_of - timedelta(days=settings.horizon_days), settings.horizon_days)
    truth = split.truth(events_before(history, as_of), known)
    if not len(past) or not truth.all.nnz:
        return Chosen({}, PastExamples({}), {})
    names = list(settings.recommenders)
    fitted = fit_recommenders(past, settings.recommenders, seed=seed, names=names, steps=steps, title="fit on the past")
    examples = past_examples(matrix, fitted, settings, seed=seed, steps=steps)
    fitted = with_combined(fitted, examples.before(1), settings)
    most = settings.judged_customers
    lists = judge_recommenders(fitted.models, known, truth, most=most, seed=seed, steps=steps)
    choices = {slate: _choice(slate, lists, seed=seed) for slate in SLATES}
    figures = {slate: with_shipped(lists.figures[slate], choices[slate].shipped) for slate in SLATES}
    profile = choose_profile(fitted, known, truth, most=most, seed=seed)
    left_out = {**fitted.left_out, **examples.left_out, **lists.left_out}
    return Chosen(choices, examples, left_out, figures, profile)


def _choice(slate: str, lists: JudgedLists, *, seed: int) -> Choice:
    """The choice for a slate, of models that popularity does not beat in a slice that the slate serves."""
    judged = lists.judged[slate]
    baseline = BASELINES[slate] if BASELINES[slate] in judged else POPULARITY
    barred = [name for name in judged if worse_slices(slate, name, lists.figures[slate])]
    return choose(slate, judged, baseline=baseline, seed=seed, combined=COMBINED, barred=barred)
