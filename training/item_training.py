"""Train the answers that start from items, sessions and intervals: fit their models and lay down their slates."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from recommender.bundle import RECENT_DAYS, Slates
from recommender.errors import NotEnoughData
from recommender.history import History
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import KIND_WEIGHTS, InteractionMatrix
from recommender.models import create
from recommender.models.bought_together import UNSEEN, BoughtTogether
from recommender.models.next_item import Sequences
from recommender.models.trending import Trending
from recommender.parallel import in_parallel
from training.item_slates import (
    best_sellers,
    customer_counts,
    customer_slates,
    due_slates,
    neighbour_slates,
    new_arrivals,
    similar_slates,
)
from training.progress import Steps
from training.recommender_fitting import FAILURES, Fitted, told
from training.selection import Choice
from training.session_choice import BASELINE, CANDIDATES, choose_session_model
from training.settings import TrainingSettings
from training.slates import blank, one_row

logger = logging.getLogger(__name__)

# Where no recommender of that name is registered, trending is what sold within about a week.
TRENDING = "trending"


# What is like an item is told to everybody who looks at it: rare pairs must be surer than for one customer's list.
SIMILAR_SHRINKAGE = 50.0


@dataclass(frozen=True)
class ItemModels:
    """The models behind the answers, by answer, and for those that could not be fitted why not.

    ``session`` is which candidate of ``session_choice`` tells what comes next, ``session_choice`` how that was decided.
    """

    models: Mapping[str, Any]
    left_out: dict[str, str] = field(default_factory=dict)
    session: str = BASELINE
    session_choice: Choice | None = None


@dataclass(frozen=True)
class ItemAnswers:
    """What a bundle holds of items: see ``ModelBundle``. ``models`` are those that answer requests."""

    item_slates: Mapping[str, Slates]
    lists: Mapping[str, Slates]
    due: Mapping[str, np.ndarray]
    categories: IdIndex
    category_lists: Slates
    models: Mapping[str, Any]
    left_out: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)


def train_items(
    history: History,
    matrix: InteractionMatrix,
    fitted: Fitted,
    slates: Mapping[str, Slates],
    settings: TrainingSettings,
    *,
    as_of: datetime,
    seed: int,
    steps: Steps,
) -> ItemAnswers:
    """Fit on everything before ``as_of`` and lay all slates; a model that fails is left out and its slates empty.

    ``matrix`` holds customers; items are learned from what ``fitted`` was (``interactions.met_before``).
    """
    columns = ["item_id", "category", "available_from", "is_replenishable"]
    rows = history.read("items", before=as_of, columns=columns)
    paths = category_paths(rows, matrix.items)
    met = fitted.matrix
    item_models = fit_item_models(history, matrix, met, paths, settings, as_of=as_of, seed=seed, steps=steps)
    models = item_models.models
    popularity = fitted.alone["popularity"].item_scores_
    categories, category_lists = best_sellers(paths, popularity)
    return ItemAnswers(
        item_slates=_item_slates(models, met, slates, paths),
        lists={
            "popular": one_row(popularity),
            "trending": one_row(_trending_scores(met, item_models.left_out)),
            "new_arrivals": new_arrivals(rows, met, as_of),
            "recent_customers": customer_counts(met, RECENT_DAYS),
            "customers": customer_counts(met, np.inf),
        },
        due=due_slates(matrix, models["repurchase"], settings.horizon_days, may_repeat=_may_repeat(rows, matrix.items))
        if "repurchase" in models
        else {},
        categories=categories,
        category_lists=category_lists,
        models={name: model for name, model in models.items() if name == "repurchase"},
        left_out=item_models.left_out,
        facts={
            "session": asdict(CANDIDATES[item_models.session].reading),
            "session_choice": item_models.session_choice and item_models.session_choice.facts(),
        },
    )


def _item_slates(
    models: Mapping[str, Any], met: InteractionMatrix, slates: Mapping[str, Slates], paths: Mapping[int, str]
) -> dict[str, Slates]:
    """The slates of all items by answer, empty where the model of the answer was left out."""
    count = len(met.items)
    laid: dict[str, tuple[str, Callable[[Any], Slates]]] = {
        "similar": ("similar", lambda model: similar_slates(met, model, paths)),
        "bought_together": ("bought_together", lambda model: neighbour_slates(count, model.neighbours_of)),
        "next_item": ("next_item", lambda model: neighbour_slates(count, model.neighbours_of)),
        "expected_together": ("bought_together", lambda model: neighbour_slates(count, model.expected_of, UNSEEN)),
    }

    def lay(answer: str) -> Slates:
        name, of_model = laid[answer]
        return of_model(models[name]) if name in models else blank(count, 1)

    found = dict(zip(laid, in_parallel(lay, list(laid)), strict=True))
    return {**found, "customers": customer_slates([slates["all"], slates["new"]], count)}


def fit_item_models(
    history: History,
    matrix: InteractionMatrix,
    met: InteractionMatrix,
    paths: Mapping[int, str],
    settings: TrainingSettings,
    *,
    as_of: datetime,
    seed: int,
    steps: Steps,
) -> ItemModels:
    """The models of what is alike, bought together, comes next in a session, and when a purchase is repeated."""
    sequences = sequences_before(history, matrix, as_of)
    choice = choose_session_model(
        history, matrix, sequences, as_of=as_of, horizon_days=settings.horizon_days, seed=seed
    )
    session = choice.shipped if choice else BASELINE
    fits: dict[str, Callable[[], Any]] = {
        "similar": lambda: create("item_similarity", seed, shrinkage=SIMILAR_SHRINKAGE).fit(met),
        "bought_together": lambda: _with_pairs(create("bought_together", seed).fit(met)),
        "next_item": lambda: CANDIDATES[session].fit(sequences, seed),
        "repurchase": lambda: create("repurchase_intervals", seed).fit(
            matrix, category_codes(paths, len(matrix.items))
        ),
    }

    def fitted(name: str) -> Any:
        try:
            return fits[name]()
        except FAILURES as problem:
            return problem

    models, left_out = {}, {}
    for name, outcome in zip(steps("fit answers of items", list(fits)), in_parallel(fitted, list(fits)), strict=True):
        if isinstance(outcome, BaseException):
            logger.warning("item model left out name=%s problem=%s", name, outcome)
            left_out[name] = f"{type(outcome).__name__}: {outcome}"
        else:
            models[name] = outcome
    return ItemModels(models, left_out, session, choice)


def _with_pairs(model: BoughtTogether) -> BoughtTogether:
    """The model, where there is a pair that it can tell of."""
    if not model.together_.nnz:
        raise NotEnoughData("no two items stand in one basket more often than by chance; ingest more order_lines")
    return model


def sequences_before(history: History, matrix: InteractionMatrix, cutoff: datetime) -> Sequences:
    """What customers and sessions that belong to no customer did before the cutoff, over the items of the matrix."""
    columns = ["session_id", "customer_id", "item_id", "occurred_at", "kind"]
    rows = history.read("interactions", before=cutoff, columns=columns)
    rows = rows[rows["customer_id"].isna() & rows["session_id"].notna() & rows["item_id"].notna()]
    places = matrix.items.positions(rows["item_id"])
    weights = rows["kind"].map(KIND_WEIGHTS).fillna(KIND_WEIGHTS["view"]).to_numpy(dtype=np.float32)
    chosen = (places >= 0) & (weights > 0)
    owners, _ = pd.factorize(rows["session_id"])
    ages = (pd.Timestamp(cutoff) - rows["occurred_at"]).dt.total_seconds().to_numpy() / 86_400.0
    sessions = Sequences(owners[chosen], places[chosen].astype(np.int32), ages[chosen], len(matrix.items))
    return Sequences.of(matrix).joined(sessions)


def category_paths(rows: pd.DataFrame, items: IdIndex) -> dict[int, str]:
    """The category of each item of the index that has one, by position."""
    known = rows[rows["category"].notna()]
    return dict(zip(items.positions(known["item_id"]).tolist(), known["category"].tolist(), strict=True))


def category_codes(paths: Mapping[int, str], item_count: int) -> np.ndarray:
    """A number per item for its category, -1 for none."""
    codes = np.full(item_count, -1, dtype=np.int64)
    codes[list(paths)] = np.unique(list(paths.values()), return_inverse=True)[1] if paths else []
    return codes


def _may_repeat(rows: pd.DataFrame, items: IdIndex) -> np.ndarray:
    """Whether each item of the index may be bought again: not where the shop says that it is not used up."""
    lasting = rows.loc[rows["is_replenishable"].eq(False).fillna(False), "item_id"]
    may_repeat = np.ones(len(items), dtype=bool)
    may_repeat[items.positions(lasting)] = False
    return may_repeat


def _trending_scores(matrix: InteractionMatrix, left_out: dict[str, str]) -> np.ndarray:
    """A score per item, above 0 where more customers buy it than before; NaN where nothing can be said."""
    try:
        return Trending().fit(matrix).item_scores_
    except FAILURES as problem:
        left_out[TRENDING] = told(TRENDING, problem)
        return np.full(len(matrix.items), np.nan)
