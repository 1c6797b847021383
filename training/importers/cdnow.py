"""CDNOW: purchases of music CDs by the customers who first bought in the first quarter of 1997.

The data know no products: there is one item, ``cd``, and ``quantity`` is the number of CDs. Every row is an order of
its own, ``<customer>-<date>-<n>``, where n counts the rows of a customer and day in the order of the file; so exact
duplicates stay separate purchases. Days are taken as midnight UTC. Purchases of value 0 are kept.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recommender.errors import DataError
from training.importers.base import Importer, PublicTables
from training.importers.public_files import find_public, read_checked

_COLUMNS = ("customer_id", "date", "number_of_cds", "dollar_value")
# The whole cohort, else the published tenth of it.
_FILES = ("CDNOW_master.txt", "cdnow_master.parquet", "CDNOW_sample.txt", "cdnow_sample.parquet")


def convert(folder: Path) -> PublicTables:
    """All tables of the layout; raises DataError where the file is missing or of another layout."""
    path = find_public(folder, *_FILES)
    bought = _read_text(path) if path.suffix == ".txt" else read_checked(path, _COLUMNS)
    customer = bought["customer_id"].astype("string")
    day = pd.to_datetime(bought["date"], format="%Y%m%d").dt.tz_localize("UTC").dt.as_unit("us")
    number = (bought.groupby(["customer_id", "date"]).cumcount() + 1).astype("string")
    lines = pd.DataFrame(
        {
            "order_id": customer + "-" + day.dt.strftime("%Y%m%d").astype("string") + "-" + number,
            "item_id": "cd",
            "customer_id": customer,
            "ordered_at": day,
            "line_number": 1,
            "quantity": bought["number_of_cds"].astype("float64"),
            "amount": bought["dollar_value"].astype("float64"),
        }
    )
    customers = pd.DataFrame({"customer_id": customer.drop_duplicates().sort_values()})
    items = pd.DataFrame({"item_id": ["cd"], "title": ["CD"]})
    return PublicTables({"customers": customers, "items": items, "order_lines": lines})


def _read_text(path: Path) -> pd.DataFrame:
    """Columns parted by spaces; the sample has a second customer number, and some copies a line of names."""
    rows = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    numbers = [[row[0], *row[-3:]] for row in rows if row and row[0].isdigit()]
    if not numbers or any(len(row) != len(_COLUMNS) for row in numbers):
        raise DataError(path.name, "the lines are not customer, date, number of CDs and value; this is another file")
    return pd.DataFrame(numbers, columns=list(_COLUMNS), dtype="string")


CDNOW = Importer("cdnow", "CDNOW", convert)
