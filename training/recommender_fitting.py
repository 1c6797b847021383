"""Fit recommenders on one matrix; one that fails is left out and reported, and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create
from recommender.models.base import Recommender
from recommender.models.blending import Blend
from recommender.parallel import in_parallel
from training.progress import Steps, silent

logger = logging.getLogger(__name__)

# Whatever one recommender raises, the others go on.
FAILURES = (Exception,)


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

    def without(self, problems: Mapping[str, str]) -> Fitted:
        """The same less some that failed later, with the reasons."""
        kept = {name: one for name, one in self.alone.items() if name not in problems}
        return Fitted(self.matrix, kept, {**self.left_out, **problems})

    def with_model(self, name: str, model: Recommender | None) -> Fitted:
        """The same with a further model that is fitted on the matrix already, if there is one."""
        return self if model is None else Fitted(self.matrix, {**self.alone, name: model}, self.left_out)


def told(name: str, problem: BaseException) -> str:
    """Why a recommender is left out, which is logged too."""
    logger.warning("recommender left out name=%s problem=%s", name, problem)
    return f"{type(problem).__name__}: {problem}"


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

    One that cannot score a customer afterwards is left out like one that cannot be fitted.

    Without popularity nothing can be answered, so its failure is raised.
    """
    alone: dict[str, Recommender] = {"popularity": create("popularity", seed, **settings.get("popularity", {}))}
    alone["popularity"].fit(matrix)
    left_out = {}

    def fitted(name: str) -> Recommender | BaseException:
        try:
            model: Recommender = create(name, seed, **settings.get(name, {})).fit(matrix)
            model.score(first)
            return model
        except FAILURES as problem:
            return problem

    first = matrix.by_customer().of_range(0, min(1, len(matrix.customers)))
    others = [name for name in names if name != "popularity"]
    # One thread of linear algebra also where only one is left to fit.
    with threadpool_limits(1, user_api="blas"):
        for name, outcome in zip(steps(title, others), in_parallel(fitted, others), strict=True):
            if isinstance(outcome, BaseException):
                left_out[name] = told(name, outcome)
            else:
                alone[name] = outcome
    return Fitted(matrix, alone, left_out)
