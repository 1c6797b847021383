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

# So many of the items expected most are looked at for each item.
UNSEEN = 30


class BoughtTogether:
    """What else is in the baskets of an item, with which probability (``co_occurrence.pair_scores``).

    A basket is what a customer bought at one instant: order ids are not needed, because the lines of an order share
    their instant, and one customer does not order twice in the same second. Where there are no purchases, what was
    met at one instant; where there are no times, all that a customer bought. Baskets of more than
    ``largest_basket`` items say nothing of any pair and would cost the square of their size. The ``neighbours`` best
    of each item are kept.

    An item of few baskets is taken to be in baskets like those of all lines, ``shrinkage`` of them: the larger a
    basket, the more lines it has, so these hold more than a basket drawn by chance. What never stood in a basket
    with the item, and is yet more probable there than in any basket, is kept apart (``expected_of``): nothing was
    seen that would be evidence of it.
    """

    def __init__(
        self,
        neighbours: int = 100,
        shrinkage: float = 20.0,
        popularity_power: float = 0.0,
        largest_basket: int = 200,
    ) -> None:
        self.neighbours = neighbours
        self.shrinkage = shrinkage
        self.popularity_power = popularity_power
        self.largest_basket = largest_basket

    def fit(self, interactions: InteractionMatrix) -> Self:
        """Count the pairs of all baskets; raises NotEnoughData where there is no positive interaction."""
        require_interactions(self, interactions)
        return self.fit_baskets(baskets_of(interactions, self.largest_basket))

    def fit_baskets(self, baskets: sparse.csr_matrix) -> Self:
        """Count the pairs of baskets x items, a 1 per item of a basket."""
        occasions = np.diff(baskets.tocsc().indptr)
        shares = occasions / max(baskets.shape[0], 1)
        expected = _expected_shares(baskets)
        columns = baskets.T.tocsr()
        together, unseen = [], []
        for start, stop in item_blocks(columns, baskets):
            counts = sparse.csr_matrix(columns[start:stop] @ baskets)
            unseen.append(self._unseen(counts, occasions[start:stop], shares, expected))
            owner = np.repeat(np.arange(start, stop), np.diff(counts.indptr))
            counts.data[counts.indices == owner] = 0.0
            scored = pair_scores(
                counts,
                occasions[start:stop],
                shares,
                shrinkage=self.shrinkage,
                popularity_power=self.popularity_power,
                total=baskets.shape[0],
                expected=expected,
            )
            together.append(strongest(scored, self.neighbours))
        self.together_: sparse.csr_matrix = sparse.csr_matrix(sparse.vstack(together, format="csr", dtype=np.float32))
        self.unseen_: sparse.csr_matrix = sparse.csr_matrix(sparse.vstack(unseen, format="csr", dtype=np.float32))
        return self

    def _unseen(
        self, counts: sparse.csr_matrix, occasions: np.ndarray, shares: np.ndarray, expected: np.ndarray
    ) -> sparse.csr_matrix:
        """Of the items expected most those that an item never met, where they are more probable than by chance."""
        top = np.argsort(-expected, kind="stable")[:UNSEEN]
        probable = np.outer(self.shrinkage / (occasions + self.shrinkage), expected[top])
        # The item itself is counted as met: it stands in all of its baskets.
        is_more = (counts[:, top].toarray() == 0) & (probable > shares[top]) & (occasions > 0)[:, None]
        rows, places = np.nonzero(is_more)
        values = probable[rows, places] / np.maximum(shares[top][places], 1e-12) ** self.popularity_power
        return sparse.csr_matrix((values, (rows, top[places])), shape=counts.shape)

    def neighbours_of(self, item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions and scores of at most k items bought with the one at a position, best first."""
        if not hasattr(self, "together_"):
            raise NotFitted(self)
        return best_of_row(self.together_, item, k)

    def expected_of(self, item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions and scores of at most k items expected in the baskets of one though none was seen there."""
        if not hasattr(self, "unseen_"):
            raise NotFitted(self)
        return best_of_row(self.unseen_, item, k)

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
            "unseen": csr_state(self.unseen_),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        names = ("neighbours", "shrinkage", "popularity_power", "largest_basket")
        model = cls(**{name: state[name] for name in names})
        model.together_ = csr_from_state(state["together"])
        model.unseen_ = csr_from_state(state["unseen"])
        return model


def _expected_shares(baskets: sparse.csr_matrix) -> np.ndarray:
    """By item: the probability that the basket of a line drawn from all has it beside that line."""
    sizes = np.diff(baskets.indptr).astype(np.float64)
    others = np.maximum(sizes - 1.0, 0.0)
    shares: np.ndarray = (baskets.T @ others) / max(sizes.sum(), 1.0)
    return shares


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
