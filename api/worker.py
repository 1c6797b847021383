"""gunicorn's worker, whose own refusals are problem documents too."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

_STATUSES = {LimitRequestLine: (414, "uri_too_long"), LimitRequestHeaders: (431, "headers_too_large")}


class ProblemWorker(ThreadWorker):
    """Answers what is no HTTP request, which the application never sees."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse a request that cannot be parsed; leave everything else to gunicorn."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        # Its text repeats the request, which may name a customer.
        self.log.warning("a request was refused: %s", type(exc).__name__)
        try:
            write_nonblock(client, refusal(*_STATUSES.get(type(exc), (400, "malformed_request")), str(exc)))
        except OSError:
            self.log.debug("the client was gone before the refusal")


def refusal(status: int, code: str, detail: str) -> bytes:
    """The whole answer, as bytes for the connection, which is closed after it."""
    phrase = HTTPStatus(status).phrase
    problem = {
        "type": "about:blank",
        "title": phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": uuid.uuid4().hex,
    }
    body = orjson.dumps(problem)
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nX-Request-ID: {problem['request_id']}\r\n\r\n"
    )
    return head.encode() + body
