"""Answers about treatments: the ladder in force, and what was last measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from recommender.bundle import ModelBundle
from recommender.retention.effect_answers import MeasuredEffects
from recommender.retention.effect_store import last_effects
from recommender.retention.treatment_settings import policy_of
from recommender.retention.treatments import RULES, TreatmentPolicy
from recommender.store_rows import is_storable


@dataclass(frozen=True)
class Place:
    """A band and a lever."""

    band: str
    lever: str


@dataclass(frozen=True)
class LadderRung:
    """A treatment, its place on the ladder (1 is the mildest), and where it is suggested."""

    name: str
    rank: int
    sentence: str
    cost: float
    saved_share: float
    suggested_for: tuple[Place, ...]


@dataclass(frozen=True)
class TreatmentLadder:
    """The policy in force with its rules in words; without a bundle the default, with neither version nor instant."""

    experiment: str
    holdout_share: float
    recovery: str
    rules: tuple[str, ...]
    data: tuple[LadderRung, ...]
    model_version: str | None
    as_of: datetime | None


def ladder(bundle: ModelBundle | None) -> TreatmentLadder:
    """The ladder that a bundle was trained with."""
    policy = policy_of(bundle.facts if bundle else {})
    rungs = (
        LadderRung(one.name, rank, one.sentence, float(one.cost), float(one.saved_share), _places(policy, one.name))
        for rank, one in enumerate(policy.ladder, start=1)
    )
    return TreatmentLadder(
        experiment=policy.experiment,
        holdout_share=float(policy.holdout_share),
        recovery=policy.recovery,
        rules=RULES,
        data=tuple(rungs),
        model_version=bundle.version if bundle else None,
        as_of=bundle.as_of if bundle else None,
    )


def effects(engine: sa.Engine, bundle: ModelBundle | None, definition: str) -> MeasuredEffects:
    """What was last measured of a definition; without effects where nothing was."""
    measured = last_effects(engine, definition) if is_storable(definition) else None
    if measured is not None:
        return measured
    policy = policy_of(bundle.facts if bundle else {})
    horizon = bundle.horizon_days if bundle else 0
    return MeasuredEffects(definition, horizon, policy.experiment, float(policy.holdout_share))


def _places(policy: TreatmentPolicy, name: str) -> tuple[Place, ...]:
    every = ((band, lever, one) for band, by_lever in policy.by_band.items() for lever, one in by_lever.items())
    return tuple(Place(band, lever) for band, lever, one in every if one == name)
