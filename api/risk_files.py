"""The churn list as CSV for spreadsheets and as NDJSON for programs, in constant memory."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any

import orjson

from api.json_provider import OPTIONS
from api.risk_columns import INSTANT, REASON_COLUMNS, REASONS, TEXT, TRUTH, RiskColumn
from recommender.score_rows import sentences_of

if TYPE_CHECKING:
    from recommender.customer_answers import ChurnRisk

CSV = "text/csv"
NDJSON = "application/x-ndjson"
# Excel takes a file without it for one in the code page of the machine.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Some rows at a time, column by column, each cell as it stands in the file.
Texts = Iterator[Sequence[Iterable[str]]]
_ROWS_AT_ONCE = 500
_FORMULA_STARTS = frozenset("=+-@\t\r\n")
_NEEDS_QUOTES = re.compile('[",\r\n]').search
_SOME = 64
_TRUTHS = {True: "true", False: "false", None: None}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_SECONDS = 86_400


def csv_lines(columns: Sequence[RiskColumn], texts: Texts) -> Iterator[bytes]:
    """The list as CSV; the first rows are fetched at once, so that a failure comes before the answer begins."""
    first = list(islice(texts, 1))
    return _csv_parts(columns, chain(first, texts))


def ndjson_lines(risks: Iterator[ChurnRisk], names: Sequence[str]) -> Iterator[bytes]:
    """The list with one risk object per line, of the named fields alone if any; the first rows are fetched at once."""
    first = list(islice(risks, _ROWS_AT_ONCE))
    return _ndjson_parts(first, risks, names)


def some_fields(risk: ChurnRisk, names: Sequence[str]) -> Any:
    """The named fields of a risk, or all where none is named."""
    return {name: getattr(risk, name) for name in names} if names else risk


def guarded(text: str | None) -> str | None:
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text and text[0] in _FORMULA_STARTS else text


def risk_texts(columns: Sequence[RiskColumn], risks: Iterator[ChurnRisk]) -> Texts:
    """The cells of risks."""
    while some := list(islice(risks, _ROWS_AT_ONCE)):
        yield [[_csv_text(_cell(column, risk)) for risk in some] for column in columns]


def are_stored(columns: Sequence[RiskColumn]) -> bool:
    """Whether ``stored_texts`` can make the columns: a curve and an earlier band are not as they are stored."""
    return not {"churn_curve", "previous_band"} & {column.field for column in columns}


def stored_names(columns: Sequence[RiskColumn]) -> list[str]:
    """The stored columns that ``stored_texts`` needs, each once."""
    return list(dict.fromkeys(_STORED_AS.get(column.field, column.field) for column in columns))


def stored_texts(columns: Sequence[RiskColumn], parts: Iterator[Sequence[Sequence[Any]]]) -> Texts:
    """The cells of rows of ``stored_names(columns)``, as they are stored."""
    names = stored_names(columns)
    for part in parts:
        values: dict[str, Sequence[Any]] = dict(zip(names, zip(*part, strict=True), strict=True))
        if "reasons" in values:
            values.update(zip(REASON_COLUMNS, zip(*map(_sentences, values["reasons"]), strict=True), strict=True))
        yield [_stored_column(column, values) for column in columns]


# The list is as of its scoring, and everybody on it is known.
_STORED_AS = {"scored_at": "as_of", "customer_known": "customer_id"}


def _stored_column(column: RiskColumn, values: Mapping[str, Sequence[Any]]) -> Iterable[str]:
    if column.field == "customer_known":
        return repeat("true", len(values["customer_id"]))
    cells = values[column.name if column.field == "reasons" else _STORED_AS.get(column.field, column.field)]
    make = _STORED_FORMS.get(column.kind, _csv_text)
    if len(set(cells[:_SOME])) > _SOME // 2:
        return map(make, cells)
    # Most columns repeat a few values: each is made once.
    return map({one: make(one) for one in set(cells)}.__getitem__, cells)


def _sentences(stored: str) -> tuple[str | None, ...]:
    found = sentences_of(stored)[:REASONS]
    return (*found, *[None] * (REASONS - len(found)))


def _cell(column: RiskColumn, risk: ChurnRisk) -> Any:
    if column.field == "reasons":
        place = REASON_COLUMNS.index(column.name)
        return guarded(risk.reasons[place].text) if place < len(risk.reasons) else None
    value = getattr(risk, column.field)
    if column.field == "churn_curve":
        return None if value is None else json.dumps(value)
    make = _FORMS.get(column.kind)
    return value if make is None else make(value)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else _instant((moment - _EPOCH) // _MICROSECOND)


_FORMS: dict[str, Callable[[Any], Any]] = {TEXT: guarded, TRUTH: _TRUTHS.__getitem__, INSTANT: _moment}


def _instant(microseconds: int | None) -> str | None:
    """RFC 3339 in UTC; several times quicker than through a datetime."""
    if microseconds is None:
        return None
    seconds, fraction = divmod(microseconds, 1_000_000)
    day, second = divmod(seconds, _DAY_SECONDS)
    return f"{_date(day)}{_time(second)}.{fraction:06d}Z" if fraction else f"{_date(day)}{_time(second)}Z"


@lru_cache(maxsize=4_096)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%dT")


@lru_cache(maxsize=_DAY_SECONDS)
def _time(second: int) -> str:
    return f"{second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _guarded_text(text: str | None) -> str:
    return _csv_text(guarded(text))


def _csv_text(value: Any) -> str:
    """A cell by RFC 4180; several times quicker than the writer of the standard library for whole columns."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    return '"' + value.replace('"', '""') + '"' if _NEEDS_QUOTES(value) else value


_STORED_FORMS: dict[str, Callable[[Any], str]] = {
    TEXT: _guarded_text,
    TRUTH: {True: "true", False: "false"}.__getitem__,
    INSTANT: lambda microseconds: _instant(microseconds) or "",
}


def _csv_parts(columns: Sequence[RiskColumn], parts: Texts) -> Iterator[bytes]:
    yield (",".join(column.name for column in columns) + "\r\n").encode()
    for part in parts:
        yield "".join(f"{','.join(row)}\r\n" for row in zip(*part, strict=True)).encode()


def _ndjson_parts(part: list[ChurnRisk], rest: Iterator[ChurnRisk], names: Sequence[str]) -> Iterator[bytes]:
    options = OPTIONS | orjson.OPT_APPEND_NEWLINE
    while part:
        yield b"".join(orjson.dumps(some_fields(risk, names), option=options) for risk in part)
        part = list(islice(rest, _ROWS_AT_ONCE))
