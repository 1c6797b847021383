"""Online Retail and Online Retail II: invoice lines of a British online shop for gifts.

Decisions:

- The two years overlap by nine days: invoices that are in the later file are dropped from the earlier one.
- Lines without a customer and lines of codes that are no product (postage, fees, manual corrections, vouchers, tests)
  are left out, as are negative quantities outside of cancellations (write-offs of stock). Each line is counted once,
  under the first reason that fits.
- An order is an invoice; ``amount`` is quantity times price; ``line_number`` the running number of a code within it.
  Exact duplicates stay separate lines, lines of price 0 are gifts and stay.
- Lines of invoices that begin with C are returns. A return names no invoice: it goes to the latest earlier order of
  the customer with that item of which something was not yet returned, and what is beyond that to the ones before; the
  order named is the first of these. A return without one has no ``order_id``.
- ``title`` is the most frequent description of a code, ``region`` the first country of a customer. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from recommender.errors import DataError
from training.importers.base import Importer, PublicTables
from training.importers.public_files import read_checked

_NAMES = {"Invoice": "InvoiceNo", "Price": "UnitPrice", "Customer ID": "CustomerID"}
_COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
_WHOLE = ("online_retail_II",)
_EARLIER = ("online_retail_ii_2009_2010",)
_LATER = ("online_retail_2010_2011", "online_retail", "Online Retail", "OnlineRetail")
_NO_PRODUCT = r"(?i)POST|DOT|M|C\d|D|S|B|BANK CHARGES|ADJUST\d*|AMAZONFEE|CRUK|TEST\d+|GIFT.*"
_DAY = pd.Timedelta(days=1)


def convert(folder: Path) -> PublicTables:
    """All tables of the layout; raises DataError where there is no file or a column is missing."""
    lines, left_out = _products_of_customers(_joined_years(_years(folder)))
    is_return = lines["Quantity"] < 0
    returns = _returns(lines[~is_return], lines[is_return])
    unmatched = int(returns["order_id"].isna().sum())
    tables = {
        "customers": _customers(lines),
        "items": _items(lines),
        "order_lines": _order_lines(lines[~is_return]),
        "returns": returns,
    }
    return PublicTables(tables, left_out, {"returns without an earlier order": unmatched})


def _years(folder: Path) -> list[pd.DataFrame]:
    """The files of the earlier and the later year, or those of both that are there."""
    whole = [frame for name in _WHOLE for frame in _read(folder, name)]
    if whole:
        return _split(whole[0])
    earlier = [frame for name in _EARLIER for frame in _read(folder, name)]
    later = [frame for name in _LATER for frame in _read(folder, name)]
    if not earlier and not later:
        names = ", ".join(f"{name}.csv" for name in (*_WHOLE, *_EARLIER, *_LATER))
        raise DataError(str(folder), f"there is none of {names}, nor one of them as .parquet; save workbooks as CSV")
    return [*earlier[:1], *later[:1]]


def _read(folder: Path, name: str) -> Iterator[pd.DataFrame]:
    for path in (folder / f"{name}.parquet", folder / f"{name}.csv"):
        if path.is_file():
            yield _typed(read_checked(path, _COLUMNS, _NAMES))
            return


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    times = frame["InvoiceDate"]
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        is_american = times.astype("string").str.contains("/").any()
        times = pd.to_datetime(times, format="%m/%d/%Y %H:%M" if is_american else "ISO8601")
    codes = {name: frame[name].astype("string") for name in ("InvoiceNo", "StockCode", "Description", "Country")}
    return frame[list(_COLUMNS)].assign(InvoiceDate=times, CustomerID=frame["CustomerID"].astype("Int64"), **codes)


def _split(both: pd.DataFrame) -> list[pd.DataFrame]:
    """The two years of one file: the second begins where time jumps back."""
    steps = both["InvoiceDate"].diff()
    if not (steps < -_DAY).any():
        return [both]
    start = int(steps.argmin())
    return [both.iloc[:start], both.iloc[start:]]


def _joined_years(years: list[pd.DataFrame]) -> tuple[pd.DataFrame, int]:
    """All lines, and how many were dropped because they are in both files."""
    if len(years) == 1:
        return years[0].reset_index(drop=True), 0
    earlier, later = years
    in_both = earlier["InvoiceNo"].isin(later["InvoiceNo"].unique())
    return pd.concat([earlier[~in_both], later], ignore_index=True), int(in_both.sum())


def _products_of_customers(joined: tuple[pd.DataFrame, int]) -> tuple[pd.DataFrame, dict[str, int]]:
    lines, in_both = joined
    left_out = {"lines that are in both files": in_both}
    is_cancelled = lines["InvoiceNo"].str.startswith("C")
    reasons = {
        "lines without a customer": lines["CustomerID"].isna(),
        "lines of codes that are no product": lines["StockCode"].str.fullmatch(_NO_PRODUCT),
        "write-offs of stock": (lines["Quantity"] < 0) & ~is_cancelled,
        "lines of quantity 0, or cancelled ones above 0": (lines["Quantity"] == 0)
        | (is_cancelled & (lines["Quantity"] > 0)),
        "lines with a price below 0": lines["UnitPrice"] < 0,
    }
    kept = pd.Series(True, index=lines.index)
    for reason, fits in reasons.items():
        fits = fits.fillna(False).astype(bool)
        left_out[reason] = int((kept & fits).sum())
        kept &= ~fits
    return lines[kept], {reason: count for reason, count in left_out.items() if count}


def _common(lines: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        "item_id": lines["StockCode"],
        "customer_id": lines["CustomerID"].astype("string"),
        "quantity": lines["Quantity"].abs().astype("float64"),
        "amount": (lines["Quantity"].abs() * lines["UnitPrice"]).round(2),
    }


def _utc(times: pd.Series) -> pd.Series:
    return times.dt.tz_localize("UTC").dt.as_unit("us")


def _running(lines: pd.DataFrame) -> pd.Series:
    return lines.groupby(["InvoiceNo", "StockCode"]).cumcount() + 1


def _order_lines(sold: pd.DataFrame) -> pd.DataFrame:
    made = pd.DataFrame(
        {
            "order_id": sold["InvoiceNo"],
            **_common(sold),
            "ordered_at": _utc(sold["InvoiceDate"]),
            "line_number": _running(sold),
        }
    )
    return made.sort_values(["ordered_at", "order_id", "item_id", "line_number"], kind="stable")


def _returns(sold: pd.DataFrame, returned: pd.DataFrame) -> pd.DataFrame:
    number = _running(returned).astype("string")
    return pd.DataFrame(
        {
            "return_id": returned["InvoiceNo"] + "-" + returned["StockCode"] + "-" + number,
            **_common(returned),
            "returned_at": _utc(returned["InvoiceDate"]),
            "order_id": _orders_of(sold, returned),
        }
    ).sort_values(["returned_at", "return_id"], kind="stable")


def _orders_of(sold: pd.DataFrame, returned: pd.DataFrame) -> pd.Series:
    """For each return the order it is taken from, by the index of the return."""
    pair = ["CustomerID", "StockCode"]
    concerned = sold.merge(returned[pair].drop_duplicates(), on=pair)
    # At one instant what was bought counts as earlier than what came back.
    events = pd.concat([concerned, returned.reset_index(names="place")]).sort_values("InvoiceDate", kind="stable")
    open_orders: dict[tuple[int, str], list[list]] = {}
    found: dict[int, str] = {}
    columns = [*pair, "InvoiceNo", "Quantity", "place"]
    for customer, code, invoice, quantity, place in events[columns].itertuples(index=False, name=None):
        stack = open_orders.setdefault((customer, code), [])
        if quantity > 0:
            stack.append([invoice, quantity])
        elif stack:
            found[int(place)] = stack[-1][0]
            _take_back(stack, -quantity)
    return pd.Series(found, dtype="string").reindex(returned.index)


def _take_back(stack: list[list], quantity: int) -> None:
    """Take a quantity from the latest orders of a stack."""
    while stack and quantity >= stack[-1][1]:
        quantity -= stack.pop()[1]
    if stack:
        stack[-1][1] -= quantity


def _items(lines: pd.DataFrame) -> pd.DataFrame:
    described = lines.assign(Description=lines["Description"].str.strip())
    counted = described.groupby(["StockCode", "Description"]).size().rename("count").reset_index()
    by_count = counted.sort_values(["StockCode", "count", "Description"], ascending=[True, False, True])
    titles = by_count.drop_duplicates("StockCode").set_index("StockCode")["Description"]
    codes = lines["StockCode"].drop_duplicates().sort_values()
    return pd.DataFrame({"item_id": codes, "title": codes.map(titles).astype("string")})


def _customers(lines: pd.DataFrame) -> pd.DataFrame:
    first = lines.sort_values("InvoiceDate", kind="stable").drop_duplicates("CustomerID").sort_values("CustomerID")
    return pd.DataFrame({"customer_id": first["CustomerID"].astype("string"), "region": first["Country"]})


ONLINE_RETAIL = Importer("online-retail", "Online Retail", convert)
