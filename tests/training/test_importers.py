"""Importers: hand-typed files of each public layout, and what becomes of them."""

import json
from datetime import UTC, datetime

import pandas as pd
import pytest

from recommender.errors import DataError, SettingError, UnknownName
from training.importers import importer_named, run_import
from training.ingest import check

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def write_csv(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n", encoding="utf-8")


def run(name, source, out):
    return run_import(importer_named(name), source, out, now=NOW)


def rows_of(out, table, *columns):
    return pd.read_parquet(out / f"{table}.parquet")[list(columns)].to_numpy().tolist()


@pytest.fixture
def journey(tmp_path):
    folder = tmp_path / "journey"
    write_csv(
        folder,
        "transactions.csv",
        """household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,transaction_timestamp
        900,330,31198570044,1095275,2,1.00,0.25,0.5,0.10,1,2017-01-01 11:53:26
        900,330,31198570044,9878513,0,0.00,0.00,1.0,0.00,1,2017-01-01 11:53:26
        1228,406,31198655051,1095275,1,0.50,0.00,0.0,0.00,1,2017-01-02 12:26:30
        1228,406,31198655051,777,1,3.00,0.00,0.0,0.00,1,2017-01-02 12:26:30""",
    )
    write_csv(
        folder,
        "products.csv",
        """product_id,manufacturer_id,department,brand,product_category,product_type,package_size
        1095275,2,GROCERY,National,FRZN ICE,ICE - CRUSHED,22 LB
        9878513,3,MISCELLANEOUS,Private,,,""",
    )
    write_csv(folder, "demographics.csv", "household_id,age,kids_count\n900,65+,0")
    write_csv(folder, "campaigns.csv", "campaign_id,household_id\n1,900\n1,55")
    write_csv(
        folder,
        "campaign_descriptions.csv",
        "campaign_id,campaign_type,start_date,end_date\n1,Type B,2017-03-03,2017-04-09",
    )
    write_csv(folder, "coupons.csv", "coupon_upc,product_id,campaign_id\n5,1095275,1\n5,777,1\n6,777,1")
    write_csv(
        folder, "coupon_redemptions.csv", "household_id,coupon_upc,campaign_id,redemption_date\n900,5,1,2017-03-10"
    )
    return folder


def test_complete_journey_lines_keep_their_ids_and_lose_quantity_0(journey, tmp_path):
    report = run("completejourney", journey, tmp_path / "out")
    assert report.left_out == {"lines with quantity 0": 1}
    lines = rows_of(
        tmp_path / "out", "order_lines", "order_id", "item_id", "customer_id", "quantity", "amount", "discount"
    )
    assert lines == [
        ["31198570044", "1095275", "900", 2.0, 1.0, 0.35],
        ["31198655051", "1095275", "1228", 1.0, 0.5, 0.0],
        ["31198655051", "777", "1228", 1.0, 3.0, 0.0],
    ]


def test_complete_journey_times_are_utc(journey, tmp_path):
    run("completejourney", journey, tmp_path / "out")
    ordered_at = pd.read_parquet(tmp_path / "out" / "order_lines.parquet")["ordered_at"]
    assert ordered_at[0] == pd.Timestamp("2017-01-01T11:53:26Z")


def test_complete_journey_items_have_titles_and_paths_where_known(journey, tmp_path):
    run("completejourney", journey, tmp_path / "out")
    items = pd.read_parquet(tmp_path / "out" / "items.parquet").set_index("item_id")
    assert items.loc["1095275", ["title", "category", "brand"]].tolist() == [
        "ICE - CRUSHED, 22 LB",
        "GROCERY > FRZN ICE > ICE - CRUSHED",
        "National",
    ]
    assert json.loads(items.loc["1095275", "attributes"]) == {"manufacturer_id": "2", "package_size": "22 LB"}
    assert items.loc["9878513", "category"] == "MISCELLANEOUS"
    assert pd.isna(items.loc["9878513", "title"])
    assert "777" not in items.index


def test_complete_journey_campaigns_become_offers_assignments_and_redemptions(journey, tmp_path):
    run("completejourney", journey, tmp_path / "out")
    offer = pd.read_parquet(tmp_path / "out" / "offers.parquet").iloc[0]
    assert (offer["offer_id"], offer["kind"], json.loads(offer["item_ids"])) == ("1", "amount", ["777", "1095275"])
    assert (offer["starts_at"], offer["ends_at"]) == (
        pd.Timestamp("2017-03-03T00:00:00Z"),
        pd.Timestamp("2017-04-10T00:00:00Z"),
    )
    assert rows_of(tmp_path / "out", "assignments", "assignment_id", "customer_id", "arm") == [
        ["1-55", "55", "treatment"],
        ["1-900", "900", "treatment"],
    ]
    assert rows_of(tmp_path / "out", "redemptions", "redemption_id", "offer_id", "customer_id") == [
        ["1-900-5-20170310-1", "1", "900"]
    ]


def test_complete_journey_customers_are_all_households_seen(journey, tmp_path):
    run("completejourney", journey, tmp_path / "out")
    customers = pd.read_parquet(tmp_path / "out" / "customers.parquet").set_index("customer_id")
    assert list(customers.index) == ["55", "900", "1228"]
    assert json.loads(customers.loc["900", "attributes"]) == {"age": "65+", "kids_count": "0"}
    assert json.loads(customers.loc["55", "attributes"]) == {}


def test_an_import_passes_the_checks_and_the_same_source_gives_the_same_bytes(journey, tmp_path):
    run("completejourney", journey, tmp_path / "out")
    run("completejourney", journey, tmp_path / "again")
    report = check(tmp_path / "out", NOW)
    assert report.quarantined_count == 0
    assert {one.name: one.read_bytes() for one in (tmp_path / "out").iterdir()} == {
        one.name: one.read_bytes() for one in (tmp_path / "again").iterdir()
    }


def test_a_missing_file_and_a_missing_column_are_named(journey, tmp_path):
    write_csv(journey, "coupons.csv", "coupon_upc,campaign_id\n5,1")
    with pytest.raises(DataError, match=r"coupons.csv: the column 'product_id' is missing"):
        run("completejourney", journey, tmp_path / "out")
    (journey / "coupons.csv").unlink()
    with pytest.raises(DataError, match=r"there is no coupons.parquet or coupons.csv"):
        run("completejourney", journey, tmp_path / "out")


def test_a_folder_that_is_not_there_and_an_unknown_importer_are_named(tmp_path):
    with pytest.raises(SettingError, match="there is no folder"):
        run("completejourney", tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(UnknownName, match=r"there is no importer 'movielens'; there are: .*completejourney"):
        importer_named("movielens")
