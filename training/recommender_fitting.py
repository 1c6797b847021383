"""Fit recommenders on one matrix; one that fails is left out and reported, and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.errors import RecommenderError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create
from recommender.models.base import Recommender
from recommender.models.blending import Blend
from recommender.parallel import in_parallel
from training.progress import Steps, silent

logger = logging.getLogger(__name__)

FAILURES = (RecommenderError, ValueError, ArithmeticError, MemoryError, RuntimeError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class Fitted:
    """The recommenders that could be fitted on a matrix, by name, and for the others why not."""

    matrix: InteractionMatrix
    alone: Mapping[str, Recommender]
    left_out: Mapping[str, str]

    @property
    def models(self) -> dict[str, Recommender]:
        """Each in front of popularity, so that it scores every item."""
        popularity = self.alone["popularity"]
        return {
            name: one if name == "popularity" else Blend.of_fitted((one, popularity))
            for name, one in self.alone.items()
        }

    def with_model(self, name: str, model: Recommender | None) -> Fitted:
        """The same with a further model that is fitted on the matrix already, if there is one."""
        return self if model is None else Fitted(self.matrix, {**self.alone, name: model}, self.left_out)


def fit_recommenders(
    matrix: InteractionMatrix,
    settings: Mapping[str, Mapping[str, Any]],
    *,
    seed: int,
    names: Sequence[str],
    steps: Steps = silent,
    title: str = "fit",
) -> Fitted:
    """Fit the recommenders named, with the keywords that ``settings`` gives each, on all cores.

    Without popularity nothing can be answered, so its failure is raised.
    """
    alone: dict[str, Recommender] = {"popularity": create("popularity", seed, **settings.get("popularity", {}))}
    alone["popularity"].fit(matrix)
    left_out = {}

    def fitted(name: str) -> Recommender | BaseException:
        try:
            return create(name, seed, **settings.get(name, {})).fit(matrix)
        except FAILURES as problem:
            return problem

    others = [name for name in names if name != "popularity"]
    for name, outcome in zip(steps(title, others), in_parallel(fitted, others), strict=True):
        if isinstance(outcome, BaseException):
            logger.warning("recommender left out name=%s problem=%s", name, outcome)
            left_out[name] = f"{type(outcome).__name__}: {outcome}"
        else:
            alone[name] = outcome
    return Fitted(matrix, alone, left_out)
