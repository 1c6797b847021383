"""Gradient-boosted trees, grown once or several times and averaged, kept as texts of LightGBM."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TreeSettings:
    """How the trees are grown; ``num_threads`` is part of the answer, so it is fixed.

    ``column_share`` of the columns is drawn for each tree, ``split_column_share`` of those for each split. The log-odds
    of ``repeats`` boostings with seeds of their own are averaged.

    ``objective`` is one of LightGBM's: ``binary`` (log loss), ``tweedie`` (of power 1.5), ``gamma``.
    """

    objective: str = "binary"
    tree_count: int = 150
    learning_rate: float = 0.05
    leaves: int = 15
    min_child_rows: int = 60
    l2: float = 5.0
    column_share: float = 1.0
    split_column_share: float = 1.0
    repeats: int = 1
    bins: int = 255
    num_threads: int = 1
    seed: int = 0

    def parameters(self) -> dict[str, Any]:
        """The settings in the words of LightGBM."""
        return {
            "objective": self.objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_child_samples": self.min_child_rows,
            "lambda_l2": self.l2,
            "feature_fraction": self.column_share,
            "feature_fraction_bynode": self.split_column_share,
            "max_bin": self.bins,
            "num_threads": self.num_threads,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }


class BoostedTrees:
    """Fitted trees; the boosters are loaded from their texts on first use, once for all threads."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self._lock = threading.Lock()
        self._boosters: list[Any] = []

    @classmethod
    def fit(
        cls,
        numbers: np.ndarray,
        outcomes: np.ndarray,
        settings: TreeSettings,
        *,
        weights: np.ndarray | None = None,
        categorical_positions: list[int] | None = None,
    ) -> BoostedTrees:
        """Grow trees on rows x columns; NaN is missing, categorical columns hold codes."""
        import lightgbm

        data = lightgbm.Dataset(
            numbers,
            label=outcomes.astype(np.float64),
            weight=weights,
            categorical_feature=categorical_positions or [],
            params=settings.parameters(),
            free_raw_data=True,
        )
        texts = []
        for repeat in range(settings.repeats):
            # The data are binned once; only what is drawn while growing differs.
            drawn = {"feature_fraction_seed": 1000 * settings.seed + repeat} if repeat else {}
            parameters = settings.parameters() | drawn
            booster = lightgbm.train(parameters, data, num_boost_round=settings.tree_count)
            texts.append(booster.model_to_string())
        return cls(texts)

    def log_odds(self, numbers: np.ndarray) -> np.ndarray:
        """Log-odds of each row."""
        if not len(numbers):
            return np.zeros(0)
        return _mean([one.predict(numbers, raw_score=True, num_threads=1) for one in self._loaded()])

    def means(self, numbers: np.ndarray) -> np.ndarray:
        """Expected outcome of each row: for a log loss the probability."""
        if not len(numbers):
            return np.zeros(0)
        return _mean([one.predict(numbers, num_threads=1) for one in self._loaded()])

    def contributions(self, numbers: np.ndarray) -> np.ndarray:
        """Rows x (columns + 1): what each column adds to the log-odds (TreeSHAP), the last is the base."""
        if not len(numbers):
            return np.zeros((0, numbers.shape[1] + 1))
        return _mean([one.predict(numbers, pred_contrib=True, num_threads=1) for one in self._loaded()])

    def gains(self) -> np.ndarray:
        """What each column brought to the fit: the summed gain of its splits."""
        return _mean([one.feature_importance("gain") for one in self._loaded()])

    def _loaded(self) -> list[Any]:
        with self._lock:
            if not self._boosters:
                import lightgbm

                self._boosters = [lightgbm.Booster(model_str=text) for text in self.texts]
            return self._boosters


def _mean(found: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(np.mean(found, axis=0))
