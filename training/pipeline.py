"""The recipe of a training: from a history to a bundle that says how good it is."""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any

from recommender.bundle import ModelBundle
from recommender.errors import NotEnoughData
from recommender.history import History
from recommender.placements import placements_to_settings
from recommender.retention.treatment_settings import policy_to_settings
from training.gate import Verdict, judge
from training.progress import Steps
from training.ranking_training import TWO_STAGE
from training.recommendation_training import TrainedRecommendations, train_recommendations
from training.retention.churn_training import TrainedChurn, definition_of, train_churn
from training.retention.curve_training import TrainedTimes, train_times
from training.retention.customer_base import customer_base_facts
from training.retention.value_training import TrainedValue, train_value
from training.selection import Choice
from training.settings import TrainingSettings

# What serving reads stands in the manifest by itself.
_APART = ("placements", "treatments")
_LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "regulars")


@dataclass(frozen=True)
class Training:
    """A bundle, what the gate says of it, and what it was made from; ``churn_also`` by name of the definition."""

    bundle: ModelBundle
    verdict: Verdict
    lists: TrainedRecommendations
    churn: TrainedChurn
    value: TrainedValue
    churn_also: Mapping[str, TrainedChurn] = field(default_factory=dict)

    @property
    def choices(self) -> dict[str, Choice]:
        """The choice of each answer that could be judged."""
        return _choices(self.lists, [self.churn, *self.churn_also.values()], self.value)


def train(
    history: History,
    settings: TrainingSettings,
    *,
    as_of: datetime,
    seed: int,
    steps: Steps,
    served: Mapping[str, Any] | None = None,
    also_fit: Collection[str] = (),
) -> Training:
    """Fit, judge and choose all answers as of an instant; nothing at or after it is looked at.

    ``served`` is the manifest of the bundle that is served now, for the gate; ``also_fit`` names recommenders to fit
    beside the chosen ones. Raises NotEnoughData where nobody met an item before ``as_of``.
    """
    lists = train_recommendations(history, settings, as_of=as_of, seed=seed, steps=steps, also_fit=also_fit)
    churn, *also = (
        train_churn(history, definition, settings, as_of=as_of, seed=seed, steps=steps)
        for definition in (definition_of(history, settings, as_of), *settings.churn_also.values())
    )
    value = train_value(history, settings, as_of=as_of, seed=seed, steps=steps)
    definitions = [one.definition for one in (churn, *also)]
    times = train_times(history, definitions, settings, as_of=as_of, steps=steps)
    bundle = _bundle(settings, as_of, lists, [churn, *also], value, times)
    choices = _choices(lists, [churn, *also], value)
    verdict = judge(bundle, choices, served, lists=lists.figures, seed=seed)
    facts = {
        **_data_facts(history, settings, lists, as_of=as_of, seed=seed),
        "shipped": {**{name: choice.shipped for name, choice in choices.items()}, **lists.shipped},
        "answers": {name: choice.facts() for name, choice in choices.items()},
        "lists": dict(lists.figures),
        "left_out": dict(lists.left_out),
        **lists.item_answers.facts,
        **_ranker_facts(lists),
        "churn": dict(churn.facts),
        "churn_also": {one.definition.name: dict(one.facts) for one in also},
        "customer_base": customer_base_facts(history, churn.definition, as_of=as_of, steps=steps),
        "times": dict(times.facts),
        "value": dict(value.facts),
        "gate": verdict.facts(),
    }
    beside = {one.definition.name: one for one in also}
    return Training(replace(bundle, facts=facts), verdict, lists, churn, value, beside)


def _data_facts(
    history: History, settings: TrainingSettings, lists: TrainedRecommendations, *, as_of: datetime, seed: int
) -> dict[str, Any]:
    """From what a bundle was made: the data, the versions of libraries, the settings."""
    return {
        "seed": seed,
        "data": {
            "fingerprint": history.fingerprint(as_of),
            **lists.counts,
            "has_orders": lists.matrix.has_orders,
        },
        "libraries": library_versions(),
        "settings": {name: value for name, value in asdict(settings).items() if name not in _APART},
        "placements": placements_to_settings(settings.placements),
        "treatments": policy_to_settings(settings.treatments),
    }


def instant_after_last_event(history: History) -> datetime:
    """Where a training stands by default; raises NotEnoughData where nothing ever happened."""
    last = history.last_instant()
    if last is None:
        raise NotEnoughData("the store holds no event; run the command ingest first")
    return last + timedelta(microseconds=1)


def library_versions() -> dict[str, str]:
    """Versions of Python, this program and the libraries that shape the numbers."""
    import lightfm

    versions = {name: metadata.version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), "lightfm": lightfm.__version__, **versions}


def _bundle(
    settings: TrainingSettings,
    as_of: datetime,
    lists: TrainedRecommendations,
    churn: Sequence[TrainedChurn],
    value: TrainedValue,
    times: TrainedTimes,
) -> ModelBundle:
    return ModelBundle(
        as_of=as_of,
        horizon_days=settings.horizon_days,
        customers=lists.matrix.customers,
        items=lists.matrix.items,
        slates=lists.laid.slates,
        history=lists.laid.history,
        item_slates=lists.item_answers.item_slates,
        lists=lists.item_answers.lists,
        due=lists.item_answers.due,
        categories=lists.item_answers.categories,
        category_lists=lists.item_answers.category_lists,
        models={
            **lists.models,
            **lists.item_answers.models,
            **times.models,
            **_present({one.definition.model_name: one.model for one in churn}),
            **_present({"value": value.model, "value_interval": value.interval, "profile": lists.profile}),
        },
    )


def _ranker_facts(lists: TrainedRecommendations) -> dict[str, Any]:
    """What the ranker looks at, and the slates whose scores are its probabilities; empty without a ranker."""
    ranker = lists.fitted.alone.get(TWO_STAGE)
    if ranker is None:
        return {}
    return {
        "ranker": {"gains": ranker.feature_gains()},
        "score_is_probability": {slate: name == TWO_STAGE for slate, name in lists.shipped.items()},
    }


def _choices(lists: TrainedRecommendations, churn: Sequence[TrainedChurn], value: TrainedValue) -> dict[str, Choice]:
    of_churn = {one.definition.model_name: one.choice for one in churn}
    return {**lists.choices, **_present({**of_churn, "value": value.choice})}


def _present(answers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in answers.items() if one is not None}
