"""Who is likely to leave, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import Response, request

from api.errors import FieldError, Problem, invalid
from api.operation import operation
from api.risk_files import CSV, NDJSON, csv_lines, ndjson_lines
from api.schemas.risks import ChurnRiskOut, RiskQuery, RisksOut, RisksQuery
from api.services import advisor
from recommender.errors import SettingError

if TYPE_CHECKING:
    from recommender.answers import ChurnRisk, RiskPage

views = APIBlueprint("risks", __name__, tag="Churn risks")

JSON = "application/json"
DEFAULT_LIMIT = 50


@views.get("/v1/customers/<identifier:customer_id>/churn-risk")
@operation(scope="risk:read", query=RiskQuery, returns=ChurnRiskOut)
def get_churn_risk(customer_id: str, query: RiskQuery) -> ChurnRisk:
    """Probability that the customer will not order within the horizon."""
    return advisor().churn_risk(customer_id, fresh=query.fresh)


@views.get("/v1/churn-risks")
@operation(scope="risk:read", query=RisksQuery, returns=RisksOut, content_types=(CSV, NDJSON), fails=(406,))
def get_churn_risks(query: RisksQuery) -> dict[str, Any] | Response:
    """The churn list: filtered, sorted, page by page, or as a whole in CSV or NDJSON.

    The Accept header chooses. CSV has the columns of the risk object with the reasons as sentences in `reason_1` to
    `reason_3`; a text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    kind = request.accept_mimetypes.best_match((JSON, CSV, NDJSON))
    if kind is None and request.accept_mimetypes:
        raise Problem(406, "not_acceptable", f"accept {JSON}, {CSV} or {NDJSON}")
    if kind in (CSV, NDJSON):
        return _file(kind, query)
    page = _page(query)
    return {"data": page.risks, "next_cursor": page.next_cursor, "has_more": page.next_cursor is not None}


def _page(query: RisksQuery) -> RiskPage:
    limit = DEFAULT_LIMIT if query.limit is None else query.limit
    try:
        return advisor().churn_risks(query.filter, sort=query.sort, cursor=query.cursor, limit=limit)
    except SettingError as problem:
        raise invalid([FieldError("invalid_cursor", str(problem), parameter="cursor")]) from None


def _file(kind: str, query: RisksQuery) -> Response:
    write_lines = csv_lines if kind == CSV else ndjson_lines
    if query.limit is None and query.cursor is None:
        return Response(write_lines(advisor().stream_risks(query.filter, sort=query.sort)), mimetype=kind)
    page = _page(query)
    response = Response(write_lines(iter(page.risks)), mimetype=kind)
    if page.next_cursor is not None:
        response.headers["X-Next-Cursor"] = page.next_cursor
    return response
