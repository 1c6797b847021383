"""The first stage: which items are worth ranking for a customer, and all that is known of each such pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.models.item_facts import ItemFacts, purchase_groups
from recommender.models.pair_features import PairFeatures
from recommender.models.parts import restored, states_of
from recommender.parallel import in_parallel
from recommender.top_items import top_items

# The customer's own items by decayed frequency, and of every generator the best that the customer never bought.
OWN_DEPTH, OWN_TAU_DAYS = 250, 120.0
NEW_DEPTH = 30


@dataclass(frozen=True)
class Pairs:
    """Customers and items worth ranking: parallel positions, and features by name."""

    rows: np.ndarray
    columns: np.ndarray
    features: Mapping[str, np.ndarray]

    def matrix(self, names: tuple[str, ...]) -> np.ndarray:
        """The features named as a matrix; one that was not computed is missing (NaN)."""
        missing = np.full(len(self.rows), np.nan, dtype=np.float32)
        return np.column_stack([self.features.get(name, missing) for name in names]).astype(np.float32, copy=False)


@dataclass(frozen=True)
class CandidateSource:
    """Fitted generators by name, and the facts of all items as of the same instant."""

    generators: Mapping[str, Recommender]
    facts: ItemFacts

    @classmethod
    def of_fitted(cls, generators: Mapping[str, Recommender], interactions: InteractionMatrix) -> CandidateSource:
        """A source of generators that are fitted on the interactions given."""
        return cls(generators, ItemFacts.of(interactions, purchase_groups(interactions)))

    def pairs(self, block: InteractionMatrix) -> Pairs:
        """The candidates of a block of customers, by customer and item, with their features."""
        scores = {name: one.score(block) for name, one in self.generators.items()}
        is_bought = block.seen().toarray() > 0
        is_candidate = _marked(block.decayed(OWN_TAU_DAYS).toarray(), OWN_DEPTH, above=0.0)
        best_new = {}
        for name, values in scores.items():
            unseen = np.where(is_bought, np.nan, values)
            is_candidate |= _marked(unseen, NEW_DEPTH)
            best_new[name] = np.fmax.reduce(unseen, axis=1, initial=np.nan)
        rows, columns = np.nonzero(is_candidate)
        features = PairFeatures.of(block, self.facts).at(rows, columns)
        for name, values in scores.items():
            found = values[rows, columns]
            features[f"{name}_score"] = found
            with np.errstate(divide="ignore", invalid="ignore"):
                features[f"{name}_score_to_best_new"] = found / np.maximum(np.abs(best_new[name][rows]), 1e-9)
        return Pairs(rows, columns, features)

    def blocks(self, histories: InteractionMatrix) -> Iterator[tuple[int, Pairs]]:
        """First position and candidates of one block of customers after the other, on all cores."""
        ordered = histories.by_customer()
        return in_parallel(
            lambda rows: (rows.start, self.pairs(ordered.of_range(rows.start, rows.stop))), histories.blocks()
        )

    def state(self) -> dict[str, Any]:
        """Names and states of the generators, and the facts."""
        return {
            "names": list(self.generators),
            "generators": states_of(tuple(self.generators.values())),
            "facts": self.facts.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> CandidateSource:
        """The source that ``state`` was taken from."""
        generators = dict(zip(state["names"], restored(state["generators"]), strict=True))
        return cls(generators, ItemFacts.from_state(state["facts"]))


def _marked(scores: np.ndarray, depth: int, above: float = -np.inf) -> np.ndarray:
    """True at the ``depth`` best known scores of each row that lie above a value."""
    positions, best = top_items(scores, min(depth, scores.shape[1]))
    marks = np.zeros(scores.shape, dtype=bool)
    rows, ranks = np.nonzero((positions >= 0) & (best > above))
    marks[rows, positions[rows, ranks]] = True
    return marks
