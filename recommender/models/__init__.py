"""All models by name; a model's module is imported when the model is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

from recommender.errors import UnknownName

RECOMMENDERS = {
    "popularity": "recommender.models.popularity:DecayedPopularity",
    "personal_frequency": "recommender.models.personal_frequency:DecayedPersonalFrequency",
    "trending": "recommender.models.trending:Trending",
    "item_similarity": "recommender.models.item_similarity:ItemSimilarity",
    "neighbour_baskets": "recommender.models.neighbour_baskets:NeighbourBaskets",
    "user_neighbours": "recommender.models.user_neighbours:UserNeighbours",
    "graph_filter": "recommender.models.graph_filter:GraphFilter",
    "ease": "recommender.models.ease:Ease",
    "rp3beta": "recommender.models.rp3beta:RP3Beta",
    "als": "recommender.models.als:AlternatingLeastSquares",
    "attribute_popularity": "recommender.models.attribute_popularity:AttributePopularity",
    "affinity": "recommender.models.affinity:Affinity",
    "lightfm_hybrid": "recommender.models.lightfm_hybrid:LightFMHybrid",
    "blending": "recommender.models.blending:Blend",
    "rank_blending": "recommender.models.blending:RankBlend",
    "score_blending": "recommender.models.score_blending:ScoreBlend",
    "two_stage": "recommender.models.two_stage:TwoStage",
}
ITEM_MODELS = {
    "bought_together": "recommender.models.bought_together:BoughtTogether",
    "next_item": "recommender.models.next_item:NextItem",
    "repurchase_intervals": "recommender.models.repurchase_intervals:RepurchaseIntervals",
}
CHURN_MODELS = {
    "churn": "recommender.models.churn:ChurnModel",
    "bgnbd_no_order": "recommender.models.no_order:NoOrderModel",
}
TIME_MODELS = {
    "discrete_hazard": "recommender.models.discrete_hazard:DiscreteHazard",
    "bgnbd_curves": "recommender.models.bgnbd_curves:BgNbdCurves",
}
VALUE_MODELS = {
    "mean_value": "recommender.models.mean_value:MeanValue",
    "log_linear_value": "recommender.models.log_linear_value:LogLinearValue",
    "two_part_value": "recommender.models.two_part_value:TwoPartValue",
    "tweedie_value": "recommender.models.tweedie_value:TweedieValue",
    "bgnbd_gamma_gamma": "recommender.models.lifetime_value:LifetimeValue",
    "past_rate": "recommender.models.past_rate:PastRate",
}
VALUE_INTERVALS = {
    "value_interval": "recommender.models.value_interval:ValueInterval",
}
UPLIFT_MODELS = {
    "two_model_uplift": "recommender.models.uplift:TwoModelUplift",
}


def registry() -> dict[str, str]:
    """The place of every registered model class, ``module:class``, by its name."""
    churn = {**CHURN_MODELS, **TIME_MODELS}
    return {**RECOMMENDERS, **ITEM_MODELS, **churn, **VALUE_MODELS, **VALUE_INTERVALS, **UPLIFT_MODELS}


def model_class(name: str) -> Callable[..., Any]:
    """The class registered under a name; raises UnknownName."""
    models = registry()
    if name not in models:
        raise UnknownName("model", name, models)
    module, _, class_name = models[name].partition(":")
    chosen: Callable[..., Any] = getattr(import_module(module), class_name)
    return chosen


def name_of(model: object) -> str:
    """The name under which the class of a model is registered; raises UnknownName."""
    place = f"{type(model).__module__}:{type(model).__name__}"
    models = registry()
    for name, registered in models.items():
        if registered == place:
            return name
    raise UnknownName("model of class", type(model).__name__, models)


def create(name: str, seed: int = 0, **keywords: Any) -> Any:
    """A new model of any registered name; ``seed`` goes to those that draw random numbers."""
    chosen = model_class(name)
    if "seed" in inspect.signature(chosen).parameters:
        keywords["seed"] = seed
    return chosen(**keywords)


def restore(name: str, state: dict[str, Any]) -> Any:
    """The model of a registered name whose ``state`` is given."""
    return model_class(name).from_state(state)  # type: ignore[attr-defined]
