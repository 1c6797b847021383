"""Gradient-boosted trees, kept as the text of LightGBM."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TreeSettings:
    """How the trees are grown; ``num_threads`` is part of the answer, so it is fixed.

    ``objective`` is one of LightGBM's: ``binary`` (log loss), ``tweedie`` (of power 1.5), ``gamma``.
    """

    objective: str = "binary"
    tree_count: int = 150
    learning_rate: float = 0.05
    leaves: int = 15
    min_child_rows: int = 60
    l2: float = 5.0
    column_share: float = 1.0
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
            "max_bin": self.bins,
            "num_threads": self.num_threads,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }


class BoostedTrees:
    """Fitted trees; the booster is loaded from its text on first use, once for all threads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lock = threading.Lock()
        self._booster: Any = None

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
        booster = lightgbm.train(settings.parameters(), data, num_boost_round=settings.tree_count)
        return cls(booster.model_to_string())

    def log_odds(self, numbers: np.ndarray) -> np.ndarray:
        """Log-odds of each row."""
        if not len(numbers):
            return np.zeros(0)
        return np.asarray(self._loaded().predict(numbers, raw_score=True, num_threads=1))

    def means(self, numbers: np.ndarray) -> np.ndarray:
        """Expected outcome of each row: for a log loss the probability."""
        if not len(numbers):
            return np.zeros(0)
        return np.asarray(self._loaded().predict(numbers, num_threads=1))

    def contributions(self, numbers: np.ndarray) -> np.ndarray:
        """Rows x (columns + 1): what each column adds to the log-odds (TreeSHAP), the last is the base."""
        if not len(numbers):
            return np.zeros((0, numbers.shape[1] + 1))
        return np.asarray(self._loaded().predict(numbers, pred_contrib=True, num_threads=1))

    def gains(self) -> np.ndarray:
        """What each column brought to the fit: the summed gain of its splits."""
        return np.asarray(self._loaded().feature_importance("gain"))

    def _loaded(self) -> Any:
        with self._lock:
            if self._booster is None:
                import lightgbm

                self._booster = lightgbm.Booster(model_str=self.text)
            return self._booster
