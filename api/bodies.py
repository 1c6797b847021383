"""Bodies of requests: JSON, and no larger than agreed."""

from __future__ import annotations

from contextlib import suppress

from flask import Response, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from api.errors import FieldError, Problem, invalid

MOST_DRAINED = 2**26
_CHUNK = 2**16
# What the server raises while a body is read that does not arrive as announced.
_BROKEN = (OSError, ParseException)


def check_json() -> None:
    """Read the body of the current request; raises the 413, 415, 400 or 422 where it is too large, no JSON or null."""
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise Problem(415, "unsupported_media_type", "send the body as application/json")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "unsupported_content_encoding", "send the body as it is, without Content-Encoding")
    _check_length()
    try:
        document = request.get_json(force=True)
    except BadRequest as bad:
        reason = getattr(bad.__cause__, "description", None) or bad.description
        raise Problem(400, "malformed_json", str(reason)) from None
    # The framework would take it for an empty object, which replaces a whole row.
    if document is None:
        raise invalid([FieldError("wrong_type", "must not be null", pointer="")])


def _check_length() -> None:
    try:
        received = len(request.get_data())
    except _BROKEN:
        raise Problem(400, "malformed_body", "the body did not arrive as its headers announce") from None
    # A body of unknown length is silently cut at the limit; one of known length is refused by Flask itself.
    if request.content_length is None and received >= current_app.config["MAX_CONTENT_LENGTH"]:
        raise RequestEntityTooLarge
    if received < (request.content_length or 0):
        raise Problem(400, "malformed_body", "the body is shorter than its Content-Length")


def drain_refused(response: Response) -> Response:
    """Read what is left of a refused body: many clients look at the answer only once all is sent."""
    if response.status_code >= 400 and request.method in {"POST", "PUT"}:
        unread = request.environ["wsgi.input"]
        with suppress(*_BROKEN):
            for _ in range(MOST_DRAINED // _CHUNK):
                if not unread.read(_CHUNK):
                    break
    return response
