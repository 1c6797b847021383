"""The border: the same verdict for requests and files, and a clear reason for each bad value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import DataError
from recommender.frame_validation import validate_frame
from recommender.tables import Column, Table
from recommender.touchpoints import TABLES
from recommender.validation import EARLIEST, is_missing, validate_rows
from tests.conftest import NOW

EAST = timezone(timedelta(hours=5, minutes=30))
JANUARY = datetime(2024, 1, 3, 12, tzinfo=UTC)

RAW: dict[str, list[Any]] = {
    "identifier": ["a", " b ", 7, -7, "x" * 256, "x" * 257, "a\x00", "\ud800", 1.5, True, ["a"], "ä/%", "nan", "None"],
    "text": ["a", "x" * 20_000, "x" * 20_001, "a\x00b", "\udfff", 1, 1.5, True, " ", "line\nline", "NaN", "\U0001f600"],
    "word": ["view", "Bad", "two words", "percent", "nps", "csat", "treatment", 3, "x" * 65, "_x", "view\n", ["view"]],
    "instant": [
        JANUARY,
        JANUARY.astimezone(EAST),
        JANUARY.replace(microsecond=1),
        pd.Timestamp(JANUARY) + pd.Timedelta(nanoseconds=1),
        JANUARY.replace(tzinfo=None),
        NOW,
        NOW - timedelta(microseconds=1),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))),
        datetime.min.replace(tzinfo=EAST),
        "2024-01-03T12:00:00Z",
        "2024-01-03t12:00:00z",
        "2024-01-03 12:00:00.25+05:30",
        "2024-01-03T12:00:00.123456789Z",
        "2024-01-03T12:00:00.999999999Z",
        "2024-01-03T12:00:00",
        "2024-01-03T12:00:00+24:00",
        "2024-01-03T12:00:00+23:60",
        "2024-01-03T24:00:00Z",
        "2024-01-03T12:00:60Z",
        "2024-02-30T12:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1500-01-01T00:00:00Z",
        "1899-12-31T23:59:59.999999Z",
        "1900-01-01T00:00:00Z",
        datetime(1800, 1, 1, tzinfo=UTC),
        "2024-01-03",
        "2024-01-03T12:00Z",
        "20240103T120000Z",
        "2024-01-03T12:00:00+0530",
        "２０２４-01-03T12:00:00Z",
        "soon",
        1_704_283_200,
    ],
    "decimal": [
        *(0, 1, 2.5, -1, 5.0, 11, "3", " 4 ", "+.5", "1e3", "-0", "1e400", "1_000", "٣", "0x10", "1,5", "abc"),
        *(float("nan"), float("inf"), "nan", "-Infinity", True, 10**400, 2**63, [1], np.float64(2.5), np.int64(3)),
    ],
    "integer": [
        *(0, 1, 2.0, 2.5, -1, 1980, 2101, "3", "3.0", "3.5", " 4 ", "1e3", "+5", "abc", True, 2**53 + 1, 2**63 - 1),
        *(2**63, -(2**63), "9" * 18, "9" * 19, "9007199254740993", "1e400", "٣", [1], np.int64(3)),
    ],
    "boolean": [True, False, "true", "FALSE", "yes", "t", 1, 0, 1.0, np.True_],
    "list": [
        ["a"],
        '["a"]',
        "[]",
        [],
        ("a",),
        "[1]",
        "x",
        {"a": 1},
        {},
        7,
        '["\ud800"]',
        ["a\x00"],
        '"a"',
        np.array(["a"]),
    ],
    "object": [{"a": 1}, '{"b": 2}', "{}", {}, "[]", "x", 7, {"a": float("nan")}, {"a": "\ud800"}, {"a": "x" * 20_001}],
}
EMPTY: list[Any] = [None, "", pd.NA, pd.NaT]
TABLE_NAMES = sorted(TABLES)


def raw_rows(table: Table, seed: int) -> list[dict[str, Any]]:
    """Rows of good, bad and empty values; good enough that some rows pass."""
    chosen = Random(seed)
    return [{column.name: raw_cell(column, chosen) for column in table.columns} for _ in range(chosen.randint(1, 60))]


def raw_cell(column: Column, chosen: Random) -> Any:
    if chosen.randrange(len(TABLES)) > 0:
        return column.choices[0] if column.choices else RAW[column.kind_name][0]
    return chosen.choice([*RAW[column.kind_name], *EMPTY, *column.choices])


def plain(value: Any) -> Any:
    """A cell as a value that can be compared."""
    if is_missing(value) or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def assert_same_verdict(table: Table, rows: list[dict[str, Any]], frame: pd.DataFrame) -> None:
    of_rows = validate_rows(table, rows, now=NOW)
    of_frame = validate_frame(table, frame, now=NOW)
    assert of_frame.rejections == of_rows.rejections
    assert of_frame.rows.index.tolist() == of_rows.places
    assert of_frame.rows.dtypes.to_dict() == table.empty().dtypes.to_dict()
    values = [{name: plain(value) for name, value in row.items()} for row in of_frame.rows.to_dict("records")]
    assert values == of_rows.rows


@pytest.mark.parametrize("name", TABLE_NAMES)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_rows_and_frames_get_the_same_verdict(name: str, seed: int) -> None:
    rows = raw_rows(TABLES[name], seed)
    frame = pd.DataFrame({column: pd.Series([row[column] for row in rows], dtype=object) for column in rows[0]})
    assert_same_verdict(TABLES[name], rows, frame)


@pytest.mark.parametrize("name", TABLE_NAMES)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_text_of_a_file_gets_the_verdict_of_text_in_a_request(name: str, seed: int) -> None:
    rows = [
        {column: value if isinstance(value, str) and is_unicode(value) else None for column, value in row.items()}
        for row in raw_rows(TABLES[name], seed)
    ]
    frame = pd.DataFrame({column: pd.Series([row[column] for row in rows], dtype="string") for column in rows[0]})
    assert_same_verdict(TABLES[name], rows, frame)


def is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("kind", sorted(RAW))
def test_every_raw_value_gets_one_verdict_alone_and_among_others(kind: str) -> None:
    table = Table(
        "things", (Column("thing_id", "identifier", "", required=True), Column("value", kind, "")), ("thing_id",), None
    )
    rows = [{"thing_id": f"t{place}", "value": value} for place, value in enumerate([*RAW[kind], *EMPTY])]
    values = pd.Series(len(rows) * [None], dtype=object)
    values[:] = np.fromiter((row["value"] for row in rows), dtype=object, count=len(rows))
    assert_same_verdict(table, rows, pd.DataFrame({"thing_id": [row["thing_id"] for row in rows], "value": values}))
    for place in range(len(rows)):
        assert_same_verdict(
            table,
            rows[place : place + 1],
            pd.DataFrame({"thing_id": [f"t{place}"], "value": values.iloc[place : place + 1].reset_index(drop=True)}),
        )


ORDER = {"order_id": "o1", "item_id": "tea", "customer_id": "ann", "ordered_at": "2024-01-03T12:00:00Z"}
TICKET = {"ticket_id": "t1", "customer_id": "ann", "opened_at": "2024-01-03T12:00:00Z"}
ANSWER = {"response_id": "r1", "customer_id": "ann", "answered_at": "2024-01-03T12:00:00Z", "kind": "nps", "score": 9}


@pytest.mark.parametrize(
    ("table", "row", "column", "code", "reason"),
    [
        ("order_lines", {**ORDER, "customer_id": None}, "customer_id", "missing_value", "customer_id is required"),
        ("order_lines", {**ORDER, "customer_id": ""}, "customer_id", "missing_value", "customer_id is required"),
        ("order_lines", {**ORDER, "customer_id": "x" * 257}, "customer_id", "too_long", "more than 256"),
        ("order_lines", {**ORDER, "item_id": "a\x00"}, "item_id", "control_character", "the character U+0000"),
        ("order_lines", {**ORDER, "item_id": "\ud800"}, "item_id", "not_unicode", "half of a surrogate pair"),
        ("order_lines", {**ORDER, "item_id": 1.5}, "item_id", "wrong_type", "1.5 is not text"),
        ("order_lines", {**ORDER, "quantity": -1}, "quantity", "negative", "-1 is below 0"),
        ("order_lines", {**ORDER, "quantity": "many"}, "quantity", "wrong_type", "'many' is not a number"),
        ("order_lines", {**ORDER, "amount": float("nan")}, "amount", "not_finite", "nan is not a finite number"),
        ("order_lines", {**ORDER, "amount": "1e400"}, "amount", "not_finite", "'1e400' is not a finite number"),
        ("order_lines", {**ORDER, "line_number": 1.5}, "line_number", "wrong_type", "1.5 is not a whole number"),
        ("order_lines", {**ORDER, "line_number": 2**63}, "line_number", "out_of_range", "is too large"),
        ("order_lines", {**ORDER, "ordered_at": "2024-01-03T12:00:00"}, "ordered_at", "naive_instant", "has no offset"),
        ("order_lines", {**ORDER, "ordered_at": "2024-01-03"}, "ordered_at", "wrong_type", "is not an instant"),
        ("order_lines", {**ORDER, "ordered_at": "2024-02-30T00:00:00Z"}, "ordered_at", "wrong_type", "any calendar"),
        ("order_lines", {**ORDER, "ordered_at": "2024-06-01T00:00:00Z"}, "ordered_at", "future_instant", "happened"),
        ("order_lines", {**ORDER, "ordered_at": "1899-12-31T23:59:59Z"}, "ordered_at", "out_of_range", "before 1900"),
        ("customers", {"customer_id": "ann", "signed_up_at": "0001-01-01T00:00:00Z"}, "signed_up_at", "out_of_range",
         "lies before 1900; leave out what is not known"),
        ("order_lines", {**ORDER, "delivered_at": "2024-01-02T00:00:00Z"}, "delivered_at", "before_start", "before"),
        ("order_lines", {**ORDER, "colour": "red"}, "colour", "unknown_column", "order_lines has no column 'colour'"),
        ("survey_responses", {**ANSWER, "kind": "smile"}, "kind", "not_allowed", "'smile' is none of nps, csat, ces"),
        ("survey_responses", {**ANSWER, "score": 11}, "score", "out_of_range", "11 is not in 0 to 10 for nps"),
        ("customers", {"customer_id": "ann", "birth_year": 1492}, "birth_year", "out_of_range", "1492 is below 1850"),
        ("customers", {"customer_id": "ann", "birth_year": 2492}, "birth_year", "out_of_range", "2492 is above 2100"),
        ("customers", {"customer_id": "ann", "consent_marketing": "si"}, "consent_marketing", "wrong_type", "neither"),
        ("offers", {"offer_id": "x", "kind": "gift", "channels": "mail"}, "channels", "wrong_type", "JSON array"),
    ],
)  # fmt: skip
def test_a_bad_value_is_told_by_column_code_and_reason(
    table: str, row: dict[str, Any], column: str, code: str, reason: str
) -> None:
    [rejection] = validate_rows(TABLES[table], [row], now=NOW).rejections
    assert (rejection.index, rejection.column, rejection.code) == (0, column, code)
    assert reason in rejection.reason


def test_an_event_needs_a_customer_or_a_session() -> None:
    view = {"event_id": "e1", "kind": "view", "occurred_at": "2024-01-03T12:00:00Z"}
    valid = validate_rows(TABLES["interactions"], [view, {**view, "session_id": "s1"}], now=NOW)
    assert [(one.index, one.code, one.reason) for one in valid.rejections] == [
        (0, "missing_value", "one of customer_id, session_id is required")
    ]
    assert valid.places == [1]


def test_what_happened_at_the_beginning_of_1900_and_an_old_plan_may_pass() -> None:
    assert validate_rows(TABLES["order_lines"], [{**ORDER, "ordered_at": EARLIEST}], now=NOW).rejections == []
    item = {"item_id": "tea", "available_from": "0001-01-01T00:00:00Z"}
    assert validate_rows(TABLES["items"], [item], now=NOW).rejections == []


def test_an_offer_and_a_promise_may_lie_in_the_future() -> None:
    offer = {"offer_id": "x", "kind": "gift", "starts_at": "2030-01-01T00:00:00Z"}
    assert validate_rows(TABLES["offers"], [offer], now=NOW).rejections == []
    promised = {**ORDER, "promised_at": "2030-01-01T00:00:00Z"}
    assert validate_rows(TABLES["order_lines"], [promised], now=NOW).rejections == []


def test_a_row_that_is_no_object_is_rejected() -> None:
    [rejection] = validate_rows(TABLES["tickets"], ["text"], now=NOW).rejections  # type: ignore[list-item]
    assert (rejection.code, rejection.reason) == ("wrong_type", "'text' is not an object")


def test_defaults_fill_what_is_empty_and_lines_of_one_item_are_numbered() -> None:
    rows = validate_rows(TABLES["order_lines"], [ORDER, ORDER, {**ORDER, "item_id": "cup"}], now=NOW).rows
    assert [(row["quantity"], row["line_number"]) for row in rows] == [(1.0, 1), (1.0, 2), (1.0, 1)]
    frame = validate_frame(TABLES["order_lines"], pd.DataFrame([ORDER, ORDER, {**ORDER, "item_id": "cup"}]), now=NOW)
    assert frame.rows["line_number"].tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (pd.DataFrame([TICKET]).drop(columns="opened_at"), "the required column 'opened_at' is missing; add it"),
        (pd.DataFrame([{**TICKET, "mood": "bad"}]), "the column 'mood' is not known; remove it or use one of"),
        (pd.DataFrame([TICKET]).astype({"opened_at": "datetime64[us, UTC]"}).assign(
            opened_at=lambda tickets: tickets["opened_at"].dt.tz_localize(None)
        ), "the instants of 'opened_at' have no time zone; write them in UTC"),
    ],
)  # fmt: skip
def test_a_frame_with_bad_columns_is_refused_whole(frame: pd.DataFrame, problem: str) -> None:
    with pytest.raises(DataError) as error:
        validate_frame(TABLES["tickets"], frame, now=NOW)
    assert str(error.value).startswith(f"tickets: {problem}")


def test_events_need_one_of_the_columns_of_customer_and_session() -> None:
    views = pd.DataFrame([{"event_id": "e1", "kind": "view", "occurred_at": "2024-01-03T12:00:00Z"}])
    with pytest.raises(DataError, match="one of the columns customer_id, session_id is required"):
        validate_frame(TABLES["interactions"], views, now=NOW)


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_an_empty_frame_passes(name: str) -> None:
    valid = validate_frame(TABLES[name], TABLES[name].empty(), now=NOW)
    assert valid.rejections == []
    assert valid.rows.dtypes.to_dict() == TABLES[name].empty().dtypes.to_dict()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_instants_of_every_resolution_and_zone_become_microseconds_in_utc(unit: str) -> None:
    opened = pd.Series(pd.to_datetime(["2024-01-03T17:30:00+05:30"]).tz_convert("Asia/Kolkata").as_unit(unit))
    tickets = pd.DataFrame({"ticket_id": ["t1"], "customer_id": ["ann"], "opened_at": opened})
    rows = validate_frame(TABLES["tickets"], tickets, now=NOW).rows
    assert str(rows["opened_at"].dtype) == "datetime64[us, UTC]"
    assert rows["opened_at"].tolist() == [pd.Timestamp("2024-01-03T12:00:00Z")]


def test_numbers_of_a_file_become_identifiers() -> None:
    lines = pd.DataFrame([ORDER, ORDER]).assign(customer_id=[7, 8], store_id=pd.array([1, None], dtype="Int64"))
    rows = validate_frame(TABLES["order_lines"], lines, now=NOW).rows
    assert rows["customer_id"].tolist() == ["7", "8"]
    assert rows["store_id"].tolist()[0] == "1"
    assert rows["store_id"].isna().tolist() == [False, True]
