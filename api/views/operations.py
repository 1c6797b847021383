"""For those who run the server."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from api.auth import asked_on_loopback
from api.errors import Problem
from api.metrics import CONTENT_TYPE
from api.operation import operation
from api.schemas.operations import HealthOut, ReadinessOut
from api.services import services

views = APIBlueprint("operations", __name__, tag="Operations")

_VERSION = version("regulars")


@views.get("/healthz")
@operation(scope=None, returns=HealthOut)
def get_health() -> dict[str, Any]:
    """Whether the process answers."""
    return {"status": "alive", "version": _VERSION}


@views.get("/readyz")
@operation(scope=None, returns=ReadinessOut)
def get_readiness() -> dict[str, Any]:
    """Whether the store can be reached and a bundle is served; 503 where not.

    Without a bundle all other routes answer all the same, with labelled fallbacks.
    """
    current = services()
    current.store.ping()
    status = current.advisor.status()
    if status["model_version"] is None:
        raise Problem(503, "model_unavailable", str(status["problem"]))
    return {"status": "ready", **status}


@views.get("/metrics")
@operation(scope="admin", unless=asked_on_loopback, content_types=("text/plain",))
def get_metrics() -> Response:
    """Figures for Prometheus; on the loopback address no key is needed."""
    return Response(services().metrics.render(), content_type=CONTENT_TYPE)
