"""Items that stand in the same baskets."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.checks import require_interactions
from recommender.models.co_occurrence import best_of_row, pair_scores
from recommender.models.sparse_arrays import csr_from_state, csr_state
from recommender.models.strongest_products import item_blocks, strongest


class BoughtTogether:
    """What else is in the baskets of an item, more often than by chance (``co_occurrence.pair_scores``).

    A basket is what a customer bought at one instant: order ids are not needed, because the lines of an order share
    their instant, and one customer does not order twice in the same second. Where there are no purchases, what was
    met at one instant; where there are no times, all that a customer bought. Baskets of more than
    ``largest_basket`` items say nothing of any pair and would cost the square of their size. The ``neighbours`` best
    of each item are kept.
    """

    def __init__(
        self,
        neighbours: int = 100,
        shrinkage: float = 50.0,
        popularity_power: float = 0.1,
        largest_basket: int = 200,
    ) -> None:
        self.neighbours = neighbours
        self.shrinkage = shrinkage
        self.popularity_power = popularity_power
        self.largest_basket = largest_basket

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Count the pairs of all baskets; raises NotEnoughData where there is no positive interaction."""
        require_interactions(self, interactions)
        baskets = baskets_of(interactions, self.largest_basket)
        occasions = np.diff(baskets.tocsc().indptr)
        shares = occasions / max(baskets.shape[0], 1)
        columns = baskets.T.tocsr()
        parts = []
        for start, stop in item_blocks(columns, baskets):
            counts = sparse.csr_matrix(columns[start:stop] @ baskets)
            owner = np.repeat(np.arange(start, stop), np.diff(counts.indptr))
            counts.data[counts.indices == owner] = 0.0
            scored = pair_scores(
                counts,
                occasions[start:stop],
                shares,
                shrinkage=self.shrinkage,
                popularity_power=self.popularity_power,
            )
            parts.append(strongest(scored, self.neighbours))
        self.together_: sparse.csr_matrix = sparse.csr_matrix(sparse.vstack(parts, format="csr", dtype=np.float32))
        return self

    def neighbours_of(self, item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions and scores of at most k items bought with the one at a position, best first."""
        if not hasattr(self, "together_"):
            raise NotFitted(self)
        return best_of_row(self.together_, item, k)

    def state(self) -> dict[str, Any]:
        """The settings and the neighbours; raises NotFitted before ``fit``."""
        if not hasattr(self, "together_"):
            raise NotFitted(self)
        return {
            "neighbours": self.neighbours,
            "shrinkage": self.shrinkage,
            "popularity_power": self.popularity_power,
            "largest_basket": self.largest_basket,
            "together": csr_state(self.together_),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        names = ("neighbours", "shrinkage", "popularity_power", "largest_basket")
        model = cls(**{name: state[name] for name in names})
        model.together_ = csr_from_state(state["together"])
        return model


def baskets_of(interactions: InteractionMatrix, largest: int) -> sparse.csr_matrix:
    """Baskets x items with a 1 per item, of at most ``largest`` items.

    Baskets of one item stay: they are occasions at which nothing else was bought.
    """
    chosen = interactions.is_purchase() & (interactions.weights > 0)
    rows, columns, ages = interactions.rows[chosen], interactions.columns[chosen], interactions.age_days[chosen]
    order = np.lexsort((columns, ages, rows))
    rows, columns, ages = rows[order], columns[order], ages[order]
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (rows[1:] != rows[:-1]) | (ages[1:] != ages[:-1])
    basket = np.cumsum(begins) - 1
    distinct = np.ones(len(rows), dtype=bool)
    distinct[1:] = begins[1:] | (columns[1:] != columns[:-1])
    basket, columns = basket[distinct], columns[distinct]
    sizes = np.bincount(basket)
    fits = sizes[basket] <= largest
    places = np.cumsum(sizes <= largest) - 1
    ones = np.ones(int(fits.sum()), dtype=np.float32)
    shape = (int((sizes <= largest).sum()), len(interactions.items))
    return sparse.csr_matrix((ones, (places[basket[fits]], columns[fits])), shape=shape)
