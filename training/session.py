"""What a command works with: the settings, the clock, and what they open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from recommender.artifact_store import ArtifactStore
from recommender.event_store import EventStore, open_event_store
from recommender.history import History, buckets_for
from training.config import Config


@dataclass(frozen=True)
class Session:
    """One run of a command."""

    config: Config
    clock: Callable[[], datetime]

    @contextmanager
    def store(self) -> Iterator[EventStore]:
        """The event store, closed at the end; raises StoreUnavailable."""
        self.config.home.mkdir(parents=True, exist_ok=True)
        store = open_event_store(self.config.store_url, clock=self.clock)
        try:
            yield store
        finally:
            store.close()

    @property
    def artifacts(self) -> ArtifactStore:
        """The bundles."""
        return ArtifactStore(self.config.artifacts)

    def history(self, store: EventStore) -> History:
        """The history for training, brought up to date with the store."""
        folder = self.config.history
        history = (
            History.open(folder)
            if folder.is_dir()
            else History.create(folder, buckets_for(sum(store.counts().values())))
        )
        history.refresh(store)
        return history
