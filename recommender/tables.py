"""What a table promises, and what of it was known at an instant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from recommender.column_kinds import KINDS, Kind

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

ATTRIBUTES = "attributes"


@dataclass(frozen=True)
class Column:
    """One column: its kind of value, its meaning, and the limits that validation holds it to.

    ``known_at`` names the instant column at which the value became known; before it, ``as_of`` blanks the value.
    ``is_plan`` marks an instant that may lie in the future when it is written down.
    """

    name: str
    kind_name: str
    meaning: str
    required: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    known_at: str | None = None
    is_plan: bool = False

    @property
    def kind(self) -> Kind:
        """How values are parsed and held."""
        return KINDS[self.kind_name]

    @property
    def dtype(self) -> str:
        """The pandas dtype behind the border."""
        return self.kind.dtype


@dataclass(frozen=True)
class Table:
    """One table of the border: columns, key, and the instant from which a row exists.

    ``one_of`` names columns of which at least one must be filled. ``ranges`` gives limits of one column that depend
    on the value of another: ``{"score": ("kind", {"nps": (0, 10)})}``. ``numbered`` names a key column that is by
    default the running number of the rows that share the rest of the key. ``tells_time`` is false for a table that
    the system writes itself: its rows do not tell how far the history of the company reaches.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    exists_from: str | None
    customer_columns: tuple[str, ...] = ("customer_id",)
    one_of: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[str, Mapping[str, tuple[float, float]]]] | None = None
    numbered: str | None = None
    tells_time: bool = True

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns in order."""
        return tuple(column.name for column in self.columns)

    @property
    def required_names(self) -> tuple[str, ...]:
        """Names of the columns that every row must fill."""
        return tuple(column.name for column in self.columns if column.required)

    @property
    def allows_attributes(self) -> bool:
        """Whether columns that are not declared are kept as attributes."""
        return ATTRIBUTES in self.column_names

    @property
    def is_entity(self) -> bool:
        """Whether a row describes a thing that may change, not an event that happened."""
        return self.allows_attributes or self.name == "offers"

    @cached_property
    def instant_columns(self) -> tuple[Column, ...]:
        """The columns that hold instants."""
        return tuple(column for column in self.columns if column.kind_name == "instant")

    def empty(self) -> pd.DataFrame:
        """A frame of the table with no row and the right dtypes."""
        import pandas as pd

        return pd.DataFrame({column.name: pd.Series(dtype=column.dtype) for column in self.columns})


def attributes_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a row as an object; they are kept as JSON text."""
    text = row.get(ATTRIBUTES)
    attributes: dict[str, Any] = json.loads(text) if text else {}
    return attributes


def as_of(table: Table, rows: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """What was known strictly before ``cutoff``: later rows are left out, later values are blank.

    A row exists from the table's ``exists_from`` on, or always where that is empty. Every other instant becomes
    known at its own time, and a column with ``known_at`` together with the instant that it names.
    """
    if table.exists_from is not None:
        begins = rows[table.exists_from]
        rows = rows[(begins < cutoff) | begins.isna()]
    blanked: dict[str, pd.Series] = {}
    for column in table.instant_columns:
        if column.name != table.exists_from:
            blanked[column.name] = rows[column.name].where(rows[column.name] < cutoff)
    for column in table.columns:
        if column.known_at is not None:
            blanked[column.name] = rows[column.name].where(blanked[column.known_at].notna())
    return rows.assign(**blanked).reset_index(drop=True)


def as_of_row(table: Table, row: Mapping[str, Any], cutoff: datetime) -> dict[str, Any] | None:
    """``as_of`` for one row of plain values, for requests; None where the row did not exist yet."""
    begins = row[table.exists_from] if table.exists_from is not None else None
    if begins is not None and begins >= cutoff:
        return None
    known = dict(row)
    for column in table.instant_columns:
        moment = row[column.name]
        if column.name != table.exists_from and moment is not None and moment >= cutoff:
            known[column.name] = None
    for column in table.columns:
        if column.known_at is not None and known[column.known_at] is None:
            known[column.name] = None
    return known
