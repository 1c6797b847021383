"""Who is likely to leave, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

from apiflask import APIBlueprint
from flask import Response, jsonify, request

from api.errors import FieldError, Problem, invalid
from api.operation import operation, require_also
from api.risk_columns import RiskColumn, chosen_columns, chosen_fields
from api.risk_files import (
    BYTE_ORDER_MARK,
    CSV,
    NDJSON,
    are_stored,
    csv_lines,
    ndjson_lines,
    risk_texts,
    some_fields,
    stored_names,
    stored_texts,
)
from api.risk_workbook import MAX_ROWS, XLSX, About, workbook_parts
from api.schemas.risk_queries import MovesQuery, RiskQuery, RisksQuery
from api.schemas.risks import BandMovesOut, ChurnRiskOut, RisksOut
from api.services import advisor, services
from recommender.errors import SettingError

if TYPE_CHECKING:
    from recommender.customer_answers import BandMoves, ChurnRisk, RiskPage

views = APIBlueprint("risks", __name__, tag="Churn risks")

JSON = "application/json"
DEFAULT_LIMIT = 50
KINDS = {"json": JSON, "csv": CSV, "ndjson": NDJSON, "xlsx": XLSX}


@views.get("/v1/customers/<identifier:customer_id>/churn-risk")
@operation(scope="risk:read", query=RiskQuery, returns=ChurnRiskOut)
def get_churn_risk(customer_id: str, query: RiskQuery) -> ChurnRisk:
    """Probability that the customer leaves within the horizon, by the main definition of churn or the one named."""
    return advisor().churn_risk(customer_id, fresh=query.fresh, definition=query.definition, with_history=query.history)


@views.get("/v1/churn-risks")
@operation(scope="risk:read", query=RisksQuery, returns=RisksOut, content_types=(CSV, NDJSON, XLSX), fails=(406,))
def get_churn_risks(query: RisksQuery) -> Response:
    """The churn list: filtered, sorted, page by page, or as a whole in CSV, NDJSON or XLSX.

    Customers who may not be sent offers are left out unless `consent=any` asks for them, which needs the scope
    `risk:read_all` too. With `fields` every row has those fields alone.

    The header Accept chooses the form, `format` overrides it. CSV is separated by commas, in UTF-8, with the columns
    of the risk object and the reasons as sentences in `reason_1` to `reason_3`; a text that a spreadsheet would run as
    a formula begins with an apostrophe. With `format=csv` it begins with a byte order mark, by which Excel knows
    UTF-8; asked for by Accept it has none, so that programs need not take it off. A spreadsheet takes an identifier of
    digits in CSV for a number and drops its leading zeros. XLSX has numbers as numbers,
    instants as dates in UTC, every identifier as text, and a second sheet that explains the columns; more rows than
    100,000 are refused.
    """
    if query.consent == "any":
        require_also("risk:read_all")
    kind = _kind(query)
    if kind != JSON:
        return _file(kind, query)
    names = chosen_fields(query.names)
    page = _page(query)
    data = [some_fields(risk, names) for risk in page.risks]
    # The check of the answer would take longer than finding the rows; a test checks what NDJSON says of the same.
    return jsonify({"data": data, "next_cursor": page.next_cursor, "has_more": page.next_cursor is not None})


@views.get("/v1/churn-risks/movements")
@operation(scope="risk:read", query=MovesQuery, returns=BandMovesOut)
def get_movements(query: MovesQuery) -> BandMoves:
    """How many customers moved between the bands of risk since an instant, and what that is expected to cost."""
    with _blaming("since"):
        return advisor().risk_moves(query.since, query.definition)


def _kind(query: RisksQuery) -> str:
    """The media type of the answer."""
    if query.format is not None:
        return KINDS[query.format]
    kind = request.accept_mimetypes.best_match(KINDS.values())
    if kind is None and request.accept_mimetypes:
        raise Problem(406, "not_acceptable", f"accept {JSON}, {CSV}, {NDJSON} or {XLSX}")
    return kind or JSON


@contextmanager
def _blaming(parameter: str) -> Iterator[None]:
    """Say that a setting which the domain refuses came with a parameter."""
    try:
        yield
    except SettingError as problem:
        raise invalid([FieldError(f"invalid_{parameter}", str(problem), parameter=parameter)]) from None


def _page(query: RisksQuery) -> RiskPage:
    limit = DEFAULT_LIMIT if query.limit is None else query.limit
    with _blaming("cursor" if query.since is None else "since"):
        return advisor().churn_risks(query.filter, sort=query.sort, cursor=query.cursor, limit=limit)


def _file(kind: str, query: RisksQuery) -> Response:
    """The whole list, or one page of it where a limit or a cursor is given."""
    page = None if query.limit is None and query.cursor is None else _page(query)
    parts = _WRITERS[kind](query, page)
    response = Response(parts, mimetype=kind)
    ending = next(name for name, one in KINDS.items() if one == kind)
    today = services().clock().strftime("%Y-%m-%d")
    response.headers["Content-Disposition"] = f'attachment; filename="churn-risks-{today}.{ending}"'
    if page is not None and page.next_cursor is not None:
        response.headers["X-Next-Cursor"] = page.next_cursor
    return response


def _risks(query: RisksQuery, page: RiskPage | None) -> Iterator[ChurnRisk]:
    if page is not None:
        return iter(page.risks)
    with _blaming("since"):
        return advisor().stream_risks(query.filter, sort=query.sort)


def _csv(query: RisksQuery, page: RiskPage | None) -> Iterator[bytes]:
    columns = _columns(query)
    if page is None and query.since is None and are_stored(columns):
        stored = advisor().stream_stored_risks(query.filter, stored_names(columns), sort=query.sort)
        lines = csv_lines(columns, stored_texts(columns, stored))
    else:
        lines = csv_lines(columns, risk_texts(columns, _risks(query, page)))
    return chain([BYTE_ORDER_MARK], lines) if query.format == "csv" else lines


def _ndjson(query: RisksQuery, page: RiskPage | None) -> Iterator[bytes]:
    return ndjson_lines(_risks(query, page), chosen_fields(query.names))


def _xlsx(query: RisksQuery, page: RiskPage | None) -> Iterator[bytes]:
    columns = _columns(query)
    count = len(page.risks) if page is not None else _count(query)
    asked = "&".join(f"{name}={value}" for name, value in request.args.items() if name not in {"format", "cursor"})
    about = About(services().clock(), query.definition, asked or "all", count)
    return workbook_parts(columns, _risks(query, page), about)


_WRITERS: dict[str, Callable[[RisksQuery, RiskPage | None], Iterator[bytes]]] = {
    CSV: _csv,
    NDJSON: _ndjson,
    XLSX: _xlsx,
}


def _count(query: RisksQuery) -> int:
    with _blaming("since"):
        count = advisor().count_risks(query.filter, at_most=MAX_ROWS + 1)
    if count > MAX_ROWS:
        detail = f"a workbook holds at most {MAX_ROWS:,} rows and more pass the filter; filter further, or take CSV"
        raise Problem(422, "too_many_rows", detail)
    return count


def _columns(query: RisksQuery) -> tuple[RiskColumn, ...]:
    return chosen_columns(query.names, with_previous=query.since is not None)
