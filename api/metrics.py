"""Figures for Prometheus: requests by route and status, decisions written and dropped."""

from __future__ import annotations

import os

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The figures of one application; under several workers they meet in the folder that the environment names."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "regulars_http_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "regulars_http_request_seconds",
            "Seconds from the arrival of a request to its answer",
            ("method", "route", "status_class"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._decisions = Counter(
            "regulars_decisions",
            "Recommendation decisions by what became of their record: written, dropped or rejected",
            ("outcome",),
            registry=self.registry,
        )

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route, f"{status // 100}xx").observe(seconds)

    def count_decisions(self, outcome: str, count: int = 1) -> None:
        """Count decisions whose record was written, dropped or rejected."""
        self._decisions.labels(outcome).inc(count)

    def render(self) -> bytes:
        """All figures, of all workers, in the text format of Prometheus."""
        if MULTIPROCESS_FOLDER not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)
        return generate_latest(together)
