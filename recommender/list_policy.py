"""What a list must keep to: small pure functions from candidates to the list that is shown, in one stated order.

1. What may not be shown goes: it cannot be sold, is excluded, does not pass a filter, or was found to be bought again
   though the shop says that it is not used up.
2. What lies below the relevance floor goes.
3. What was shown lately moves down; boosts and buries move what their filters name.
4. One item of each product group, never one twice; bought items keep to their share of the places.
5. The places are taken in that order, spread over categories where diversity is asked for; where the strategy finds
   too little, the next one goes on. Of what is bought again the due goes before the rest.
6. Places for exploration go to new items, drawn at random.
7. Pins go where they belong.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from recommender.item_lists import Candidate, ItemRows, due_first, is_sellable, may_repeat, spread

PINNED = "pinned"
# So many candidates beyond the free places are looked up at once, because some cannot be shown.
SPARE = 10
Allows = Callable[[str, Mapping[str, Any] | None], bool]


@dataclass(frozen=True)
class Move:
    """Lift the items that ``names`` tells by ``weight`` of the way up (above 0) or down (below 0)."""

    names: Allows
    weight: float


@dataclass(frozen=True)
class ListPolicy:
    """What one list must keep to; ``at`` is the instant at which it is shown: see ``shown_at``.

    Where it is not ``is_filled``, later strategies are asked only if the earlier ones found nothing to show.
    ``beside`` names the items of the page: neither they nor other variants of their products are shown. ``shown`` tells
    for items shown lately how often, each time the less the longer ago it was. ``bought`` holds what the customer ever
    bought, ``pins`` items with their places from 1. ``seed`` decides what is drawn.
    """

    limit: int
    at: datetime
    seed: str = ""
    is_filled: bool = True
    diversity: float = 0.0
    min_relevance: float = 0.0
    new_share: float = 0.0
    exploration_share: float = 0.0
    rotation: float = 0.0
    excluded: frozenset[str] = frozenset()
    beside: tuple[str, ...] = ()
    bought: frozenset[str] = frozenset()
    shown: Mapping[str, float] = field(default_factory=dict)
    filters: tuple[Allows, ...] = ()
    moves: tuple[Move, ...] = ()
    pins: tuple[tuple[int, str], ...] = ()

    def may_show(self, item_id: str, row: Mapping[str, Any] | None) -> bool:
        """Whether an item may stand in the list at all."""
        return (
            item_id not in self.excluded
            and is_sellable(row, self.at)
            and all(allows(item_id, row) for allows in self.filters)
        )

    @property
    def bought_at_most(self) -> int:
        """How many places may go to items that the customer bought before."""
        # Rounded first: 0.3 of 10 places are 3, though the product is a little more.
        return self.limit - math.ceil(round(self.new_share * self.limit, 9))


def shown_at(now: datetime, known_until: datetime | None) -> datetime:
    """When a list is shown, which decides what can be sold: now, but never before what its answer knows."""
    return now if known_until is None else max(now, known_until)


class Rows:
    """Rows of items, read once each and only when they are asked for."""

    def __init__(self, source: Callable[[list[str]], ItemRows]) -> None:
        self._source = source
        self._asked: set[str] = set()
        self.found: dict[str, Mapping[str, Any]] = {}

    def read(self, item_ids: Sequence[str]) -> None:
        """Read the rows of the items that were not read yet."""
        missing = [one for one in dict.fromkeys(item_ids) if one not in self._asked]
        if missing:
            self._asked.update(missing)
            self.found |= self._source(missing)


@dataclass
class _Places:
    """The list as it fills: what was taken, of which groups, and how many bought items still fit."""

    policy: ListPolicy
    rows: Rows
    bought_left: int
    taken: list[Candidate] = field(default_factory=list)
    groups: set[Any] = field(default_factory=set)

    def is_free(self, candidate: Candidate) -> bool:
        """Whether a candidate may be taken."""
        row = self.rows.found.get(candidate.item_id)
        return (
            self.groups_of(candidate.item_id).isdisjoint(self.groups)
            and self.policy.may_show(candidate.item_id, row)
            and may_repeat(candidate, row)
            and (self.bought_left > 0 or candidate.item_id not in self.policy.bought)
        )

    def take(self, candidate: Candidate) -> None:
        """Give the next place to a candidate."""
        self.groups |= self.groups_of(candidate.item_id)
        self.bought_left -= candidate.item_id in self.policy.bought
        self.taken.append(candidate)

    def groups_of(self, item_id: str) -> set[Any]:
        """What no other item of the list may be: the item itself, and another variant of its product."""
        group = self.rows.found.get(item_id, {}).get("product_group_id")
        return {("item", item_id), group} if group else {("item", item_id)}


def choose(
    policy: ListPolicy, tiers: Iterator[Sequence[Candidate]], new_items: Sequence[Candidate], rows: Rows
) -> list[Candidate]:
    """The list that is shown, from the candidates of one strategy after the other and from new items to explore."""
    places = _Places(policy, rows, policy.bought_at_most)
    rows.read(policy.beside)
    places.groups.update(*(places.groups_of(item_id) for item_id in policy.beside))
    pinned = _take_pins(places)
    exploring = min(_explored_count(policy, new_items), policy.limit - len(pinned))
    seen = _until_full(places, tiers, policy.limit - exploring)
    drawn = _draw(places, new_items, exploring)
    if len(drawn) < exploring:
        _until_full(places, chain(seen, tiers), policy.limit - len(drawn))
    listed = _mixed(due_first(places.taken[len(pinned) :]), drawn, policy.seed)
    return _with_pins(listed, pinned, policy.limit)


def relevant(candidates: Sequence[Candidate], floor: float) -> list[Candidate]:
    """The candidates whose score, as a share of the best one, is at least the floor.

    Where scores lie below 0, the lowest one counts as 0.
    """
    if floor <= 0 or not candidates:
        return list(candidates)
    scores = [one.score for one in candidates]
    base, best = min(0.0, *scores), max(scores)
    return [one for one in candidates if best == base or (one.score - base) / (best - base) >= floor]


def rotated(candidates: Sequence[Candidate], shown: Mapping[str, float], rotation: float) -> list[Candidate]:
    """The candidates with those shown lately further down: ``1 - rotation`` of their place's worth for each time."""
    if rotation <= 0 or not shown:
        return list(candidates)
    return _by_worth(candidates, lambda one, worth: worth * (1 - rotation) ** shown.get(one.item_id, 0.0))


