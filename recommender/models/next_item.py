"""What comes next in a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from recommender.errors import NotEnoughData, NotFitted
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.co_occurrence import best_of_row, pair_scores
from recommender.models.sparse_arrays import csr_from_state, csr_state
from recommender.models.strongest_products import strongest
from recommender.randomness import rng_for

# Events that are turned into pairs at once; bounds the memory of ``fit``.
_BLOCK_EVENTS = 1_000_000


@dataclass(frozen=True)
class Sequences:
    """Events of customers and of anonymous sessions as parallel arrays: whose (a number), which item, how old.

    ``columns`` are positions of ``item_count`` items, ``age_days`` as in InteractionMatrix.
    """

    owners: np.ndarray
    columns: np.ndarray
    age_days: np.ndarray
    item_count: int

    @classmethod
    def of(cls, interactions: InteractionMatrix) -> Sequences:
        """The events of customers that speak for an item."""
        chosen = interactions.weights > 0
        arrays = (interactions.rows[chosen], interactions.columns[chosen], interactions.age_days[chosen])
        return cls(*arrays, len(interactions.items))

    def joined(self, other: Sequences) -> Sequences:
        """Both, as different owners."""
        first = int(self.owners.max(initial=-1)) + 1
        owners = np.concatenate([self.owners.astype(np.int64), other.owners.astype(np.int64) + first])
        columns = np.concatenate([self.columns, other.columns])
        return Sequences(owners, columns, np.concatenate([self.age_days, other.age_days]), self.item_count)

    def earlier(self, days: float) -> Sequences:
        """The same as it was so many days before: what happened since is taken away, ages are less."""
        kept = self.age_days > days
        return Sequences(self.owners[kept], self.columns[kept], self.age_days[kept] - days, self.item_count)

    def newest(self, count: int) -> Sequences:
        """The ``count`` newest events."""
        if len(self.age_days) <= count:
            return self
        kept = np.argsort(self.age_days, kind="stable")[:count]
        return Sequences(self.owners[kept], self.columns[kept], self.age_days[kept], self.item_count)


def sessions_of(sequences: Sequences, largest: int = 200) -> sparse.csr_matrix:
    """Sessions x items with a 1 for each item met, of at most ``largest`` items.

    What an owner did on one day, counted back from the cutoff, is a session: robots meet more items than tell.
    """
    days = np.floor(sequences.age_days).astype(np.int64)
    keys = sequences.owners.astype(np.int64) * (int(days.max(initial=0)) + 1) + days
    _, sessions = np.unique(keys, return_inverse=True)
    shape = (int(sessions.max(initial=-1)) + 1, sequences.item_count)
    ones = np.ones(len(sessions), dtype=np.float32)
    met = sparse.csr_matrix((ones, (sessions, sequences.columns)), shape=shape)
    met.data[:] = 1.0
    return sparse.csr_matrix(met[np.diff(met.indptr) <= largest])


class NextItem:
    """Scores what follows what: pairs of events of one owner at most ``reach`` places and ``window_days`` apart.

    The n-th event after another counts ``decay ** (n - 1)``. Events at one instant have no order: each follows each.
    Sums become scores with ``co_occurrence.pair_scores``. Only the newest ``most_events`` events are looked at. The
    ``neighbours`` best of each item are kept.
    """

    def __init__(
        self,
        seed: int = 0,
        neighbours: int = 100,
        reach: int = 5,
        decay: float = 0.8,
        window_days: float = 1.0,
        shrinkage: float = 20.0,
        popularity_power: float = 0.1,
        most_events: int = 10_000_000,
    ) -> None:
        self.seed = seed
        self.neighbours = neighbours
        self.reach = reach
        self.decay = decay
        self.window_days = window_days
        self.shrinkage = shrinkage
        self.popularity_power = popularity_power
        self.most_events = most_events

    def fit(self, sequences: Sequences) -> Self:
        """Sum the transitions; raises NotEnoughData where there is no event."""
        if not len(sequences.columns):
            raise NotEnoughData("NextItem needs at least one event; ingest interactions or order_lines")
        ordered = self._ordered(sequences)
        sums = sparse.csr_matrix((sequences.item_count, sequences.item_count), dtype=np.float64)
        for start in range(0, len(ordered.columns), _BLOCK_EVENTS):
            # The last events of a block are followed by the first of the next.
            sums = sums + self._transitions(ordered, start, start + _BLOCK_EVENTS)
        occasions = np.asarray(sums.sum(axis=1)).ravel()
        total = max(float(occasions.sum()), 1e-12)
        scored = pair_scores(
            sums,
            occasions,
            np.asarray(sums.sum(axis=0)).ravel() / total,
            shrinkage=self.shrinkage,
            popularity_power=self.popularity_power,
            total=total,
        )
        self.followers_: sparse.csr_matrix = strongest(scored, self.neighbours)
        return self

    def _ordered(self, sequences: Sequences) -> Sequences:
        """Oldest first within an owner; of events at one instant in an order drawn by chance, equal ones once."""
        newest = sequences.newest(self.most_events)
        owners, columns, ages = newest.owners, newest.columns, newest.age_days
        order = np.lexsort((columns, -ages, owners))
        owners, columns, ages = owners[order], columns[order], ages[order]
        is_new = np.ones(len(owners), dtype=bool)
        is_new[1:] = (owners[1:] != owners[:-1]) | (columns[1:] != columns[:-1]) | (ages[1:] != ages[:-1])
        owners, columns, ages = owners[is_new], columns[is_new], ages[is_new]
        # In the order of the catalogue, neighbours in the alphabet would seem to follow each other.
        drawn = rng_for(self.seed, "order of simultaneous events").random(len(owners))
        order = np.lexsort((drawn, -ages, owners))
        return Sequences(owners[order], columns[order], ages[order], sequences.item_count)

    def _transitions(self, ordered: Sequences, start: int, stop: int) -> sparse.csr_matrix:
        shape = (ordered.item_count, ordered.item_count)
        sums = sparse.csr_matrix(shape, dtype=np.float64)
        for distance in range(1, self.reach + 1):
            before = np.arange(start, max(start, min(stop, len(ordered.columns) - distance)))
            after = before + distance
            elapsed = ordered.age_days[before] - ordered.age_days[after]
            one, other = ordered.columns[before], ordered.columns[after]
            linked = (ordered.owners[before] == ordered.owners[after]) & (elapsed <= self.window_days) & (one != other)
            together = linked & (elapsed == 0)
            rows = np.concatenate([one[linked], other[together]])
            columns = np.concatenate([other[linked], one[together]])
            values = np.full(len(rows), self.decay ** (distance - 1))
            sums = sums + sparse.csr_matrix((values, (rows, columns)), shape=shape)
        return sums

    def neighbours_of(self, item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions and scores of at most k items that follow the one at a position, best first."""
        if not hasattr(self, "followers_"):
            raise NotFitted(self)
        return best_of_row(self.followers_, item, k)

    def state(self) -> dict[str, Any]:
        """The settings and the followers; raises NotFitted before ``fit``."""
        if not hasattr(self, "followers_"):
            raise NotFitted(self)
        return {**{name: getattr(self, name) for name in _SETTINGS}, "followers": csr_state(self.followers_)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The model that ``state`` was taken from."""
        model = cls(**{name: state[name] for name in _SETTINGS})
        model.followers_ = csr_from_state(state["followers"])
        return model


_SETTINGS = ("seed", "neighbours", "reach", "decay", "window_days", "shrinkage", "popularity_power", "most_events")
