"""What is to be simulated: how many customers, until when, from which seed, in which blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from recommender.errors import SettingError
from recommender.randomness import rng_for

WEEKS = 104
WEEK_SECONDS = 7 * 86_400
DEFAULT_UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
MINIMUM_ITEMS = 100
# An identifier has eight digits for the customer.
MAXIMUM_CUSTOMERS = 10**8


@dataclass(frozen=True)
class Block:
    """Customers ``first`` to ``first + size - 1``, simulated together and apart from all others."""

    number: int
    first: int
    size: int


@dataclass(frozen=True)
class Plan:
    """Two years of a company up to ``until``.

    A whole block depends on the seed and its number alone: the customers of whole blocks are the same in a company
    of any size. Inside the simulation times are weeks since the start, as floats, NaN where there is none.
    """

    customers: int
    seed: int
    until: datetime = DEFAULT_UNTIL
    items: int = 2_000
    block_size: int = 10_000

    def __post_init__(self) -> None:
        if not 1 <= self.customers <= MAXIMUM_CUSTOMERS:
            raise SettingError(f"{self.customers} customers cannot be simulated; ask for 1 to {MAXIMUM_CUSTOMERS}")
        if self.items < MINIMUM_ITEMS:
            raise SettingError(f"{self.items} items are too few for a catalogue; ask for {MINIMUM_ITEMS} or more")
        if self.until.tzinfo is None:
            raise SettingError(f"{self.until.isoformat()} has no offset; give the end of the span in UTC")

    def rng(self, purpose: str) -> np.random.Generator:
        """The stream of random numbers of one purpose."""
        return rng_for(self.seed, f"synthetic company: {purpose}")

    @property
    def block_count(self) -> int:
        """Number of blocks."""
        return -(-self.customers // self.block_size)

    def blocks(self) -> Iterator[Block]:
        """All blocks; the last may be smaller."""
        for number, first in enumerate(range(0, self.customers, self.block_size)):
            yield Block(number, first, min(self.block_size, self.customers - first))

    def instants(self, weeks: np.ndarray) -> np.ndarray:
        """Weeks since the start as instants in UTC, whole seconds rounded down; NaT where there is none."""
        end = np.datetime64(self.until.astimezone(UTC).replace(tzinfo=None), "us")
        known = np.isfinite(weeks)
        seconds = np.floor(np.where(known, weeks, 0.0) * WEEK_SECONDS).astype(np.int64)
        moments = end + (seconds - WEEKS * WEEK_SECONDS) * np.timedelta64(1_000_000, "us")
        return np.where(known, moments, np.datetime64("NaT", "us"))