def moved(candidates: Sequence[Candidate], moves: Sequence[Move], rows: ItemRows) -> list[Candidate]:
    """The candidates with those that a move names lifted or lowered, one move after the other."""
    ordered = list(candidates)
    for move in moves:
        ordered = _by_worth(ordered, partial(_lifted, move, rows))
    return ordered


def _lifted(move: Move, rows: ItemRows, candidate: Candidate, worth: float) -> float:
    if not move.names(candidate.item_id, rows.get(candidate.item_id)):
        return worth
    return worth + move.weight * (1 - worth) if move.weight > 0 else worth * (1 + move.weight)


def _by_worth(candidates: Sequence[Candidate], changed: Callable[[Candidate, float], float]) -> list[Candidate]:
    """The candidates by changed worth: 1 for the first place down to 0 for the last, ties in the order given."""
    last = max(len(candidates) - 1, 1)
    worths = [changed(one, 1 - place / last) for place, one in enumerate(candidates)]
    order = sorted(range(len(candidates)), key=lambda place: -worths[place])
    return [candidates[place] for place in order]


def _take_pins(places: _Places) -> list[tuple[int, Candidate]]:
    places.rows.read([item_id for _, item_id in places.policy.pins])
    pinned: list[tuple[int, Candidate]] = []
    for position, item_id in places.policy.pins:
        candidate = Candidate(item_id, 0.0, PINNED)
        if position <= places.policy.limit and len(pinned) < places.policy.limit and places.is_free(candidate):
            places.take(candidate)
            pinned.append((position, candidate))
    return pinned


