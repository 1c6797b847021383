"""The workbook of the churn list, read by a library that did not write it."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import openpyxl
import pytest

from api.risk_columns import DEFAULT_COLUMNS, chosen_columns
from api.risk_workbook import About, workbook_parts
from recommender.customer_answers import ChurnRisk, RiskReason

ABOUT = About(datetime(2017, 12, 5, 9, 30, tzinfo=UTC), "churn", "band=high", 1)
ANN = ChurnRisk(
    customer_id="007",
    customer_known=True,
    in_population=True,
    churn_probability=0.625,
    horizon_days=28,
    population="an order in the 56 days before",
    band="high",
    expected_loss=65.04,
    predicted_value=None,
    lever="service",
    action="=HYPERLINK(1)",
    reasons=(RiskReason("late", "2 orders came late", "service", "up", 0.75),),
    model_version="v1",
    as_of=datetime(2017, 12, 4, 8, tzinfo=UTC),
    last_order_at=datetime(2017, 11, 3, 17, 20, tzinfo=UTC),
)


def opened(risks, columns=DEFAULT_COLUMNS, about=ABOUT):
    return openpyxl.load_workbook(io.BytesIO(b"".join(workbook_parts(columns, iter(risks), about))))


def cells_of(book):
    head, *rows = book["churn risks"].iter_rows()
    return [dict(zip((one.value for one in head), row, strict=True)) for row in rows]


def texts_of(book):
    return {name.value: text.value for name, text in book["read me"].iter_rows(max_col=2) if name.value}


def test_numbers_are_numbers_with_a_format_and_instants_are_dates():
    (cells,) = cells_of(opened([ANN]))
    assert (cells["churn_probability"].value, cells["churn_probability"].number_format) == (0.625, "0.0%")
    assert (cells["expected_loss"].value, cells["expected_loss"].number_format) == (65.04, "#,##0.00")
    assert cells["horizon_days"].value == 28
    assert (cells["last_order_at"].value, cells["last_order_at"].is_date) == (datetime(2017, 11, 3, 17, 20), True)
    assert cells["in_population"].value is True
    assert cells["predicted_value"].value is None


@pytest.mark.parametrize("customer_id", ["007", "1e5", "=1+1", "+49", "2017-12-04", "https://example.com"])
def test_an_identifier_stays_the_text_that_it_is(customer_id):
    (cells,) = cells_of(opened([replace(ANN, customer_id=customer_id)]))
    assert (cells["customer_id"].data_type, cells["customer_id"].value) == ("s", customer_id)
    assert cells["customer_id"].hyperlink is None


def test_no_text_is_a_formula():
    (cells,) = cells_of(opened([ANN]))
    assert (cells["action"].data_type, cells["action"].value) == ("s", "=HYPERLINK(1)")


def test_the_head_line_stays_in_sight_and_filters():
    sheet = opened([ANN, ANN])["churn risks"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref.startswith("A1:")
    assert sheet.auto_filter.ref.endswith("3")
    assert all(sheet.column_dimensions[letter].width >= 9 for letter in "ABCD")


def test_a_second_sheet_explains_the_list_and_every_column():
    book = opened([ANN])
    assert book.sheetnames == ["churn risks", "read me"]
    texts = texts_of(book)
    assert {column.name for column in DEFAULT_COLUMNS} <= set(texts)
    assert "2017-12-04 08:00 UTC" in texts["Scored as of"]
    assert (texts["Asked for"], texts["Rows"]) == ("band=high", "1")
    assert "an order in the 56 days before" in texts["Population"]
    assert "28 days" in texts["Horizon"]
    assert texts["high"] == "churn probability from 50%"
    assert "in the account currency" in texts["expected_loss"]


def test_an_empty_list_says_so():
    book = opened([], about=replace(ABOUT, row_count=0))
    assert cells_of(book) == []
    assert "nobody is on the list" in texts_of(book)["Definition"]


def test_chosen_columns_come_alone():
    columns = chosen_columns(("customer_id", "reasons"), with_previous=False)
    (cells,) = cells_of(opened([ANN], columns))
    assert [cell.value for cell in cells.values()] == ["007", "2 orders came late", None, None]


def test_a_failure_of_the_store_comes_before_the_answer_begins():
    def failing():
        raise ConnectionError("gone")
        yield

    with pytest.raises(ConnectionError):
        workbook_parts(DEFAULT_COLUMNS, failing(), ABOUT)
