"""Hand-typed rows of any table for tests, as of one cutoff."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from recommender.features import FeatureBlock, FeatureSet
from recommender.tables import Table, as_of

CUTOFF = datetime(2024, 6, 1, tzinfo=UTC)


def rows_of(table: Table, *rows: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of a table as a canonical frame; instants are days before the cutoff, columns left out are empty."""
    instants = {column.name for column in table.instant_columns}

    def cell(name: str, row: Mapping[str, Any]) -> Any:
        value = row.get(name, table[name].default)
        return CUTOFF - timedelta(days=value) if name in instants and value is not None else value

    return pd.DataFrame(
        {
            column.name: pd.Series([cell(column.name, row) for row in rows], dtype=column.dtype)
            for column in table.columns
        }
    )


def features_of(block: FeatureBlock, *frames: pd.DataFrame, customers: str = "ann bob") -> pd.DataFrame:
    """Features of the customers named, from rows of the block's tables as of the cutoff."""
    tables = {table.name: as_of(table, frame, CUTOFF) for table, frame in zip(block.tables, frames, strict=True)}
    customer_ids = pd.Index(customers.split(), dtype="string", name="customer_id")
    return FeatureSet([block]).compute(tables, customer_ids, CUTOFF)