def _explored_count(policy: ListPolicy, new_items: Sequence[Candidate]) -> int:
    if policy.exploration_share <= 0 or not new_items:
        return 0
    return max(1, round(policy.exploration_share * policy.limit))


def _until_full(places: _Places, tiers: Iterator[Sequence[Candidate]], count: int) -> list[Sequence[Candidate]]:
    """Take from the strategies in turn until so many places are taken; returns the candidates looked at."""
    policy = places.policy
    seen: list[Sequence[Candidate]] = []
    diversity, begun = policy.diversity, len(places.taken)
    while len(places.taken) < count and (policy.is_filled or len(places.taken) == begun):
        tier = next(tiers, None)
        if tier is None:
            break
        seen.append(tier)
        ordered = rotated(relevant(tier, policy.min_relevance), policy.shown, policy.rotation)
        if policy.moves or diversity > 0:
            _take_spread(places, ordered, count, diversity)
        else:
            _take_in_order(places, ordered, count)
        # What fills a list up comes in the order of its relevance.
        diversity = 0.0
    return seen


def _take_in_order(places: _Places, ordered: Sequence[Candidate], count: int) -> None:
    """Take the first that are free; rows are read only as far as they are needed, further and further."""
    start, step = 0, count - len(places.taken) + SPARE
    while start < len(ordered) and len(places.taken) < count:
        part = ordered[start : start + step]
        places.rows.read([one.item_id for one in part])
        _take_free(places, part, count)
        start, step = start + step, 2 * step


def _take_spread(places: _Places, ordered: Sequence[Candidate], count: int, diversity: float) -> None:
    places.rows.read([one.item_id for one in ordered])
    known = places.rows.found
    free = [one for one in moved(ordered, places.policy.moves, known) if places.is_free(one)]
    # The share of bought items and the groups may refuse what the spread took: then all must stand in line.
    _take_free(places, spread(_one_per_group(places, free), known, limit=len(free), diversity=diversity), count)


def _one_per_group(places: _Places, candidates: Sequence[Candidate]) -> list[Candidate]:
    trial = replace(places, taken=[], groups=set(places.groups), bought_left=len(candidates))
    for one in candidates:
        if trial.is_free(one):
            trial.take(one)
    return trial.taken


def _take_free(places: _Places, candidates: Sequence[Candidate], count: int) -> None:
    for one in candidates:
        if len(places.taken) >= count:
            return
        if places.is_free(one):
            places.take(one)


def _draw(places: _Places, new_items: Sequence[Candidate], count: int) -> list[Candidate]:
    """So many new items that are free, each with the same probability, which they carry."""
    if count < 1:
        return []
    places.rows.read([one.item_id for one in new_items])
    pool = _one_per_group(places, [one for one in new_items if one.item_id not in places.policy.bought])
    drawn = random.Random(f"explore {places.policy.seed}").sample(pool, min(count, len(pool)))
    for one in drawn:
        places.groups |= places.groups_of(one.item_id)
    return [replace(one, propensity=len(drawn) / len(pool)) for one in drawn]


def _mixed(listed: Sequence[Candidate], drawn: Sequence[Candidate], seed: str) -> list[Candidate]:
    """The drawn items at random places of the list."""
    if not drawn:
        return list(listed)
    at = set(random.Random(f"place {seed}").sample(range(len(listed) + len(drawn)), len(drawn)))
    rest, chance = iter(listed), iter(drawn)
    return [next(chance) if place in at else next(rest) for place in range(len(listed) + len(drawn))]


def _with_pins(listed: Sequence[Candidate], pinned: Sequence[tuple[int, Candidate]], limit: int) -> list[Candidate]:
    """Every pin at its place, or at the next one where two want the same; at the end of a list that is too short."""
    at: dict[int, Candidate] = {}
    for position, candidate in sorted(pinned, key=lambda one: one[0]):
        free = next(place for place in [*range(position, limit + 1), *range(1, position)] if place not in at)
        at[free] = candidate
    rest, result = iter(listed), []
    for place in range(1, limit + 1):
        found = at.pop(place, None) or next(rest, None)
        if found is None:
            break
        result.append(found)
    return [*result, *(at[place] for place in sorted(at))]
