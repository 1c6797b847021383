"""One log line per request, as JSON: the route and not the path, so that no customer is named."""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid

import orjson
import structlog
from flask import Flask, Response, g, request

from api.metrics import Metrics

logger = structlog.get_logger("api.requests")

REQUEST_ID_HEADER = "X-Request-ID"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def configure_logging(level: str) -> None:
    """Write the lines of structlog and of the standard library to stderr, one JSON object each."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    severity = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=orjson.dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(severity),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event).decode())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(level=severity, handlers=[handler], force=True)


def install_request_log(app: Flask, metrics: Metrics) -> None:
    """Give every request an id, and log and count it when it is answered."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        g.request_id = request_id_from(request.headers.get(REQUEST_ID_HEADER))

    @app.after_request
    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.began
        route = request.url_rule.rule if request.url_rule else "unmatched"
        method = request.method if request.method in _METHODS else "other"
        response.headers[REQUEST_ID_HEADER] = g.request_id
        metrics.count_request(method, route, response.status_code, seconds)
        logger.info(
            "request",
            request_id=g.request_id,
            method=method,
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 2),
        )
        return response


def request_id_from(given: str | None) -> str:
    """The id that the client gave where it is harmless in a log, else a new one."""
    return given if given is not None and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def took_ms() -> float:
    """Milliseconds since the request arrived."""
    seconds: float = time.perf_counter() - g.began
    return round(seconds * 1000, 3)
