"""Order lines of public data sets as canonical tables, for benchmarks that need no store."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pandas as pd

from recommender.tables import Table
from recommender.touchpoints import TABLES
from training.importers.online_retail import convert


def complete_journey(folder: Path) -> pd.DataFrame:
    """Purchases with a quantity; naive times are UTC."""
    lines = pd.read_parquet(folder / "transactions.parquet")
    lines = lines[lines["quantity"] > 0]
    return _order_lines(
        order_id=lines["basket_id"],
        item_id=lines["product_id"],
        customer_id=lines["household_id"],
        ordered_at=lines["transaction_timestamp"],
        quantity=lines["quantity"],
        amount=lines["sales_value"],
        discount=lines["retail_disc"] + lines["coupon_match_disc"],
        store_id=lines["store_id"],
    )


def cdnow(folder: Path) -> pd.DataFrame:
    """One line per purchase; equal purchases of one day are kept."""
    lines = pd.read_parquet(folder / "cdnow_master.parquet")
    number = lines.groupby(["customer_id", "date"]).cumcount().astype(str)
    order_id = lines["customer_id"] + "-" + lines["date"].dt.strftime("%Y%m%d") + "-" + number
    return _order_lines(
        order_id=order_id,
        item_id=pd.Series("cd", index=lines.index),
        customer_id=lines["customer_id"],
        ordered_at=lines["date"],
        quantity=lines["number_of_cds"],
        amount=lines["dollar_value"],
    )


def online_retail(folder: Path) -> dict[str, pd.DataFrame]:
    """Order lines and returns of both years, cleaned as the importer does."""
    frames = convert(folder).frames
    return {name: _completed(TABLES[name], frames[name]) for name in ("order_lines", "returns")}


def _order_lines(**columns: pd.Series) -> pd.DataFrame:
    columns["ordered_at"] = columns["ordered_at"].dt.tz_localize(UTC).dt.as_unit("us")
    return _completed(TABLES["order_lines"], pd.DataFrame(columns))


def _completed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with all columns of the table, each of its type."""
    for column in table.columns:
        values = frame.get(column.name, pd.Series(None, index=frame.index, dtype=column.dtype))
        frame[column.name] = values.astype(column.dtype)
    return frame[list(table.column_names)].reset_index(drop=True)
