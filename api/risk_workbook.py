"""The churn list as a workbook that a marketer can open and act on: the rows, and a sheet that explains them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from api.risk_columns import INSTANT, MONEY, NUMBER, PROBABILITY, REASON_COLUMNS, TRUTH, RiskColumn
from recommender.retention.risk_policy import BANDS

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from recommender.customer_answers import ChurnRisk

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A sheet takes 1,048,576, but a workbook of so many takes minutes to make and to open; CSV has no bound.
MAX_ROWS = 100_000
LIST_SHEET, EXPLANATION_SHEET = "churn risks", "read me"
_LONGEST_TEXT = 32_767
_PART_BYTES = 65_536
_OPTIONS = {
    # Rows go to a file as they come.
    "constant_memory": True,
    "remove_timezone": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_FORMATS = {PROBABILITY: "0.0%", MONEY: "#,##0.00", NUMBER: "#,##0.##", INSTANT: "yyyy-mm-dd hh:mm"}
_WIDTHS = {TRUTH: 9, PROBABILITY: 11, MONEY: 14, NUMBER: 10, INSTANT: 17}
_TEXT_WIDTHS = {"customer_id": 18, "population": 32, "action": 60, "model_version": 28}
_REASON_WIDTH, _OTHER_WIDTH, _MEANING_WIDTH = 48, 14, 110
_LEVERS = (
    ("offer", "an offer may keep the customer"),
    ("service", "something went wrong and is to be put right first; no offer helps before that"),
    ("product", "other or better products may keep the customer"),
    ("none", "nothing that the company can change is known"),
)


@dataclass(frozen=True)
class About:
    """What the sheet that explains says of the list as a whole."""

    made_at: datetime
    definition: str
    asked: str
    row_count: int


def workbook_parts(columns: Sequence[RiskColumn], risks: Iterator[ChurnRisk], about: About) -> Iterator[bytes]:
    """The bytes of the workbook; it is complete before the first of them, so that a failure comes before the answer."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed after the last part
    try:
        _write(file, columns, risks, about)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return _parts_of(file)


def _parts_of(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_PART_BYTES):
            yield part


def _write(file: IO[bytes], columns: Sequence[RiskColumn], risks: Iterator[ChurnRisk], about: About) -> None:
    from xlsxwriter import Workbook

    first = list(islice(risks, 1))
    with Workbook(file, _OPTIONS) as book:
        rows, explanation = book.add_worksheet(LIST_SHEET), book.add_worksheet(EXPLANATION_SHEET)
        count = _write_rows(book, rows, columns, first, risks)
        rows.autofilter(0, 0, count, len(columns) - 1)
        _write_explanation(book, explanation, columns, first[0] if first else None, about)


def _write_rows(
    book: Workbook, sheet: Worksheet, columns: Sequence[RiskColumn], first: list[ChurnRisk], rest: Iterator[ChurnRisk]
) -> int:
    """Write the head line and the rows; returns how many rows there are."""
    head = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
    formats = {kind: book.add_format({"num_format": shape}) for kind, shape in _FORMATS.items()}
    # The head line and the first column stay in sight.
    sheet.freeze_panes(1, 1)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, _width(column))
        sheet.write_string(0, place, column.name, head)
    count = 0
    for risks in (first, rest):
        for risk in risks:
            count += 1
            for place, column in enumerate(columns):
                _write_cell(sheet, count, place, _value(column, risk), formats.get(column.kind))
    return count


def _value(column: RiskColumn, risk: ChurnRisk) -> Any:
    if column.field != "reasons":
        return getattr(risk, column.field)
    place = REASON_COLUMNS.index(column.name)
    return risk.reasons[place].text if place < len(risk.reasons) else None


def _write_cell(sheet: Worksheet, row: int, place: int, value: Any, shape: Format | None) -> None:
    """A text stays a text, whatever it looks like; what is missing is an empty cell."""
    if value is None:
        return
    write = _WRITERS.get(type(value))
    if write is None:
        sheet.write_string(row, place, str(value)[:_LONGEST_TEXT])
    else:
        write(sheet, row, place, value, shape)


_WRITERS: dict[type, Callable[[Any, int, int, Any, Format | None], Any]] = {
    bool: lambda sheet, row, place, value, shape: sheet.write_boolean(row, place, value, shape),
    int: lambda sheet, row, place, value, shape: sheet.write_number(row, place, value, shape),
    float: lambda sheet, row, place, value, shape: sheet.write_number(row, place, value, shape),
    datetime: lambda sheet, row, place, value, shape: sheet.write_datetime(row, place, value, shape),
}


def _width(column: RiskColumn) -> int:
    wide = _REASON_WIDTH if column.name in REASON_COLUMNS else _TEXT_WIDTHS.get(column.name, _OTHER_WIDTH)
    return max(_WIDTHS.get(column.kind, wide), len(column.name) + 3)


def _write_explanation(
    book: Workbook, sheet: Worksheet, columns: Sequence[RiskColumn], first: ChurnRisk | None, about: About
) -> None:
    title = book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, max(len(column.name) for column in columns) + 3, book.add_format({"valign": "top"}))
    sheet.set_column(1, 1, _MEANING_WIDTH)
    row = 0
    for heading, lines in (
        ("This list", _whole(first, about)),
        ("Columns", [(column.name, _meaning(column)) for column in columns]),
        ("Bands of risk", _bands()),
        ("Levers", list(_LEVERS)),
    ):
        sheet.write_string(row, 0, heading, title)
        for name, text in lines:
            row += 1
            sheet.write_string(row, 0, name)
            sheet.write_string(row, 1, text, wrapped)
        row += 2


def _whole(first: ChurnRisk | None, about: About) -> list[tuple[str, str]]:
    lines = [("Made at", _minutes(about.made_at)), ("Rows", f"{about.row_count:,}"), ("Asked for", about.asked)]
    if first is None:
        return [*lines, ("Definition", f"{about.definition}: nobody is on the list; ask for more, or score first")]
    return [
        *lines,
        ("Scored as of", "what happened later is not in the figures: " + _minutes(first.as_of)),
        ("Definition", about.definition),
        ("Population", f"customers with {first.population}; others have no probability"),
        ("Horizon", f"probabilities, values and losses are about the {first.horizon_days} days after the scoring"),
        (
            "consent",
            "who may not be sent offers is left out, unless the list was asked for with consent=any",
        ),
        ("Holdout", "customers with is_holdout must not be treated: the effect of treatments is measured against them"),
    ]


def _minutes(moment: datetime | None) -> str:
    return "not known" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def _meaning(column: RiskColumn) -> str:
    unit = {INSTANT: "; time is UTC", PROBABILITY: "; shown as a percentage"}.get(column.kind, "")
    return column.meaning.replace("`", "") + unit


def _bands() -> list[tuple[str, str]]:
    return [(name, f"churn probability from {bound:.0%}") for bound, name in BANDS]
