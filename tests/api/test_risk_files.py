import csv
import io
import json
from datetime import UTC, datetime

import pytest

from api.risk_files import COLUMNS, csv_lines, guarded, ndjson_lines
from api.schemas.risks import ChurnRiskOut
from recommender.answers import ChurnRisk, RiskReason

ANN = ChurnRisk(
    customer_id='=ann, "the" first',
    customer_known=True,
    in_population=True,
    churn_probability=0.5,
    horizon_days=28,
    population="orders in 56 days",
    band="high",
    expected_loss=-12.5,
    predicted_value=None,
    lever="service",
    action="call",
    reasons=(
        RiskReason("late", "2 orders came late", "service", "up", 0.75),
        RiskReason("gap", "+31 days", "offer", "up", 0.5),
    ),
    model_version="v1",
    as_of=datetime(2017, 12, 4, tzinfo=UTC),
)


def read_csv(parts):
    return list(csv.DictReader(io.StringIO(b"".join(parts).decode(), newline="")))


def test_a_risk_becomes_one_line_with_its_reasons_as_sentences():
    (row,) = read_csv(csv_lines(iter([ANN])))
    assert tuple(row) == COLUMNS
    assert row["churn_probability"] == "0.5"
    assert (row["reason_1"], row["reason_2"], row["reason_3"]) == ("2 orders came late", "'+31 days", "")
    assert (row["customer_known"], row["as_of"], row["predicted_value"]) == ("true", "2017-12-04T00:00:00Z", "")


def test_a_text_that_a_spreadsheet_would_run_is_guarded_and_a_negative_number_is_not():
    (row,) = read_csv(csv_lines(iter([ANN])))
    assert row["customer_id"] == '\'=ann, "the" first'
    assert row["expected_loss"] == "-12.5"


@pytest.mark.parametrize(
    ("text", "shown"), [("=1", "'=1"), ("@a", "'@a"), ("\ta", "'\ta"), ("a=", "a="), ("", ""), (None, None)]
)
def test_only_beginnings_that_start_a_formula_are_guarded(text, shown):
    assert guarded(text) == shown


def test_an_empty_list_is_the_head_line_alone():
    assert b"".join(csv_lines(iter([]))) == (",".join(COLUMNS) + "\r\n").encode()
    assert b"".join(ndjson_lines(iter([]))) == b""


def test_a_line_of_ndjson_is_the_risk_as_the_json_answer_has_it():
    lines = b"".join(ndjson_lines(iter([ANN, ANN]))).splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0]) == ChurnRiskOut.model_validate(ANN).model_dump(mode="json")


def test_a_failure_of_the_store_comes_before_the_answer_begins():
    def failing():
        raise ConnectionError("gone")
        yield

    for write_lines in (csv_lines, ndjson_lines):
        with pytest.raises(ConnectionError):
            write_lines(failing())


def test_all_rows_of_a_long_list_are_written():
    rows = read_csv(csv_lines(ANN for _ in range(1_203)))
    assert len(rows) == 1_203
