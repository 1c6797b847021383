"""Train the recommendations: fit every candidate on the past, let a window decide, fit again, lay down all slates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from recommender import metrics
from recommender.errors import NotEnoughData
from recommender.history import History
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.ranking import in_blocks, mask
from recommender.splits import Split, Truth
from recommender.top_items import top_items
from training.interactions import events_before, interactions_before
from training.item_training import ItemAnswers, train_items
from training.list_evaluation import Customers, evaluate_lists, with_shipped
from training.progress import Steps
from training.ranking_training import TWO_STAGE, PastExamples, past_examples, two_stage
from training.recommender_fitting import Fitted, fit_recommenders
from training.selection import Choice, Judged, choose
from training.settings import TrainingSettings
from training.slates import LaidSlates, lay_slates

SLATES = ("all", "new")
BASELINES = {"all": "personal_frequency", "new": "popularity"}
K_JUDGED = 10


@dataclass(frozen=True)
class Chosen:
    """The choice per slate, what the ranker may learn from, which recommenders were left out, and all figures."""

    choices: Mapping[str, Choice]
    examples: PastExamples
    left_out: Mapping[str, str]
    figures: Mapping[str, Any] = field(default_factory=dict)


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
    """Every model on a window: by slate and name what decides, and by slate all figures that a report shows."""

    judged: Mapping[str, Mapping[str, Judged]]
    figures: Mapping[str, Any]


def judge_recommenders(
    models: Mapping[str, Recommender], matrix: InteractionMatrix, truth: Truth, *, seed: int, steps: Steps
) -> JudgedLists:
    """Every model on a window; customers without truth count nowhere."""
    some_truth = np.flatnonzero(np.diff(truth.all.indptr))
    histories, truth = matrix.of_customers(some_truth), truth.of_customers(some_truth)
    lists: dict[str, dict[str, np.ndarray]] = {slate: {} for slate in SLATES}
    for name in steps("judge", list(models)):
        for slate, (positions, _) in top_of(models[name], histories, k=K_JUDGED).items():
            lists[slate][name] = positions
    wanted = {"all": truth.all, "new": truth.new}
    judged = {
        slate: {
            name: Judged(metrics.accuracy(positions, wanted[slate]), "ndcg") for name, positions in lists[slate].items()
        }
        for slate in SLATES
    }
    customers = Customers.of(matrix).listed(some_truth)
    return JudgedLists(judged, evaluate_lists(lists, truth, customers, baselines=BASELINES, seed=seed))


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
    ranker = two_stage(fitted, examples.before(1), settings)
    models = fitted.with_model(TWO_STAGE, ranker).models
    lists = judge_recommenders(models, known, truth, seed=seed, steps=steps)
    choices = {slate: choose(slate, lists.judged[slate], baseline=BASELINES[slate], seed=seed) for slate in SLATES}
    figures = {slate: with_shipped(lists.figures[slate], choices[slate].shipped) for slate in SLATES}
    return Chosen(choices, examples, fitted.left_out, figures)


@dataclass(frozen=True)
class TrainedRecommendations:
    """Everything of a bundle that is about lists: models and slates as of the cutoff, and how they were chosen."""

    matrix: InteractionMatrix
    choices: Mapping[str, Choice]
    fitted: Fitted
    shipped: Mapping[str, str]
    models: Mapping[str, Recommender]
    laid: LaidSlates
    item_answers: ItemAnswers
    left_out: Mapping[str, str]
    counts: Mapping[str, int]
    figures: Mapping[str, Any] = field(default_factory=dict)


def train_recommendations(
    history: History,
    settings: TrainingSettings,
    *,
    as_of: datetime,
    seed: int,
    steps: Steps,
    also_fit: Collection[str] = (),
) -> TrainedRecommendations:
    """Choose on the past, fit the chosen models on everything before ``as_of``, lay all slates.

    ``also_fit`` names further recommenders to fit, for those who want to judge them beside the chosen ones.
    """
    matrix = interactions_before(history, as_of)
    if not len(matrix):
        raise NotEnoughData(f"no customer met an item before {as_of:%Y-%m-%d}; ingest order_lines or interactions")
    chosen = choose_recommenders(history, matrix, settings, as_of=as_of, seed=seed, steps=steps)
    shipped = {one: chosen.choices[one].shipped if chosen.choices else BASELINES[one] for one in SLATES}
    fitted = _fit_shipped(matrix, chosen, {*shipped.values(), *also_fit}, settings, seed=seed, steps=steps)
    every = fitted.models
    models = {slate: every.get(name, every["popularity"]) for slate, name in shipped.items()}
    laid = lay_slates(matrix, models, progress=lambda rows: steps("slates", rows))
    item_answers = train_items(history, matrix, fitted, laid.slates, settings, as_of=as_of, seed=seed, steps=steps)
    return TrainedRecommendations(
        matrix=matrix,
        choices=chosen.choices,
        fitted=fitted,
        models=models,
        shipped=shipped,
        laid=laid,
        item_answers=item_answers,
        left_out={**chosen.left_out, **fitted.left_out, **item_answers.left_out},
        counts={"customers": len(matrix.customers), "items": len(matrix.items), "interactions": len(matrix)},
        figures=chosen.figures,
    )


def _fit_shipped(
    matrix: InteractionMatrix,
    chosen: Chosen,
    wanted: set[str],
    settings: TrainingSettings,
    *,
    seed: int,
    steps: Steps,
) -> Fitted:
    """The recommenders wanted, and those that the ranker stands on, fitted on everything known."""
    wanted = wanted | (set(settings.generators) if TWO_STAGE in wanted else set())
    names = [name for name in settings.recommenders if name in wanted]
    fitted = fit_recommenders(matrix, settings.recommenders, seed=seed, names=names, steps=steps)
    if TWO_STAGE not in wanted:
        return fitted
    ranker = two_stage(fitted, chosen.examples.before(0), settings)
    return fitted.with_model(TWO_STAGE, ranker)
