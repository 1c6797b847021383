"""Train the recommendations: fit every candidate on the past, let a window decide, fit again, lay down all slates."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from scipy import sparse

from recommender import metrics
from recommender.epoch_selection import EpochChoice, choose_epochs
from recommender.errors import NotEnoughData, RecommenderError
from recommender.history import History
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create
from recommender.models.base import Recommender
from recommender.models.blending import Blend
from recommender.ranking import mask, score_blocks, top_items
from recommender.splits import Split, Truth
from training.interactions import events_before, interactions_before
from training.item_training import ItemAnswers, train_items
from training.progress import Steps
from training.selection import Choice, Judged, choose
from training.settings import TrainingSettings
from training.slates import LaidSlates, lay_slates

logger = logging.getLogger(__name__)

SLATES = ("all", "new")
BASELINES = {"all": "personal_frequency", "new": "popularity"}
K_JUDGED = 10
LIGHTFM = "lightfm_hybrid"
_FAILURES = (RecommenderError, ValueError, ArithmeticError, MemoryError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class Fitted:
    """The recommenders that could be fitted, by name, and for the others why not.

    ``alone`` holds them as they are, ``models`` each in front of popularity, so that it scores every item.
    """

    alone: Mapping[str, Recommender]
    models: Mapping[str, Recommender]
    left_out: Mapping[str, str]


def fit_recommenders(
    matrix: InteractionMatrix,
    settings: Mapping[str, Mapping[str, Any]],
    *,
    seed: int,
    names: Iterable[str],
    fitted: Mapping[str, Recommender] | None = None,
) -> Fitted:
    """Fit the recommenders named and put each that cannot score everything in front of popularity.

    ``settings`` gives the constructor keywords by name, ``fitted`` those that are fitted on the matrix already. A
    recommender that fails is left out and reported; without popularity nothing can be answered, so its failure is
    raised.
    """
    popularity = create("popularity", seed, **settings.get("popularity", {})).fit(matrix)
    alone, models, left_out = {"popularity": popularity}, {"popularity": popularity}, {}
    for name in names:
        if name == "popularity":
            continue
        try:
            given = (fitted or {}).get(name)
            alone[name] = given or create(name, seed, **settings.get(name, {})).fit(matrix)
            models[name] = Blend.of_fitted((alone[name], popularity))
        except _FAILURES as problem:
            logger.warning("recommender left out name=%s problem=%s", name, problem)
            left_out[name] = f"{type(problem).__name__}: {problem}"
    return Fitted(alone, models, left_out)


@dataclass(frozen=True)
class Chosen:
    """The choice per slate, the settings decided with it, and which recommenders were left out, with the reason."""

    choices: Mapping[str, Choice]
    settings: Mapping[str, Mapping[str, Any]]
    left_out: Mapping[str, str]


def top_of(model: Recommender, matrix: InteractionMatrix, *, k: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Positions and scores of the k best items of every customer, for each slate."""
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {slate: [] for slate in SLATES}
    for _, block, scores in score_blocks(model, matrix):
        for slate in SLATES:
            parts[slate].append(top_items(mask(scores, block, seen=slate == "new", allowed=None), k))
    return {
        slate: (np.concatenate([one for one, _ in found]), np.concatenate([score for _, score in found]))
        for slate, found in parts.items()
    }


def judge_recommenders(
    models: Mapping[str, Recommender], matrix: InteractionMatrix, truth: Truth
) -> dict[str, dict[str, Judged]]:
    """Every model on a window, by slate and name; customers without truth count nowhere."""
    judged: dict[str, dict[str, Judged]] = {slate: {} for slate in SLATES}
    truths = {"all": truth.all, "new": truth.new}
    some_truth = np.flatnonzero(np.diff(truth.all.indptr))
    histories = matrix.of_customers(some_truth)
    for name, model in models.items():
        lists = top_of(model, histories, k=K_JUDGED)
        for slate in SLATES:
            positions, _ = lists[slate]
            judged[slate][name] = Judged(metrics.accuracy(positions, truths[slate][some_truth]), "ndcg")
    return judged


def choose_recommenders(
    history: History, settings: TrainingSettings, *, as_of: datetime, seed: int, steps: Steps
) -> Chosen:
    """Decide on the window before ``as_of``; where nobody did anything before it, the baselines are taken."""
    split = Split(as_of - timedelta(days=settings.horizon_days), settings.horizon_days)
    matrix = interactions_before(history, split.cutoff)
    truth = split.truth(events_before(history, as_of), matrix)
    if not len(matrix) or not truth.all.nnz:
        return Chosen({}, settings.recommenders, {})
    epochs = decide_epochs(matrix, truth.new, settings, seed=seed, steps=steps)
    decided, known = dict(settings.recommenders), {}
    if epochs is not None:
        decided[LIGHTFM] = {**decided[LIGHTFM], "epochs": epochs.epochs}
        known[LIGHTFM] = epochs.model
    fitted = fit_recommenders(matrix, decided, seed=seed, names=steps("fit on the past", decided), fitted=known)
    judged = judge_recommenders(fitted.models, matrix, truth)
    choices = {slate: choose(slate, judged[slate], baseline=BASELINES[slate], seed=seed) for slate in SLATES}
    return Chosen(choices, decided, fitted.left_out)


def decide_epochs(
    matrix: InteractionMatrix, truth: sparse.csr_matrix, settings: TrainingSettings, *, seed: int, steps: Steps
) -> EpochChoice | None:
    """How long LightFM learns, by the window; None where it is not wanted, is told how long, or fails."""
    given = settings.recommenders.get(LIGHTFM)
    if given is None or "epochs" in given:
        return None
    try:
        model = create(LIGHTFM, seed, **given)
        epochs = iter(steps("LightFM epochs", range(max(settings.epoch_candidates) + 1)))
        next(epochs)
        return choose_epochs(
            model, matrix, truth, candidates=settings.epoch_candidates, on_epoch=lambda _: next(epochs, None)
        )
    except _FAILURES as problem:
        logger.warning("epochs not chosen problem=%s", problem)
        return None


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
    chosen = choose_recommenders(history, settings, as_of=as_of, seed=seed, steps=steps)
    shipped = {one: chosen.choices[one].shipped if chosen.choices else BASELINES[one] for one in SLATES}
    names = [one for one in chosen.settings if one in {*shipped.values(), *also_fit, "item_similarity"}]
    fitted = fit_recommenders(matrix, chosen.settings, seed=seed, names=steps("fit", names))
    models = {slate: fitted.models.get(name, fitted.models["popularity"]) for slate, name in shipped.items()}
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
    )
