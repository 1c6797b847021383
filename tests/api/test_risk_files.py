import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.errors import Problem
from api.risk_columns import COLUMNS, DEFAULT_COLUMNS, chosen_columns, chosen_fields
from api.risk_files import are_stored, csv_lines, guarded, ndjson_lines, risk_texts, stored_names, stored_texts
from api.schemas.risks import ChurnRiskOut
from recommender.customer_answers import ChurnRisk, RiskReason
from recommender.score_rows import ScoreRow, to_sql
from recommender.store_schema import SCORES

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


CONTRACT = (
    *("customer_id", "customer_known", "in_population", "churn_probability", "horizon_days", "population", "band"),
    *("expected_loss", "predicted_value", "lever", "action", "reason_1", "reason_2", "reason_3", "model_version"),
    "as_of",
)


def read_csv(parts):
    return list(csv.DictReader(io.StringIO(b"".join(parts).decode(), newline="")))


def csv_of(risks, columns=DEFAULT_COLUMNS):
    return csv_lines(columns, risk_texts(columns, iter(risks)))


def test_a_risk_becomes_one_line_with_its_reasons_as_sentences():
    (row,) = read_csv(csv_of([ANN]))
    assert tuple(row)[: len(CONTRACT)] == CONTRACT
    assert row["churn_probability"] == "0.5"
    assert (row["reason_1"], row["reason_2"], row["reason_3"]) == ("2 orders came late", "'+31 days", "")
    assert (row["customer_known"], row["as_of"], row["predicted_value"]) == ("true", "2017-12-04T00:00:00Z", "")


def test_a_text_that_a_spreadsheet_would_run_is_guarded_and_a_negative_number_is_not():
    (row,) = read_csv(csv_of([ANN]))
    assert row["customer_id"] == '\'=ann, "the" first'
    assert row["expected_loss"] == "-12.5"


@pytest.mark.parametrize(
    ("text", "shown"), [("=1", "'=1"), ("@a", "'@a"), ("\ta", "'\ta"), ("a=", "a="), ("", ""), (None, None)]
)
def test_only_beginnings_that_start_a_formula_are_guarded(text, shown):
    assert guarded(text) == shown


@pytest.mark.parametrize("text", ['a, "b"', "a\nb", 'a"b', "a\rb", " a ", "é; ü"])
def test_what_separates_cells_and_rows_is_quoted(text):
    (row,) = read_csv(csv_of([replace(ANN, band=text)]))
    assert row["band"] == text


def test_an_empty_list_is_the_head_line_alone():
    head = ",".join(column.name for column in DEFAULT_COLUMNS) + "\r\n"
    assert b"".join(csv_of([])) == head.encode()
    assert b"".join(ndjson_lines(iter([]), ())) == b""


def test_a_line_of_ndjson_is_the_risk_as_the_json_answer_has_it():
    lines = b"".join(ndjson_lines(iter([ANN, ANN]), ())).splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0]) == ChurnRiskOut.model_validate(ANN).model_dump(mode="json")


def test_chosen_fields_come_alone_and_in_the_order_asked_for():
    (line,) = b"".join(ndjson_lines(iter([ANN]), chosen_fields(("band", "customer_id")))).splitlines()
    assert line == b'{"band":"high","customer_id":"=ann, \\"the\\" first"}'
    columns = chosen_columns(("reason_2", "band", "reasons"), with_previous=False)
    assert [column.name for column in columns] == ["reason_2", "band", "reason_1", "reason_3"]


@pytest.mark.parametrize("choose", [chosen_fields, lambda names: chosen_columns(names, with_previous=False)])
def test_an_unknown_field_is_refused_by_name(choose):
    with pytest.raises(Problem, match="fields: 'colour' is not known; known are customer_id, ") as problem:
        choose(("band", "colour"))
    assert problem.value.status == 422


def test_a_whole_list_has_the_cells_of_the_rows_as_they_are_stored():
    moment = datetime(2024, 2, 29, 23, 59, 58, 7, tzinfo=UTC)
    row = ScoreRow(
        customer_id="-7",
        model_version="v1",
        as_of=datetime(2017, 12, 4, tzinfo=UTC),
        in_population=True,
        churn_probability=0.5,
        horizon_days=28,
        population="orders in 56 days",
        band="high",
        predicted_value=None,
        historic_value=1.0,
        expected_loss=-12.5,
        lever="service",
        action="call",
        reasons=ANN.reasons,
        segment=None,
        region="@home",
        order_count=3,
        last_order_at=moment,
        churn_curve=((7, 0.25), (14, 0.5)),
    )
    columns = tuple(one for one in COLUMNS.values() if are_stored([one]))
    stored = dict(zip((column.name for column in SCORES.columns), to_sql(row, 1, 1), strict=True))
    part = [[stored[name] for name in stored_names(columns)]]
    told = {name: getattr(row, name) for name in stored_names(columns)}
    risk = ChurnRisk(**told, customer_known=True, scored_at=row.as_of)
    (row_as_stored,) = read_csv(csv_lines(columns, stored_texts(columns, iter([part]))))
    assert [row_as_stored] == read_csv(csv_lines(columns, risk_texts(columns, iter([risk]))))
    assert (row_as_stored["last_order_at"], row_as_stored["region"]) == ("2024-02-29T23:59:58.000007Z", "'@home")
    assert (row_as_stored["scored_at"], row_as_stored["reason_3"]) == ("2017-12-04T00:00:00Z", "")
    assert not are_stored([COLUMNS["churn_curve"]])


def test_a_failure_of_the_store_comes_before_the_answer_begins():
    def failing():
        raise ConnectionError("gone")
        yield

    with pytest.raises(ConnectionError):
        csv_of(failing())
    with pytest.raises(ConnectionError):
        ndjson_lines(failing(), ())


def test_all_rows_of_a_long_list_are_written():
    assert len(read_csv(csv_of(ANN for _ in range(1_203)))) == 1_203
