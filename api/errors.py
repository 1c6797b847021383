"""Every failure as ``application/problem+json``: one table from exceptions to statuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, g, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from recommender import errors as domain

logger = structlog.get_logger("api.errors")

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field (a JSON pointer into the body) or one query parameter."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Problem(Exception):
    """An answer that is a failure: its status, a code for programs, a sentence for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


# The most specific class comes first.
STATUSES: tuple[tuple[type[domain.RecommenderError], int, str], ...] = (
    (domain.ArtifactError, 503, "model_unavailable"),
    (domain.NotFitted, 503, "model_unavailable"),
    (domain.NotEnoughData, 503, "not_enough_data"),
    (domain.UnknownName, 422, "unknown_name"),
    (domain.DataError, 422, "invalid_data"),
    (domain.SettingError, 422, "invalid_value"),
)

HTTP_CODES = {
    400: "bad_request",
    404: "unknown_route",
    405: "method_not_allowed",
    413: "body_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
}

_DETAILS = {
    404: "there is no such route; /openapi.json lists them all",
    405: "the route exists, but not for this method; the header Allow names those it has",
    413: "the body is larger than this server accepts; send it in parts",
}

_RENAMED = {"extra_forbidden": "unknown", "missing": "missing_value"}


def install_error_handlers(app: APIFlask) -> None:
    """Answer every failure of the application with a problem document."""
    app.register_error_handler(Problem, respond)
    app.register_error_handler(HTTPError, _respond_to_invalid_input)
    app.register_error_handler(HTTPException, _respond_to_http)
    app.register_error_handler(domain.RecommenderError, _respond_to_domain)
    app.register_error_handler(Exception, _respond_to_bug)


def respond(problem: Problem) -> Response:
    """The problem document of a failure."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": g.get("request_id"),
    }
    if problem.errors:
        body["errors"] = [
            {name: value for name, value in asdict(error).items() if value is not None} for error in problem.errors
        ]
    return Response(orjson.dumps(body), problem.status, problem.headers, content_type=PROBLEM_TYPE)


def invalid(errors: Sequence[FieldError]) -> Problem:
    """The 422 for parameters or fields; its detail names the first."""
    first = errors[0]
    place = first.parameter or first.pointer or ("the parameters" if first.pointer is None else "the body")
    return Problem(422, "invalid_request", f"{place}: {first.detail}", errors=errors)


def pointer_to(*steps: object) -> str:
    """The JSON pointer (RFC 6901) of a place in the body."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def field_errors(problem: ValidationError, location: str) -> list[FieldError]:
    """The errors of pydantic as ours: by parameter for the query, by pointer for the body."""
    found = []
    for error in problem.errors(include_url=False, include_context=False, include_input=False):
        code = _RENAMED.get(error["type"], error["type"])
        detail = "is not known" if code == "unknown" else error["msg"].removeprefix("Value error, ")
        if location == "json":
            found.append(FieldError(code, detail, pointer=pointer_to(*error["loc"])))
        else:
            found.append(FieldError(code, detail, parameter=".".join(map(str, error["loc"])) or None))
    return found


def _respond_to_invalid_input(error: HTTPError) -> Response:
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return respond(invalid(field_errors(cause, next(iter(error.detail)))))
    return respond(Problem(error.status_code, HTTP_CODES.get(error.status_code, "failed"), str(error.message)))


def _respond_to_http(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    code = HTTP_CODES.get(status, HTTPStatus(status).phrase.lower().replace(" ", "_"))
    detail = _DETAILS.get(status) or error.description or HTTPStatus(status).phrase
    return respond(Problem(status, code, detail, headers=headers))


def _respond_to_domain(error: domain.RecommenderError) -> Response:
    if isinstance(error, domain.StoreUnavailable):
        # Where the store lies, and under whose name it is opened, is for those who read the log.
        logger.error("store unavailable", request_id=g.get("request_id"), problem=str(error))
        detail = "the store cannot be used at the moment; the log tells more under the request id"
        return respond(Problem(503, "store_unavailable", detail))
    for kind, status, code in STATUSES:
        if isinstance(error, kind):
            return respond(Problem(status, code, str(error), errors=_parameter_errors(error, code)))
    return _respond_to_bug(error)


def _parameter_errors(error: domain.RecommenderError, code: str) -> list[FieldError]:
    what = getattr(error, "what", None)
    return [FieldError(code, str(error), parameter=what)] if what in request.args else []


def _respond_to_bug(error: Exception) -> Response:
    logger.error("request failed", request_id=g.get("request_id"), exc_info=error)
    detail = "the server failed; its log tells more under the request id"
    return respond(Problem(500, "internal_error", detail))
