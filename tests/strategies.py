"""Hypothesis strategies: valid rows of any table, made from its declaration."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from recommender.tables import Column, Table

CUTOFF = datetime(2024, 6, 1, tzinfo=UTC)
CUSTOMERS = ("ann", "bob", "cy", "dee")
# What the features tell apart in columns that may hold any word.
WORDS = {
    "kind": ("view", "search", "cart_add", "rating", "dislike", "swiped"),
    "severity": ("low", "High", "critical"),
}
DAY = timedelta(days=1)


def instants(earliest_days: float = 150.0) -> st.SearchStrategy[datetime]:
    """Instants around the cutoff, with ties, and the two at its edge."""
    quarters = st.integers(-int(4 * earliest_days), 80).map(lambda quarter: CUTOFF + quarter * DAY / 4)
    return st.one_of(quarters, st.sampled_from((CUTOFF, CUTOFF - timedelta(microseconds=1))))


def values(table: Table, column: Column) -> st.SearchStrategy[Any]:
    """Valid values of one column, None included where it may be empty."""
    if column.name in table.customer_columns:
        filled: st.SearchStrategy[Any] = st.sampled_from(CUSTOMERS)
    elif column.choices:
        filled = st.sampled_from(column.choices)
    elif column.kind_name == "instant":
        filled = instants()
    elif column.kind_name == "boolean":
        filled = st.booleans()
    elif column.kind_name == "list":
        filled = st.just('["a"]')
    elif column.kind_name == "object":
        filled = st.just('{"a": 1}')
    elif column.kind_name in {"decimal", "integer"}:
        low, high = int(column.minimum or 0), int(column.maximum or 50)
        filled = st.integers(low, high).map(float if column.kind_name == "decimal" else int)
    else:
        filled = st.sampled_from(WORDS.get(column.name, ("p", "q", "r")))
    return filled if column.required else st.none() | filled


@st.composite
def rows(draw: st.DrawFn, table: Table) -> dict[str, Any]:
    """One valid row: later instants do not lie before the first, scores keep to their scale."""
    row = {column.name: draw(values(table, column)) for column in table.columns}
    begins = row.get(table.exists_from or "")
    for column in table.instant_columns:
        if begins is not None and row[column.name] is not None:
            row[column.name] = max(begins, row[column.name])
    for name, (by, limits) in (table.ranges or {}).items():
        low, high = limits[row[by]]
        row[name] = float(draw(st.integers(low, high)))
    if table.one_of and all(row[name] is None for name in table.one_of):
        row[table.one_of[0]] = CUSTOMERS[0]
    return row


@st.composite
def frames(draw: st.DrawFn, table: Table, max_rows: int = 10) -> pd.DataFrame:
    """A canonical frame of a table with unique keys."""
    made = draw(st.lists(rows(table), max_size=max_rows))
    unique = {tuple(row[name] for name in table.key): row for row in _numbered(table, made)}
    return pd.DataFrame(
        {
            column.name: pd.Series([row[column.name] for row in unique.values()], dtype=column.dtype)
            for column in table.columns
        }
    )


def _numbered(table: Table, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose last key column makes them unique, save where the key is the customer."""
    last = table.key[-1]
    if last in table.customer_columns:
        return made
    is_number = table[last].kind_name == "integer"
    return [row | {last: place if is_number else f"{last}-{place}"} for place, row in enumerate(made, start=1)]
