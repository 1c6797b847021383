"""``@operation``: what a route needs, takes and returns, declared once for checking and for the documentation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from apiflask.scaffold import APIScaffold
from flask import Response, request
from pydantic import BaseModel

from api.auth import require
from api.bodies import check_json
from api.documentation import BEARER, problem_responses
from api.errors import FieldError, invalid
from api.schemas.common import Query
from api.services import services

View = Callable[..., Any]
_declare = APIScaffold()


def operation(
    *,
    scope: str | None,
    returns: type[BaseModel] | None = None,
    query: type[Query] = Query,
    body: type[BaseModel] | None = None,
    status: int = 200,
    unless: Callable[[], bool] | None = None,
    content_types: tuple[str, ...] = (),
    fails: tuple[int, ...] = (),
) -> Callable[[View], View]:
    """Declare a view: the scope of its key (None: no key), its parameters, its body and its answer.

    ``query`` and ``body`` are checked, unknown names included, and given to the view under these names where it has
    such an argument. Without ``returns`` and ``content_types`` the answer is empty. ``unless`` tells when no key is
    needed after all. ``content_types`` are answers beside JSON and ``fails`` further statuses, for the documentation.
    """

    def decorate(view: View) -> View:
        arguments = inspect.signature(view).parameters
        wrapped = _without_unasked(view, arguments)
        if body is not None:
            wrapped = _declare.input(body, location="json", arg_name="body", example=_example(body))(wrapped)
            wrapped = _with_json_checked(wrapped)
        wrapped = _declare.input(query, location="query", arg_name="query")(wrapped)
        if returns is None and not content_types:
            wrapped = _emptied(wrapped, status)
        if returns is not None:
            wrapped = _declare.output(returns, status_code=status, example=_example(returns))(wrapped)
        wrapped = _guarded(wrapped, scope, unless)
        responses = problem_responses(scope=scope, takes_body=body is not None, further=fails)
        if returns is None and not content_types:
            responses[status] = {"description": "done; the answer is empty"}
        if content_types:
            contents = {kind: {"schema": {"type": "string"}} for kind in content_types}
            responses[status] = {"description": "as asked", "content": contents}
        security: Any = [{BEARER: [scope]}] if scope is not None else None
        return _declare.doc(operation_id=view.__name__, responses=responses, security=security)(wrapped)

    return decorate


def _without_unasked(view: View, arguments: Any) -> View:
    @wraps(view)
    def call(**keywords: Any) -> Any:
        return view(**{name: value for name, value in keywords.items() if name in arguments})

    return call


def _emptied(view: View, status: int) -> View:
    @wraps(view)
    def call(**keywords: Any) -> Response:
        view(**keywords)
        response = Response(status=status)
        del response.headers["Content-Type"]
        return response

    return call


def _guarded(view: View, scope: str | None, unless: Callable[[], bool] | None) -> View:
    @wraps(view)
    def call(**keywords: Any) -> Any:
        current = services()
        is_open = not current.settings.api_keys_required or (unless is not None and unless())
        if scope is not None and not is_open:
            require(current.authenticator, scope)
        _refuse_repeated_parameters()
        return view(**keywords)

    return call


def require_also(scope: str) -> None:
    """Raise the 403 where the key of the current request lacks a further scope that what it asks for needs."""
    current = services()
    if current.settings.api_keys_required:
        require(current.authenticator, scope)


def _refuse_repeated_parameters() -> None:
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise invalid([FieldError("repeated", "is given more than once", parameter=name) for name in repeated])


def _with_json_checked(view: View) -> View:
    @wraps(view)
    def call(**keywords: Any) -> Any:
        check_json()
        return view(**keywords)

    return call


def _example(model: type[BaseModel]) -> Any:
    extra: Any = model.model_config.get("json_schema_extra") or {}
    return extra["examples"][0] if "examples" in extra else None
