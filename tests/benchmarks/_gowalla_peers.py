"""Libraries beside ours on the same split: factors of implicit and LightFM, lists of RecTools."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from recommender.interaction_matrix import InteractionMatrix
from recommender.randomness import seed_for
from recommender.ranking import best_items

RECTOOLS_SCRIPT = Path(__file__).with_name("_rectools.py")


class Factors:
    """Scores known customers, whose ids are their positions, by products of factors."""

    def __init__(self, customers: np.ndarray, items: np.ndarray) -> None:
        self.customers = customers
        self.items = items

    def score(self, histories: InteractionMatrix) -> np.ndarray:
        rows = np.array(histories.customers.ids(), dtype=np.int64)
        return (self.customers[rows] @ self.items.T).astype(np.float32)


def implicit_als(train: sparse.csr_matrix, seed: int) -> Factors:
    """The library's own factors of customers and items; one fixed setting, not searched as ours was."""
    from implicit.cpu.als import AlternatingLeastSquares

    learner = AlternatingLeastSquares(
        factors=128, regularization=10.0, alpha=10.0, iterations=15, num_threads=1, random_state=seed_for(seed, "als")
    )
    learner.fit(train, show_progress=False)
    return Factors(learner.user_factors, learner.item_factors)


def lightfm_warp(train: sparse.csr_matrix, seed: int) -> Factors:
    """WARP factors without features, biases as further factors."""
    from lightfm import LightFM

    learner = LightFM(
        no_components=64, learning_rate=0.05, loss="warp", max_sampled=30, random_state=seed_for(seed, "lightfm")
    )
    learner.fit(train.tocoo(), epochs=30, num_threads=1)
    customers = np.column_stack([learner.user_embeddings, np.ones(train.shape[0], dtype=np.float32)])
    return Factors(customers, np.column_stack([learner.item_embeddings, learner.item_biases]))


PEERS = {"implicit ALS": implicit_als, "LightFM WARP": lightfm_warp}


def peer_lists(
    name: str, train: sparse.csr_matrix, asked: InteractionMatrix, k: int, seed: int
) -> tuple[np.ndarray, float]:
    """Positions of the k best unmet items of every customer asked for, and the seconds to fit."""
    started = time.perf_counter()
    factors = PEERS[name](train, seed)
    spent = time.perf_counter() - started
    return best_items(factors, asked, k=k)[0], spent


def rectools_lists(python: Path, train: sparse.csr_matrix, k: int) -> dict[str, tuple[np.ndarray, float]]:
    """Positions and seconds to fit of each RecTools model, made by the interpreter of another environment."""
    with tempfile.TemporaryDirectory() as folder:
        split, lists = Path(folder) / "train.npz", Path(folder) / "lists.npz"
        pairs = train.tocoo()
        np.savez(split, rows=pairs.row, columns=pairs.col)
        subprocess.run([python, RECTOOLS_SCRIPT, split, lists, str(k)], check=True)
        with np.load(lists) as found:
            names = sorted({key.rpartition(":")[0] for key in found.files})
            return {name: (found[f"{name}:positions"], float(found[f"{name}:seconds"])) for name in names}
