"""The churn list as CSV for spreadsheets and as NDJSON for programs, in constant memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from api.json_provider import OPTIONS

if TYPE_CHECKING:
    from datetime import datetime

    from recommender.answers import ChurnRisk

CSV = "text/csv"
NDJSON = "application/x-ndjson"
COLUMNS = (
    "customer_id",
    "customer_known",
    "in_population",
    "churn_probability",
    "horizon_days",
    "population",
    "band",
    "expected_loss",
    "predicted_value",
    "lever",
    "action",
    "reason_1",
    "reason_2",
    "reason_3",
    "model_version",
    "as_of",
)
REASONS = 3
_ROWS_AT_ONCE = 500
# Populations, bands, actions and instants are the same in most rows.
REMEMBERED_TEXTS = 4_096
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(risks: Iterator[ChurnRisk]) -> Iterator[bytes]:
    """The list as CSV; the first rows are fetched at once, so that a failure comes before the answer begins."""
    first = list(islice(risks, _ROWS_AT_ONCE))
    return _csv_parts(first, risks)


def ndjson_lines(risks: Iterator[ChurnRisk]) -> Iterator[bytes]:
    """The list with one risk object per line; the first rows are fetched at once."""
    first = list(islice(risks, _ROWS_AT_ONCE))
    return _ndjson_parts(first, risks)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def guarded(text: str | None) -> str | None:
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text and text.startswith(_FORMULA_STARTS) else text


def _csv_parts(part: list[ChurnRisk], rest: Iterator[ChurnRisk]) -> Iterator[bytes]:
    yield (",".join(COLUMNS) + "\r\n").encode()
    while part:
        text = io.StringIO()
        csv.writer(text).writerows(map(_cells, part))
        yield text.getvalue().encode()
        part = list(islice(rest, _ROWS_AT_ONCE))


def _ndjson_parts(part: list[ChurnRisk], rest: Iterator[ChurnRisk]) -> Iterator[bytes]:
    while part:
        yield b"".join(orjson.dumps(risk, option=OPTIONS | orjson.OPT_APPEND_NEWLINE) for risk in part)
        part = list(islice(rest, _ROWS_AT_ONCE))


def _cells(risk: ChurnRisk) -> tuple[Any, ...]:
    sentences = [guarded(reason.text) for reason in risk.reasons[:REASONS]]
    return (
        guarded(risk.customer_id),
        _truth(risk.customer_known),
        _truth(risk.in_population),
        risk.churn_probability,
        risk.horizon_days,
        guarded(risk.population),
        guarded(risk.band),
        risk.expected_loss,
        risk.predicted_value,
        guarded(risk.lever),
        guarded(risk.action),
        *sentences,
        *[None] * (REASONS - len(sentences)),
        risk.model_version,
        _instant(risk.as_of),
    )


def _truth(value: bool) -> str:
    return "true" if value else "false"


@lru_cache(maxsize=REMEMBERED_TEXTS)
def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
