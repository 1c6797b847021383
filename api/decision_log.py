"""What was recommended to whom, written to the store beside the requests, in batches."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from recommender.errors import StoreUnavailable

if TYPE_CHECKING:
    from recommender.answers import Recommendations
    from recommender.store_append import AppendResult

logger = structlog.get_logger("api.decision_log")

CAPACITY = 10_000
BATCH = 500
GATHER_SECONDS = 0.25


@dataclass(frozen=True)
class Decision:
    """An answer and the instant at which it was given."""

    answer: Recommendations
    shown_at: datetime

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the table ``impressions``; the list follows from the data alone, so its probability is 1.

        A customer whom the store does not know, or who was erased, is not named: the decision is its own session.
        """
        customer_id = self.answer.customer_id if self.answer.customer_known else None
        session_id = None if self.answer.customer_known else self.answer.recommendation_id
        return [
            {
                "recommendation_id": self.answer.recommendation_id,
                "rank": item.rank,
                "shown_at": self.shown_at,
                "customer_id": customer_id,
                "session_id": session_id,
                "item_id": item.item_id,
                "placement": self.answer.placement,
                "model_version": self.answer.model_version,
                "propensity": 1.0,
            }
            for item in self.answer.items
        ]


class DecisionLog:
    """A bounded queue and the thread that empties it; what does not fit is dropped and counted, never waited for."""

    def __init__(
        self,
        append_rows: Callable[[str, Sequence[Mapping[str, Any]]], AppendResult],
        count: Callable[[str, int], None],
        *,
        capacity: int = CAPACITY,
    ) -> None:
        self._append_rows = append_rows
        self._count = count
        self._waiting: queue.Queue[Decision] = queue.Queue(capacity)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decision log", daemon=True)
        self._thread.start()

    def add(self, decision: Decision) -> None:
        """Hand a decision over; returns at once."""
        try:
            self._waiting.put_nowait(decision)
        except queue.Full:
            self._count("dropped", 1)

    def close(self) -> None:
        """Write what is waiting and end the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(GATHER_SECONDS):
            self._write_all()
        self._write_all()

    def _write_all(self) -> None:
        while batch := self._next_batch():
            self._write(batch)

    def _next_batch(self) -> list[Decision]:
        batch: list[Decision] = []
        while len(batch) < BATCH:
            try:
                batch.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return batch

    def _write(self, batch: list[Decision]) -> None:
        rows = [row for decision in batch for row in decision.rows()]
        try:
            result = self._append_rows("impressions", rows)
        except StoreUnavailable as problem:
            self._count("dropped", len(batch))
            logger.error("decisions dropped", count=len(batch), problem=str(problem))
            return
        rejected = len({rows[one.index]["recommendation_id"] for one in result.rejections})
        self._count("written", len(batch) - rejected)
        if rejected:
            self._count("rejected", rejected)
