"""Fit recommenders on one matrix; one that fails is left out and reported, and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.errors import RecommenderError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create
from recommender.models.base import Recommender
from recommender.models.blending import Blend

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
    matrix: InteractionMatrix, settings: Mapping[str, Mapping[str, Any]], *, seed: int, names: Iterable[str]
) -> Fitted:
    """Fit the recommenders named, with the keywords that ``settings`` gives each.

    Without popularity nothing can be answered, so its failure is raised.
    """
    alone: dict[str, Recommender] = {"popularity": create("popularity", seed, **settings.get("popularity", {}))}
    alone["popularity"].fit(matrix)
    left_out = {}
    for name in names:
        if name == "popularity":
            continue
        try:
            alone[name] = create(name, seed, **settings.get(name, {})).fit(matrix)
        except FAILURES as problem:
            logger.warning("recommender left out name=%s problem=%s", name, problem)
            left_out[name] = f"{type(problem).__name__}: {problem}"
    return Fitted(matrix, alone, left_out)
