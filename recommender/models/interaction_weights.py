"""How much a customer's interactions with an item say, for models that learn from products of such weights."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recommender.errors import UnknownName
from recommender.interaction_matrix import InteractionMatrix

WEIGHTINGS = ("damped", "binary")


def learning_weights(interactions: InteractionMatrix, weighting: str) -> sparse.csr_matrix:
    """Weights to fit on, by customer and item, whatever their age; raises UnknownName for another weighting.

    ``damped`` is ``log2(1 + summed weights)``, so that one purchase says 1; ``binary`` is 1 for every positive sum.
    """
    return _weigh(interactions.counts(), weighting)


def history_weights(histories: InteractionMatrix, weighting: str, tau_days: float) -> sparse.csr_matrix:
    """Weights of what the customers to score met, where damped lately more than long ago: ``exp(-age / tau_days)``."""
    return _weigh(histories.decayed(tau_days), weighting)


def _weigh(sums: sparse.csr_matrix, weighting: str) -> sparse.csr_matrix:
    if weighting not in WEIGHTINGS:
        raise UnknownName("weighting", weighting, WEIGHTINGS)
    if weighting == "binary":
        sums.data[:] = 1.0
    else:
        sums.data[:] = np.log1p(sums.data) / np.float32(np.log(2.0))
    return sums
