"""Bodies of requests: JSON, and no larger than agreed."""

from __future__ import annotations

from flask import Response, current_app, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from api.errors import Problem

MOST_DRAINED = 2**26
_CHUNK = 2**16


def check_json() -> None:
    """Read the body of the current request; raises the 413, 415 or 400 where it is too large or no JSON."""
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise Problem(415, "unsupported_media_type", "send the body as application/json")
    # A body of unknown length is silently cut at the limit; one of known length is refused by Flask itself.
    if request.content_length is None and len(request.get_data()) >= current_app.config["MAX_CONTENT_LENGTH"]:
        raise RequestEntityTooLarge
    try:
        request.get_json(force=True)
    except BadRequest as bad:
        reason = getattr(bad.__cause__, "description", None) or bad.description
        raise Problem(400, "malformed_json", str(reason)) from None


def drain_refused(response: Response) -> Response:
    """Read what is left of a refused body: many clients look at the answer only once all is sent."""
    if response.status_code >= 400 and request.method in {"POST", "PUT"}:
        unread = request.environ["wsgi.input"]
        for _ in range(MOST_DRAINED // _CHUNK):
            if not unread.read(_CHUNK):
                break
    return response
