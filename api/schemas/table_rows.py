"""JSON Schema of rows, made from the declarations of the tables, so that the documentation names every column."""

from __future__ import annotations

from typing import Any

from recommender.tables import ATTRIBUTES, Column, Table

_TYPES: dict[str, dict[str, Any]] = {
    "identifier": {"type": "string", "minLength": 1, "maxLength": 256},
    "text": {"type": "string"},
    "word": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"},
    "instant": {"type": "string", "format": "date-time"},
    "decimal": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
}


def row_schema(table: Table, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The JSON Schema of one row of a table; columns not declared are attributes where the table allows them."""
    columns = [column for column in table.columns if column.name not in (*without, ATTRIBUTES)]
    return {
        "type": "object",
        "title": table.name,
        "properties": {column.name: _column_schema(column) for column in columns},
        "required": [column.name for column in columns if column.required],
        "additionalProperties": table.allows_attributes,
    }


def _column_schema(column: Column) -> dict[str, Any]:
    schema = {**_TYPES[column.kind_name], "description": column.meaning}
    given = {
        "default": column.default,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "enum": list(column.choices) or None,
    }
    return schema | {name: value for name, value in given.items() if value is not None}
