"""Train the recommendations: choose on the past, fit the chosen on everything known, lay down all slates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from recommender.errors import NotEnoughData
from recommender.history import History
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from training.interactions import interactions_before, met_before
from training.item_training import ItemAnswers, train_items
from training.list_choice import BASELINES, COMBINED, SLATES, Chosen, choose_recommenders
from training.list_evaluation import POPULARITY
from training.profile_choice import fit_profile
from training.progress import Steps
from training.ranking_training import PastExamples, with_combined
from training.recommender_fitting import Fitted, fit_recommenders
from training.selection import Choice
from training.settings import TrainingSettings
from training.slates import LaidSlates, lay_slates

NO_CUSTOMERS = "no order line or interaction names a customer; visitors get answers from items and from their session"


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
    profile: Recommender | None
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

    ``also_fit`` names further recommenders to fit, for those who want to judge them beside the chosen ones. Where no
    event names a customer, items are learned from sessions, and lists are those of popularity.
    """
    matrix = interactions_before(history, as_of)
    met = met_before(history, matrix, as_of)
    if not len(met):
        raise NotEnoughData(f"nobody met an item before {as_of:%Y-%m-%d}; ingest order_lines or interactions")
    if len(matrix):
        chosen = choose_recommenders(history, matrix, settings, as_of=as_of, seed=seed, steps=steps)
        shipped = {one: chosen.choices[one].shipped if chosen.choices else BASELINES[one] for one in SLATES}
    else:
        chosen = Chosen({}, PastExamples({}), {"lists for customers": NO_CUSTOMERS})
        shipped = dict.fromkeys(SLATES, POPULARITY)
    fitted = _fit_shipped(met, chosen, {*shipped.values(), *also_fit}, settings, seed=seed, steps=steps)
    every = fitted.models
    shipped = {slate: name if name in every else POPULARITY for slate, name in shipped.items()}
    models = {slate: every[name] for slate, name in shipped.items()}
    laid = lay_slates(matrix, models, progress=lambda rows: steps("slates", rows))
    item_answers = train_items(history, matrix, fitted, laid.slates, settings, as_of=as_of, seed=seed, steps=steps)
    return TrainedRecommendations(
        matrix=matrix,
        choices={**chosen.choices, **({"profile": chosen.profile} if chosen.profile else {})},
        fitted=fitted,
        models=models,
        shipped=shipped,
        laid=laid,
        item_answers=item_answers,
        profile=fit_profile(matrix) if chosen.profile and not chosen.profile.is_baseline else None,
        left_out={**chosen.left_out, **fitted.left_out, **item_answers.left_out},
        counts={"customers": len(matrix.customers), "items": len(matrix.items), "interactions": len(met)},
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
    """The recommenders wanted, and those that these stand on, fitted on everything known."""
    stands_on = set(settings.generators) if wanted.intersection(COMBINED) else set()
    wanted = wanted | stands_on
    names = [name for name in settings.recommenders if name in wanted]
    fitted = fit_recommenders(matrix, settings.recommenders, seed=seed, names=names, steps=steps)
    return with_combined(fitted, chosen.examples.before(0), settings) if stands_on else fitted
