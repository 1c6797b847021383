"""The OpenAPI document and its page, which loads nothing from outside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apiflask import APIFlask

from api.errors import PROBLEM_TYPE
from api.keys import SCOPES
from api.schemas.common import ProblemOut

BEARER = "key"
_ASSETS = "/static/swagger-ui"
_PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}

# The page carries its own start script; everything else comes from this server.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)

DESCRIPTION = """
What to show each customer, how likely the customer is to leave, why, and what the customer is worth.

* Send an API key as `Authorization: Bearer KEY`; `regulars keys create --scope ...` makes one.
* Identifiers are opaque texts of up to 256 characters. In a path they are percent-encoded, a slash as `%2F`;
  the last segment of a path is the resource.
* Instants are RFC 3339 in UTC; money is a decimal in the one account currency.
* An unknown customer is no error: the answer is 200 with `customer_known: false` and a fallback that says what it is.
* Every failure is `application/problem+json`.
"""

_FAILURES = {
    400: ("The body is not JSON", "malformed_json", "the body is not JSON: unexpected end of data"),
    401: ("No key, or one that is unknown or revoked", "missing_key", "send an API key as 'Authorization: Bearer KEY'"),
    403: ("The key lacks the scope", "missing_scope", "this needs the scope 'risk:read'; the key has recs:read"),
    404: (
        "The list cannot be continued, or there is no segment of the name",
        "unknown_recommendation",
        "no list '3d7f' can be continued",
    ),
    406: ("None of the accepted media types can be made", "not_acceptable", "accept application/json"),
    413: ("The body is too large", "body_too_large", "the body is larger than this server accepts; send it in parts"),
    415: ("The body is not application/json", "unsupported_media_type", "send the body as application/json"),
    422: ("A parameter or a field is invalid or unknown", "invalid_request", "limit: is not known"),
    500: ("The server failed", "internal_error", "the server failed; its log tells more under the request id"),
    503: ("The store or the model cannot be used", "store_unavailable", "the store cannot be used at the moment"),
}


def problem_responses(*, scope: str | None, takes_body: bool, further: Iterable[int]) -> dict[int, Any]:
    """The failures that an operation may answer with, by status."""
    statuses = [422, 500, 503, *further]
    if scope is not None:
        statuses += [401, 403]
    if takes_body:
        statuses += [400, 413, 415]
    return {status: _problem_response(status) for status in sorted(statuses)}


def _problem_response(status: int) -> dict[str, Any]:
    description, code, detail = _FAILURES[status]
    example = ProblemOut.example(status, code, detail)
    return {
        "description": description,
        "content": {PROBLEM_TYPE: {"schema": _PROBLEM_REFERENCE, "example": example}},
    }


def install_documentation(app: APIFlask) -> None:
    """Configure ``/openapi.json`` and ``/docs``."""
    app.config.update(
        DESCRIPTION=DESCRIPTION,
        LICENSE={"name": "MIT", "identifier": "MIT"},
        SERVERS=[{"url": "/"}],
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_200_RESPONSE=False,
        SECURITY_SCHEMES={
            BEARER: {"type": "http", "scheme": "bearer", "description": f"An API key; scopes: {', '.join(SCOPES)}"}
        },
        DOCS_FAVICON=f"{_ASSETS}/favicon-32x32.png",
        SWAGGER_UI_CSS=f"{_ASSETS}/swagger-ui.css",
        SWAGGER_UI_BUNDLE_JS=f"{_ASSETS}/swagger-ui-bundle.js",
        SWAGGER_UI_STANDALONE_PRESET_JS=f"{_ASSETS}/swagger-ui-standalone-preset.js",
        # A validator badge would send the document to a server of somebody else.
        SWAGGER_UI_CONFIG={"validatorUrl": None, "displayRequestDuration": True, "defaultModelsExpandDepth": 0},
    )
    app.spec_processor(_completed)


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the problem schema, and with the descriptions of parameters where readers look for them."""
    schema = ProblemOut.model_json_schema(ref_template="#/components/schemas/Problem.{model}")
    schemas = document["components"].setdefault("schemas", {})
    for name, nested in schema.pop("$defs", {}).items():
        schemas[f"Problem.{name}"] = nested
    schemas["Problem"] = schema
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                _describe(parameter)
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return document


def _describe(parameter: dict[str, Any]) -> None:
    if parameter["in"] == "path":
        what = parameter["name"].removesuffix("_id")
        is_name = what == "name"
        parameter["description"] = f"{'Name' if is_name else f'Identifier of the {what}'}, percent-encoded"
        return
    schema = parameter["schema"]
    parameter["description"] = schema.pop("description")
    # A parameter that is left out is null for us, but nobody can send null in a query.
    given = [one for one in schema.pop("anyOf", ()) if one != {"type": "null"}]
    parameter["schema"] = {name: value for name, value in schema.items() if value is not None} | (given or [{}])[0]
