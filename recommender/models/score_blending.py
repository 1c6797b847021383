"""Several recommenders as one, by sums of their standardised scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from recommender.errors import SettingError
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create
from recommender.models.base import Recommender
from recommender.models.parts import fitted_parts, restored, states_of
from recommender.parallel import in_parallel


class ScoreBlend:
    """The weighted sum of every recommender's scores, each less the mean of the customer's and over their deviation.

    Where ranks keep only the order, standardised scores keep how far ahead an item is; they suit recommenders of
    like shape. An item that a recommender does not know counts there as that customer's lowest score; one that none
    knows is unknown (NaN). ``recommenders`` are names of registered models, or models; ``fit`` fits them all.
    """

    fitted_: tuple[Recommender, ...]

    def __init__(
        self,
        recommenders: Sequence[str | Recommender] = ("graph_filter", "rp3beta"),
        weights: Sequence[float] = (1.0, 0.2),
        seed: int = 0,
    ) -> None:
        self.recommenders = tuple(recommenders)
        self.weights = tuple(weights)
        self.seed = seed

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Fit every recommender; raises what they raise, SettingError where weights do not match."""
        if len(self.weights) != len(self.recommenders) or min(self.weights, default=0.0) <= 0:
            raise SettingError(
                f"weights {list(self.weights)} do not fit {len(self.recommenders)} recommenders; give each one above 0"
            )
        made = [create(one, seed=self.seed) if isinstance(one, str) else one for one in self.recommenders]
        self.fitted_ = tuple(in_parallel(lambda one: one.fit(interactions), made))
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Weighted sums of standardised scores."""
        parts = fitted_parts(self)
        total = np.zeros((len(histories.customers), len(histories.items)), dtype=np.float32)
        is_unknown = np.ones(total.shape, dtype=bool)
        for recommender, weight in zip(parts, self.weights, strict=True):
            scores = recommender.score(histories)
            is_unknown &= np.isnan(scores)
            total += np.float32(weight) * _standardised(scores)
        total[is_unknown] = np.nan
        return total

    def state(self) -> dict[str, Any]:
        """Settings, names and states of the recommenders; raises NotFitted before ``fit``."""
        return {
            "recommenders": states_of(fitted_parts(self)),
            "weights": list(self.weights),
            "seed": self.seed,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The blend that ``state`` was taken from."""
        model = cls([entry["name"] for entry in state["recommenders"]], state["weights"], state["seed"])
        model.fitted_ = restored(state["recommenders"])
        return model


def _standardised(scores: np.ndarray) -> np.ndarray:
    """Rows of mean 0 and deviation 1, unknown scores as the lowest of the row; 0 where all scores are equal."""
    lowest = np.fmin.reduce(scores, axis=1, keepdims=True)
    filled = np.where(np.isnan(scores), np.nan_to_num(lowest), scores)
    filled -= filled.mean(axis=1, keepdims=True)
    spread = filled.std(axis=1, keepdims=True)
    standardised: np.ndarray = np.divide(filled, spread, out=np.zeros_like(filled), where=spread > 0)
    return standardised
