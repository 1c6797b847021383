"""Libraries beside ours on the same split: factors of implicit and LightFM, lists of RecTools.

Each has one fixed setting, near the defaults of its library, that was not searched as ours were.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import numpy as np
from scipy import sparse

from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.randomness import seed_for

RECTOOLS_SCRIPT = Path(__file__).with_name("_rectools.py")

Factors = tuple[np.ndarray, np.ndarray]


class FactorLibrary:
    """A library's factors of customers and items as a recommender of the customers that it was fitted on."""

    def __init__(self, learned: Callable[[sparse.csr_matrix, int], Factors], seed: int) -> None:
        self.learned = learned
        self.seed = seed

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Hand the summed weights of customers and items to the library."""
        self.known = interactions.customers
        self.customers, self.items = self.learned(interactions.counts(), self.seed)
        return self

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        """Products of the factors."""
        rows = self.known.positions(histories.customers.ids())
        scores: np.ndarray = (self.customers[rows] @ self.items.T).astype(np.float32)
        return scores


def implicit_als(train: sparse.csr_matrix, seed: int) -> Factors:
    """The library's own factors of customers and items."""
    from implicit.cpu.als import AlternatingLeastSquares

    learner = AlternatingLeastSquares(
        factors=128, regularization=10.0, alpha=10.0, iterations=15, num_threads=1, random_state=seed_for(seed, "als")
    )
    learner.fit(train, show_progress=False)
    return learner.user_factors, learner.item_factors


def lightfm_warp(train: sparse.csr_matrix, seed: int) -> Factors:
    """WARP factors without features, biases as further factors."""
    from lightfm import LightFM

    learner = LightFM(
        no_components=64, learning_rate=0.05, loss="warp", max_sampled=30, random_state=seed_for(seed, "lightfm")
    )
    learner.fit(train.tocoo(), epochs=30, num_threads=1)
    customers = np.column_stack([learner.user_embeddings, np.ones(train.shape[0], dtype=np.float32)])
    return customers, np.column_stack([learner.item_embeddings, learner.item_biases])


def peers(seed: int) -> Mapping[str, Recommender]:
    """The other libraries by name, not yet fitted."""
    learners = {"implicit ALS": implicit_als, "LightFM WARP": lightfm_warp}
    return {name: FactorLibrary(learned, seed) for name, learned in learners.items()}


def rectools_lists(
    python: Path, train: sparse.csr_matrix, k: int
) -> dict[str, tuple[Mapping[bool, np.ndarray], float]]:
    """By RecTools model the lists and the seconds to fit, made by the interpreter of another environment.

    Lists are positions of the k best items of every customer of the matrix, with (False) and without (True) what the
    customer met.
    """
    with tempfile.TemporaryDirectory() as folder:
        split, lists = Path(folder) / "train.npz", Path(folder) / "lists.npz"
        pairs = train.tocoo()
        np.savez(split, rows=pairs.row, columns=pairs.col, weights=pairs.data)
        subprocess.run([python, RECTOOLS_SCRIPT, split, lists, str(k)], check=True)
        with np.load(lists) as found:
            names = sorted({key.rpartition(":")[0] for key in found.files})
            return {
                name: (
                    {
                        is_new: _of_everybody(found[f"{name}:{slate}"], train.shape[0])
                        for is_new, slate in ((False, "all"), (True, "new"))
                    },
                    float(found[f"{name}:seconds"]),
                )
                for name in names
            }


def _of_everybody(positions: np.ndarray, customers: int) -> np.ndarray:
    """The lists with empty ones for the last customers, who may have no pair."""
    return np.pad(positions, ((0, customers - len(positions)), (0, 0)), constant_values=-1)
