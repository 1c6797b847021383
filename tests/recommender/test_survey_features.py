import math

from recommender.touchpoints.surveys import SURVEY_BLOCK, SURVEY_RESPONSES, survey_features
from tests.recommender.rows import CUTOFF, features_of, rows_of


def answer(response_id, kind, days, score, customer_id="ann"):
    return {
        "response_id": response_id,
        "customer_id": customer_id,
        "answered_at": days,
        "kind": kind,
        "score": score,
    }


def test_each_scale_has_its_last_mean_and_change():
    rows = rows_of(
        SURVEY_RESPONSES,
        answer("s1", "nps", 90.0, 10.0),
        answer("s2", "nps", 60.0, 8.0),
        answer("s3", "nps", 30.5, 6.0),
        answer("s4", "csat", 20.5, 4.0),
        answer("s5", "csat", -3.0, 1.0),
    )
    ann = features_of(SURVEY_BLOCK, rows).loc["ann"]
    assert ann["nps_last_score"] == 6
    assert ann["nps_mean_score"] == 8
    assert ann["nps_change_score"] == 6 - (10 + 8) / 2
    assert ann["csat_last_score"] == 4
    assert math.isnan(ann["csat_change_score"])
    assert math.isnan(ann["ces_last_score"])
    assert ann["survey_count"] == 4
    assert ann["days_since_last_survey"] == 20.5


def test_a_detractor_answers_six_or_less():
    rows = rows_of(SURVEY_RESPONSES, answer("s1", "nps", 9.0, 6.0), answer("s2", "nps", 9.0, 7.0, "bob"))
    assert features_of(SURVEY_BLOCK, rows)["is_nps_detractor"].to_dict() == {"ann": 1.0, "bob": 0.0}


def test_who_was_never_asked_is_no_detractor_and_no_promoter():
    rows = rows_of(SURVEY_RESPONSES, answer("s1", "csat", 9.0, 5.0))
    assert math.isnan(features_of(SURVEY_BLOCK, rows).loc["ann", "is_nps_detractor"])


def test_of_two_answers_at_one_instant_the_lower_is_the_last():
    rows = rows_of(SURVEY_RESPONSES, answer("s1", "ces", 9.0, 2.0), answer("s2", "ces", 9.0, 5.0))
    assert features_of(SURVEY_BLOCK, rows).loc["ann", "ces_last_score"] == 2
    assert features_of(SURVEY_BLOCK, rows[::-1]).loc["ann", "ces_last_score"] == 2


def test_answers_of_all_kinds_are_put_on_one_scale_from_worst_to_best():
    rows = rows_of(
        SURVEY_RESPONSES,
        answer("s1", "nps", 200.0, 0.0),
        answer("s2", "nps", 90.0, 9.0),
        answer("s3", "csat", 60.0, 3.0),
        answer("s4", "ces", 30.0, 2.5),
    )
    ann = features_of(SURVEY_BLOCK, rows).loc["ann"]
    assert ann["satisfaction_last_share"] == 0.25
    assert ann["satisfaction_182d_mean_share"] == (0.9 + 0.5 + 0.25) / 3
    assert ann["satisfaction_182d_lowest_share"] == 0.25


def test_no_answer_gives_no_customer():
    assert len(survey_features(SURVEY_RESPONSES.empty(), CUTOFF)) == 0
