"""Reading files: every form gives the same rows, and what is no row is named with its line."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.errors import DataError
from recommender.touchpoints import TABLES
from training.line_numbers import RunningNumbers
from training.table_files import open_folder, read_chunks


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def chunks_of(table, path, rows=250_000):
    return list(read_chunks(TABLES[table], path, rows))


def csv_file(folder, table, content):
    path = folder / f"{table}.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet_file(folder, table, **columns):
    path = folder / f"{table}.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_all_columns_of_a_csv_are_text_as_given(folder):
    (chunk,) = chunks_of("customers", csv_file(folder, "customers", "customer_id,birth_year\n007,1980\n1.0,\n"))
    assert chunk.frame.to_numpy().tolist() == [["007", "1980"], ["1.0", ""]]
    assert {str(dtype) for dtype in chunk.frame.dtypes} == {"string"}


def test_a_byte_order_mark_is_no_part_of_a_name(folder):
    (chunk,) = chunks_of("customers", csv_file(folder, "customers", b"\xef\xbb\xbfcustomer_id\nann\n"))
    assert list(chunk.frame.columns) == ["customer_id"]


def test_a_value_of_several_lines_counts_them(folder):
    text = 'ticket_id,text\nt1,"one\ntwo"\n\nt2,three\n'
    (chunk,) = chunks_of("tickets", csv_file(folder, "tickets", text))
    assert chunk.frame["text"].tolist() == ["one\ntwo", "three"]
    assert chunk.line_numbers.tolist() == [2, 5]


def test_chunks_go_on_counting(folder):
    path = csv_file(folder, "customers", "customer_id\n" + "".join(f"c{number}\n" for number in range(5)))
    chunks = [chunk for chunk in chunks_of("customers", path, rows=2) if len(chunk.frame)]
    assert [chunk.line_numbers.tolist() for chunk in chunks] == [[2, 3], [4, 5], [6]]
    assert all(chunk.frame.index[0] == 0 for chunk in chunks)


def test_a_line_with_too_few_or_too_many_values_is_named(folder):
    (chunk,) = chunks_of("customers", csv_file(folder, "customers", "customer_id,region\nann,n\nbob\ncat,s,x\n"))
    assert chunk.frame["customer_id"].tolist() == ["ann"]
    assert [(one.line_number, one.code, one.reason, dict(one.values)) for one in chunk.unreadable] == [
        (3, "wrong_number_of_values", "the line has 1 values, the header has 2", {"customer_id": "bob"}),
        (4, "wrong_number_of_values", "the line has 3 values, the header has 2", {"customer_id": "cat", "region": "s"}),
    ]


def test_a_line_that_is_not_utf_8_is_named(folder):
    (chunk,) = chunks_of("customers", csv_file(folder, "customers", b"customer_id\nJos\xe9\nJos\xc3\xa9\n"))
    assert chunk.frame["customer_id"].tolist() == ["José"]
    assert [(one.line_number, one.code) for one in chunk.unreadable] == [(2, "not_utf8")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "customers: customers.csv is empty; write a header line"),
        (b"\xef\xbb\xbf\n\n", "customers: customers.csv is empty; write a header line"),
        (b"customer_id,region,region\n", "the column 'region' occurs twice in the header of customers.csv"),
        (b",customer_id\n0,ann\n", "a column has no name in the header of customers.csv"),
        (b"\xff\xfec\x00\n", "the header of customers.csv is not UTF-8"),
        (b'customer_id\nann\n"bob\ncat\n', "line 3 of customers.csv cannot be read as CSV"),
    ],
)
def test_a_csv_that_cannot_be_read_at_all_is_refused(folder, content, message):
    with pytest.raises(DataError, match=message):
        chunks_of("customers", csv_file(folder, "customers", content))


def test_a_nan_in_parquet_is_told_apart_from_null(folder):
    amounts = pa.array([1.5, None, float("nan")], from_pandas=False)
    (chunk,) = chunks_of("order_lines", parquet_file(folder, "order_lines", amount=amounts))
    first, null, nan = chunk.frame["amount"].tolist()
    assert (first, null) == (1.5, None)
    assert np.isnan(nan)
    assert chunk.frame["amount"].dtype == object


def test_whole_numbers_in_parquet_stay_whole_beside_nulls(folder):
    (chunk,) = chunks_of("customers", parquet_file(folder, "customers", customer_id=pa.array([7, None], pa.int32())))
    assert str(chunk.frame["customer_id"].astype("string")[0]) == "7"


def test_types_of_other_writers_are_understood(folder):
    path = parquet_file(
        folder,
        "items",
        item_id=pa.array(["a"]).dictionary_encode(),
        price=pa.array(["1.50"]).cast(pa.decimal128(6, 2)),
        available_from=pa.array([1], pa.timestamp("ns", tz="Europe/Berlin")),
        colours=pa.array([["red", "blue"]]),
        first_sold=pa.array([1], pa.timestamp("s", tz="UTC")),
    )
    (chunk,) = chunks_of("items", path)
    row = chunk.frame.iloc[0]
    assert (row["item_id"], row["price"], row["colours"]) == ("a", 1.5, '["red", "blue"]')
    assert row["available_from"] == pd.Timestamp(0, tz="UTC")
    assert row["first_sold"].startswith("1970-01-01")


def test_instants_that_no_calendar_has_become_text(folder):
    times = pa.array([400_000_000_000_000_000, 0, None], pa.timestamp("us", tz="UTC"))
    (chunk,) = chunks_of("order_lines", parquet_file(folder, "order_lines", ordered_at=times))
    far, near, missing = chunk.frame["ordered_at"].tolist()
    assert far.startswith("14645-06-30")
    assert near == pd.Timestamp(0, tz="UTC")
    assert missing is None


def test_a_list_is_text_only_where_a_list_is_meant(folder):
    path = parquet_file(folder, "offers", offer_id=pa.array([["a"]]), item_ids=pa.array([["a", "b"]]))
    (chunk,) = chunks_of("offers", path)
    assert chunk.frame["item_ids"].tolist() == ['["a", "b"]']
    assert list(chunk.frame["offer_id"][0]) == ["a"]


def test_parts_of_a_folder_are_read_in_the_order_of_their_names(folder):
    (folder / "customers").mkdir()
    for name, customer in (("part-1", "bob"), ("part-0", "ann")):
        pq.write_table(pa.table({"customer_id": [customer]}), folder / "customers" / f"{name}.parquet")
    chunks = chunks_of("customers", folder / "customers")
    assert [chunk.frame["customer_id"][0] for chunk in chunks] == ["ann", "bob"]
    assert [chunk.line_numbers.tolist() for chunk in chunks] == [[1], [2]]


def test_parquet_without_a_row_still_gives_its_columns(folder):
    (chunk,) = chunks_of("customers", parquet_file(folder, "customers", customer_id=pa.array([], pa.string())))
    assert list(chunk.frame.columns) == ["customer_id"]
    assert chunk.frame.empty


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "customers.parquet is empty"), (b"PAR1 no", "customers.parquet cannot be read as Parquet")],
)
def test_a_file_that_is_no_parquet_is_refused(folder, content, message):
    path = folder / "customers.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        chunks_of("customers", path)


def test_an_empty_folder_of_parts_is_refused(folder):
    (folder / "customers").mkdir()
    with pytest.raises(DataError, match=r"the folder customers holds no .parquet file"):
        chunks_of("customers", folder / "customers")


def test_a_folder_tells_tables_from_other_files(folder):
    for name in ("order_lines.csv", "customers.parquet", "notes.txt", ".hidden"):
        (folder / name).touch()
    (folder / "items").mkdir()
    found = open_folder(folder)
    assert list(found.paths) == ["customers", "items", "order_lines"]
    assert found.unknown == ("notes.txt",)


def test_a_folder_needs_order_lines_or_interactions(folder):
    (folder / "customers.csv").touch()
    with pytest.raises(DataError, match="neither order_lines nor interactions is there; one of the two is needed"):
        open_folder(folder)
    (folder / "interactions.csv").touch()
    assert "interactions" in open_folder(folder).paths


def test_a_table_in_two_forms_and_a_folder_that_is_not_there_are_refused(folder):
    (folder / "order_lines.csv").touch()
    (folder / "order_lines.parquet").touch()
    with pytest.raises(DataError, match=r"both order_lines.csv and order_lines.parquet are in .*; keep one of them"):
        open_folder(folder)
    with pytest.raises(DataError, match="there is no such folder"):
        open_folder(folder / "elsewhere")


def pairs(*rows):
    return pd.DataFrame(rows, columns=["order_id", "item_id"], dtype="string")


def test_running_numbers_go_on_over_chunks():
    with RunningNumbers(TABLES["order_lines"]) as numbers:
        first = numbers.fill(pairs(("o1", "tea"), ("o1", "tea"), ("o1", "jam")))
        second = numbers.fill(pairs(("o2", "tea"), ("o1", "tea"), ("o1", "jam")))
        third = numbers.fill(pairs(("o1", "tea"), ("o3", "jam")))
    assert [list(one["line_number"]) for one in (first, second, third)] == [[1, 2, 1], [1, 3, 2], [4, 1]]


def test_numbers_that_are_given_are_kept():
    frame = pairs(("o1", "tea"), ("o1", "tea"))
    with RunningNumbers(TABLES["order_lines"]) as numbers:
        text = numbers.fill(frame.assign(line_number=pd.array(["7", ""], dtype="string")))
        whole = numbers.fill(frame.assign(line_number=pd.array([None, 9], dtype="Int64")))
    assert text["line_number"].tolist() == ["7", "2"]
    assert whole["line_number"].tolist() == [3, 9]


def test_tables_without_numbers_are_left_as_they_are():
    frame = pd.DataFrame({"customer_id": ["ann"]})
    with RunningNumbers(TABLES["customers"]) as numbers:
        assert numbers.fill(frame) is frame


def test_the_index_that_pandas_leaves_in_a_file_of_chosen_rows_is_no_column(tmp_path):
    frame = pd.DataFrame({"item_id": ["milk", "rye", "jam"], "title": ["Milk", "Rye", "Jam"]})
    frame[frame["item_id"] != "rye"].to_parquet(tmp_path / "items.parquet")
    chunks = list(read_chunks(TABLES["items"], tmp_path / "items.parquet"))
    assert [list(chunk.frame) for chunk in chunks] == [["item_id", "title"]]
    assert chunks[0].frame["item_id"].tolist() == ["milk", "jam"]
