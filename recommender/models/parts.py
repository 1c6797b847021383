"""Recommenders that consist of recommenders: fit, keep and restore the parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recommender.errors import NotFitted
from recommender.models import name_of, restore
from recommender.models.base import Recommender


def fitted_parts(model: object) -> tuple[Recommender, ...]:
    """The parts of a fitted model; raises NotFitted."""
    fitted: tuple[Recommender, ...] | None = getattr(model, "fitted_", None)
    if fitted is None:
        raise NotFitted(model)
    return fitted


def states_of(recommenders: Sequence[Recommender]) -> list[dict[str, Any]]:
    """Names and states of recommenders."""
    return [{"name": name_of(one), "state": one.state()} for one in recommenders]


def restored(entries: Sequence[dict[str, Any]]) -> tuple[Recommender, ...]:
    """The recommenders that ``states_of`` described."""
    return tuple(restore(entry["name"], entry["state"]) for entry in entries)
