"""What the views ask: opened once per worker, closed when it stops."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from flask import Flask, current_app

from api.auth import Authenticator
from api.config import Settings
from api.decision_log import DecisionLog
from api.metrics import Metrics
from api.waiting_room import WaitingRoom
from recommender.errors import RecommenderError

if TYPE_CHECKING:
    from recommender.advisor import Advisor
    from recommender.event_store import EventStore

logger = structlog.get_logger("api.services")

EXTENSION = "regulars"
REFRESH_SECONDS = 1.0


@dataclass(frozen=True)
class Services:
    """The store, the advisor over it, and what the edge itself needs."""

    settings: Settings
    clock: Callable[[], datetime]
    metrics: Metrics
    store: EventStore
    advisor: Advisor
    authenticator: Authenticator
    decisions: DecisionLog
    refresher: Refresher
    waiting_room: WaitingRoom

    def close(self) -> None:
        """Write what is still to be written and let go of the store."""
        self.refresher.stop()
        self.decisions.close()
        self.store.close()


class Refresher:
    """Takes up a promoted version within a second, beside the requests, so that none waits for it."""

    def __init__(self, refresh: Callable[[], None]) -> None:
        self._refresh = refresh
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="refresher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(REFRESH_SECONDS):
            try:
                self._refresh()
            except (RecommenderError, OSError) as problem:
                logger.error("the served version was kept", problem=str(problem))
            except Exception:
                logger.error("the served version was kept", exc_info=True)


def install_services(app: Flask, services: Services) -> None:
    """Make the services those of the application."""
    app.extensions[EXTENSION] = services


def services() -> Services:
    """The services of the current application."""
    found: Services = current_app.extensions[EXTENSION]
    return found


def advisor() -> Advisor:
    """The advisor of the current application."""
    return services().advisor
