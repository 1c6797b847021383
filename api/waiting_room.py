"""Requests that wait for what was answered a moment ago and is not written yet: a bounded number at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.errors import Problem

ASK_AGAIN_SECONDS = 1


class WaitingRoom:
    """Places for those who wait in a worker: the threads that are left serve everybody else."""

    def __init__(self, threads: int) -> None:
        self.places = max(1, threads - 1)
        self._free = threading.BoundedSemaphore(self.places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place while the block runs; raises the 503 that says when to ask again where none is free."""
        if not self._free.acquire(blocking=False):
            detail = "the list is being written and many wait for theirs; ask again after the seconds of Retry-After"
            raise Problem(503, "not_written_yet", detail, headers={"Retry-After": str(ASK_AGAIN_SECONDS)})
        try:
            yield
        finally:
            self._free.release()
