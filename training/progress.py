"""Progress of long work: a bar on a terminal, a line in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from tqdm import tqdm

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0

Thing = TypeVar("Thing")


class Steps(Protocol):
    """Passes things on, and shows how far the work called ``name`` has come."""

    def __call__(self, name: str, things: Iterable[Thing], total: int | None = None) -> Iterator[Thing]:
        """The things in order; ``total`` tells their number where they do not know it."""
        ...


def silent(name: str, things: Iterable[Thing], total: int | None = None) -> Iterator[Thing]:
    """Steps that show nothing."""
    del name, total
    return iter(things)


def shown(name: str, things: Iterable[Thing], total: int | None = None) -> Iterator[Thing]:
    """Steps as a bar on a terminal; elsewhere a line in the log now and then, and one when the work is done."""
    if sys.stderr.isatty():
        yield from tqdm(things, desc=name, total=total, file=sys.stderr, dynamic_ncols=True)
        return
    begun = told = time.monotonic()
    count = 0
    for thing in things:
        yield thing
        count += 1
        if time.monotonic() - told > SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            logger.info("%s steps=%d seconds=%.0f", name, count, told - begun)
    logger.info("%s done steps=%d seconds=%.1f", name, count, time.monotonic() - begun)
