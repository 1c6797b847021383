"""What was recommended to whom, written to the store beside the requests, in batches."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from recommender.errors import StoreUnavailable
from recommender.kept_requests import KeptRequest, claim_page, keep_requests
from recommender.store_append import AppendResult
from recommender.store_consent import customer_hash

if TYPE_CHECKING:
    from recommender.answers import Recommendations
    from recommender.event_store import EventStore
    from recommender.list_requests import ListRequest

logger = structlog.get_logger("api.decision_log")

CAPACITY = 10_000
BATCH = 500
GATHER_SECONDS = 0.25
REMEMBERED_ERASURES = 10_000


@dataclass(frozen=True)
class Decision:
    """An answer, the instant at which it was given, and what was asked, where the list can be continued."""

    answer: Recommendations
    shown_at: datetime
    request: ListRequest | None = None

    def rows(self, forgotten: Container[str] = ()) -> list[dict[str, Any]]:
        """The rows of the table ``impressions``.

        A customer whom the store does not know, or has forgotten since, is not named: without a session the decision
        is its own.
        """
        is_forgotten = self.answer.customer_id in forgotten
        is_named = self.answer.customer_known and not is_forgotten
        customer_id = self.answer.customer_id if is_named else None
        known_session = None if is_forgotten else self.answer.session_id
        session_id = known_session or (None if is_named else self.answer.recommendation_id)
        channel = (self.request.context if self.request else {}).get("channel")
        return [
            {
                "recommendation_id": self.answer.recommendation_id,
                "rank": item.rank,
                "shown_at": self.shown_at,
                "customer_id": customer_id,
                "session_id": session_id,
                "item_id": item.item_id,
                "placement": self.answer.placement,
                "channel": channel if isinstance(channel, str) else None,
                "model_version": self.answer.model_version,
                "propensity": item.propensity,
            }
            for item in self.answer.items
        ]


class DecisionLog:
    """A bounded queue and the thread that empties it; what does not fit is dropped and counted, never waited for."""

    def __init__(
        self,
        store: EventStore,
        count: Callable[[str, int], None],
        *,
        capacity: int = CAPACITY,
    ) -> None:
        self._store = store
        self._count = count
        self._after = store.last_sequence()
        self._erased: deque[str] = deque(maxlen=REMEMBERED_ERASURES)
        self._waiting: queue.Queue[Decision] = queue.Queue(capacity)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decision log", daemon=True)
        self._thread.start()

    def add(self, decision: Decision) -> None:
        """Hand a decision over; returns at once."""
        try:
            self._waiting.put_nowait(decision)
        except queue.Full:
            self._count("dropped", 1)

    def write_page(self, decision: Decision) -> bool:
        """Write the next page of a list before returning; False where another page was written in its place.

        What fails is counted and logged, as for those handed over.
        """
        with self._counting_failures([decision]):
            rows = decision.rows(self._forgotten([decision]))
            result = claim_page(self._store, rows) if rows else AppendResult()
            if result is None:
                return False
            self._count_written([decision], rows, result)
        return True

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
        with self._counting_failures(batch):
            forgotten = self._forgotten(batch)
            rows = [row for decision in batch for row in decision.rows(forgotten)]
            result = self._store.append_rows("impressions", rows)
            # After the impressions: a list that can be continued is one whose items are known.
            keep_requests(self._store, list(_requests_of(batch, forgotten)))
            self._count_written(batch, rows, result)

    @contextmanager
    def _counting_failures(self, batch: list[Decision]) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable as problem:
            self._count("dropped", len(batch))
            logger.error("decisions dropped", count=len(batch), problem=str(problem))
        except Exception:
            self._count("dropped", len(batch))
            logger.error("decisions dropped", count=len(batch), exc_info=True)

    def _count_written(self, batch: list[Decision], rows: list[dict[str, Any]], result: AppendResult) -> None:
        rejected = len({rows[one.index]["recommendation_id"] for one in result.rejections})
        self._count("written", len(batch) - rejected)
        if rejected:
            self._count("rejected", rejected)

    def _forgotten(self, batch: list[Decision]) -> set[str]:
        """The customers who were erased while their decisions waited: a late record must not bring them back."""
        with self._lock:
            for number, erased in self._store.erasures(self._after):
                self._after = number
                self._erased.append(erased)
            known = set(self._erased)
        customer_ids = {decision.answer.customer_id for decision in batch} if known else set()
        suspects = {one for one in customer_ids if one is not None and customer_hash(one) in known}
        # An entry may also be a withdrawn consent, or a customer who has come back since.
        return {one for one in suspects if not self._store.profile(one).known}


def _requests_of(batch: list[Decision], forgotten: Container[str]) -> Iterator[KeptRequest]:
    for decision in batch:
        if decision.request is not None and decision.answer.customer_id not in forgotten:
            yield KeptRequest(decision.answer.recommendation_id, decision.shown_at, decision.request)
