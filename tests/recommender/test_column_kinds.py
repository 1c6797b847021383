"""What each kind of column makes of a value; the bulk conversions are held to this in test_validation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from recommender.column_kinds import KINDS, BadValue, shown


@pytest.mark.parametrize(
    ("kind", "value", "parsed"),
    [
        ("identifier", 7, "7"),
        ("identifier", " 7 ", " 7 "),
        ("text", "ä\n", "ä\n"),
        ("word", "cart_add", "cart_add"),
        ("instant", "2024-01-03T17:30:00+05:30", datetime(2024, 1, 3, 12, tzinfo=UTC)),
        ("instant", "2024-01-03t12:00:00.123456789z", datetime(2024, 1, 3, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("decimal", " 1e3 ", 1000.0),
        ("decimal", "-.5", -0.5),
        ("integer", "9007199254740993", 9_007_199_254_740_993),
        ("integer", "3.00", 3),
        ("integer", 2.0, 2),
        ("boolean", "TRUE", True),
        ("boolean", False, False),
        ("list", '["a", "ä"]', '["a", "ä"]'),
        ("list", ("a",), '["a"]'),
        ("object", {"b": 1, "a": [None]}, '{"a": [null], "b": 1}'),
        ("object", '{"a": 1}', '{"a": 1}'),
    ],
)
def test_good_values(kind: str, value: Any, parsed: Any) -> None:
    result = KINDS[kind].parse(value)
    assert result == parsed
    assert type(result) is type(parsed)


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("identifier", "", "missing_value"),
        ("identifier", True, "wrong_type"),
        ("identifier", 7.0, "wrong_type"),
        ("word", "Cart", "wrong_type"),
        ("word", "view\n", "wrong_type"),
        ("instant", datetime(2024, 1, 3), "naive_instant"),
        ("instant", 1_704_283_200, "wrong_type"),
        ("instant", "2024-01-03T12:00:60Z", "wrong_type"),
        ("instant", "0001-01-01T00:00:00+05:00", "out_of_range"),
        ("decimal", True, "wrong_type"),
        ("decimal", "1,5", "wrong_type"),
        ("decimal", "-Infinity", "not_finite"),
        ("decimal", 10**400, "not_finite"),
        ("integer", "3.5", "wrong_type"),
        ("integer", float("inf"), "not_finite"),
        ("integer", 2**63, "out_of_range"),
        ("boolean", 1, "wrong_type"),
        ("list", "[1]", "wrong_type"),
        ("list", '{"a": 1}', "wrong_type"),
        ("list", ["a\x00"], "control_character"),
        ("object", "[]", "wrong_type"),
        ("object", '{"a": ' + "[" * 64 + "]" * 64 + "}", "too_deep"),
        ("object", '{"a": ' + "[" * 9_000, "too_deep"),
        ("list", "[" * 9_000, "wrong_type"),
        ("object", {"a": float("nan")}, "wrong_type"),
        ("object", {"a": "x" * 20_001}, "too_long"),
    ],
)
def test_bad_values(kind: str, value: Any, code: str) -> None:
    with pytest.raises(BadValue) as bad:
        KINDS[kind].parse(value)
    assert bad.value.code == code


def test_long_values_are_cut_in_messages() -> None:
    assert shown("a") == "'a'"
    assert shown("a" * 100) == f"'{'a' * 56}..."
