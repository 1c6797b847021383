"""Several recommenders as one."""

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

_LOWEST_KEY = -0x7F7FFFFF  # of the lowest finite float32


class Blend:
    """The items that the first recommender knows, in its order, then those that only the next one knows, and so on.

    So a customer who bought three items still gets a full list. The first recommender's scores are kept as they are;
    scores of a later one are moved below them, where needed, without changing their order: only order counts.
    ``recommenders`` are names of registered models, or models; ``fit`` fits them all.
    """

    def __init__(
        self, recommenders: Sequence[str | Recommender] = ("personal_frequency", "popularity"), seed: int = 0
    ) -> None:
        self.recommenders = tuple(recommenders)
        self.seed = seed

    @classmethod
    def of_fitted(cls, recommenders: Sequence[Recommender]) -> Self:
        """A blend of recommenders that are fitted already, on the same items."""
        model = cls(recommenders)
        model.fitted_ = tuple(recommenders)
        return model

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Fit every recommender; raises what they raise, SettingError where there is none."""
        self.fitted_: tuple[Recommender, ...] = _fit_all(self.recommenders, interactions, self.seed)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Scores whose order is that of the recommenders, one after the other."""
        first, *others = fitted_parts(self)
        scores: np.ndarray = first.score(histories) + np.float32(0.0)
        for other in others:
            _fill_below(scores, other.score(histories))
        return scores

    def state(self) -> dict[str, Any]:
        """Names and states of the recommenders; raises NotFitted before ``fit``."""
        return {"recommenders": states_of(fitted_parts(self)), "seed": self.seed}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The blend that ``state`` was taken from."""
        model = cls([entry["name"] for entry in state["recommenders"]], seed=state["seed"])
        model.fitted_ = restored(state["recommenders"])
        return model


class RankBlend:
    """The weighted sum of ``1 / (damping + rank)`` over recommenders, whatever the scale of their scores.

    A recommender's ranks count down to ``depth``; of equal scores all have the best rank. An item that no
    recommender has so far up is unknown (NaN). Reciprocal rank fusion of Cormack, Clarke and Buettcher (2009), whose
    damping is 60.
    """

    def __init__(
        self,
        recommenders: Sequence[str | Recommender] = ("personal_frequency", "popularity"),
        weights: Sequence[float] | None = None,
        damping: float = 60.0,
        depth: int = 500,
        seed: int = 0,
    ) -> None:
        self.recommenders = tuple(recommenders)
        self.weights = weights
        self.damping = damping
        self.depth = depth
        self.seed = seed

    @classmethod
    def of_fitted(cls, recommenders: Sequence[Recommender], weights: Sequence[float] | None = None) -> Self:
        """A blend of recommenders that are fitted already, on the same items."""
        model = cls(recommenders, weights)
        model.weights_ = _weights(weights, len(recommenders))
        model.fitted_ = tuple(recommenders)
        return model

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Fit every recommender; raises what they raise, SettingError where weights do not match."""
        self.weights_ = _weights(self.weights, len(self.recommenders))
        self.fitted_: tuple[Recommender, ...] = _fit_all(self.recommenders, interactions, self.seed)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Weighted sums of reciprocal ranks."""
        fitted = fitted_parts(self)
        total = np.zeros((len(histories.customers), len(histories.items)), dtype=np.float32)
        for recommender, weight in zip(fitted, self.weights_, strict=True):
            for row, values in enumerate(recommender.score(histories)):
                places, ranks = _ranks(values, self.depth)
                total[row, places] += weight / (self.damping + ranks)
        total[total == 0] = np.nan
        return total

    def state(self) -> dict[str, Any]:
        """Settings, names and states of the recommenders; raises NotFitted before ``fit``."""
        return {
            "recommenders": states_of(fitted_parts(self)),
            "weights": list(self.weights_),
            "damping": self.damping,
            "depth": self.depth,
            "seed": self.seed,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The blend that ``state`` was taken from."""
        names = [entry["name"] for entry in state["recommenders"]]
        model = cls(names, state["weights"], state["damping"], state["depth"], state["seed"])
        model.weights_ = tuple(state["weights"])
        model.fitted_ = restored(state["recommenders"])
        return model


def _fit_all(
    recommenders: Sequence[str | Recommender], interactions: InteractionMatrix, seed: int
) -> tuple[Recommender, ...]:
    if not recommenders:
        raise SettingError("a blend of no recommenders has nothing to say; name at least one")
    made = [create(one, seed=seed) if isinstance(one, str) else one for one in recommenders]
    return tuple(in_parallel(lambda one: one.fit(interactions), made))


def _weights(weights: Sequence[float] | None, count: int) -> tuple[float, ...]:
    if weights is None:
        return (1.0,) * count
    if len(weights) != count or min(weights) <= 0:
        raise SettingError(f"weights {list(weights)} do not fit {count} recommenders; give each one above 0")
    return tuple(float(weight) for weight in weights)


def _fill_below(scores: np.ndarray, others: np.ndarray) -> None:
    """Give items without a score those of the others, moved below the lowest score of the row.

    Finite floats of one width are ordered as their bits are, read as integers. A shift of these integers keeps the
    order and the distinctness of all scores exactly, which no subtraction of floats would.
    """
    for row, other in zip(scores, others, strict=True):
        is_filled = np.isnan(row)
        floor = np.fmin.reduce(row)
        filling = np.where(is_filled, other, np.float32(np.nan))
        if not np.isnan(floor):
            filling = _below(filling, floor)
        np.copyto(row, filling, where=is_filled)


def _below(values: np.ndarray, floor: np.float32) -> np.ndarray:
    """The values in their order, all below the floor; moved no further than needed, NaN where they are."""
    highest, lowest = np.fmax.reduce(values), np.fmin.reduce(values)
    if np.isnan(highest) or highest < floor:
        return values
    edges = np.array([floor, highest, lowest], dtype=np.float32)
    floor_key, highest_key, lowest_key = map(int, _keys(edges))
    shift = floor_key - 1 - highest_key
    if shift < -(2**31) or lowest_key + shift < _LOWEST_KEY:
        moved = _ranked_below(values, floor_key)
    else:
        # The keys of NaN may wrap around; they are blanked again.
        moved = _scores(_keys(values) + np.int32(shift))
    np.copyto(moved, values, where=np.isnan(values))
    return moved


def _ranked_below(values: np.ndarray, floor_key: int) -> np.ndarray:
    """Values that span nearly all floats: their ranks need no more room than there are items."""
    distinct, ranks = np.unique(_keys(values), return_inverse=True)
    return _scores((ranks + (floor_key - len(distinct))).astype(np.int32))


def _keys(scores: np.ndarray) -> np.ndarray:
    """Integers in the order of the scores, equal where these are equal, neighbours where these are."""
    bits = scores.view(np.int32)
    sign = bits >> 31
    return ((bits & np.int32(0x7FFFFFFF)) ^ sign) - sign


def _scores(keys: np.ndarray) -> np.ndarray:
    """The scores that ``_keys`` turned into the keys."""
    sign = keys >> 31
    bits: np.ndarray = ((keys ^ sign) - sign) | (sign << 31)
    return bits.view(np.float32)


def _ranks(values: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the known values down to the depth, and their ranks; equal values share the best."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) > depth:
        bound = np.partition(values[known], len(known) - depth)[len(known) - depth]
        known = known[values[known] >= bound]
    falling = np.sort(-values[known])
    return known, 1 + np.searchsorted(falling, -values[known], side="left")
