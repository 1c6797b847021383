"""The ladder of treatments and their effects, over real sockets."""

from __future__ import annotations

import pytest

from recommender.customer_answers import MAIN_DEFINITION
from recommender.periods import instant
from recommender.retention.effect_answers import MeasuredEffects
from recommender.retention.effect_store import keep_effects
from recommender.retention.treatments import HELD_OUT, TreatmentPolicy
from tests.training.retention.test_effect_report import MEASURED

EFFECTS = "/v1/treatments/effects"


def ask_for(server, path):
    answer = server.ask("GET", path, scope="risk:read")
    assert answer.status == 200, answer.body
    return answer.json


def test_the_ladder_in_force_is_told_with_its_rules_and_its_holdout(server):
    told = ask_for(server, "/v1/treatments")
    assert (told["experiment"], told["holdout_share"], told["recovery"]) == ("retention", 0.05, "service_recovery")
    assert [(one["rank"], one["name"]) for one in told["data"]] == [
        (1, "service_recovery"),
        (2, "content"),
        (3, "points"),
        (4, "offer"),
    ]
    assert told["data"][3]["suggested_for"] == [{"band": "high", "lever": "offer"}]
    assert told["data"][0]["sentence"].startswith("Call the customer")
    assert "low risk is left alone" in told["rules"][0]
    assert told["model_version"]


def test_effects_that_were_never_measured_are_an_empty_answer(server):
    told = ask_for(server, f"{EFFECTS}?definition=never-measured")
    assert (told["definition"], told["as_of"], told["data"], told["left_out"]) == ("never-measured", None, [], {})


def test_effects_are_those_that_were_measured_last(server):
    store = server.shop.store()
    for told in (MeasuredEffects(MAIN_DEFINITION, 7, "before", 0.5, instant("2024-04-01")), MEASURED):
        keep_effects(store.engine, told, as_of=told.as_of)
    store.close()
    told = ask_for(server, EFFECTS)
    assert (told["experiment"], told["horizon_days"], told["as_of"]) == ("retention", 28, "2024-05-01T00:00:00Z")
    offer, points, content = told["data"]
    assert (offer["treatment"], offer["verdict"], offer["verdict_text"]) == (
        "offer",
        "raises_retention",
        "keeps customers",
    )
    assert offer["cost_per_saved"] == {"value": 16.0, "low": 8.9, "high": 80.0}
    assert points["notes"] == ["few customers make most of the revenue"]
    assert (content["verdict"], content["retention"]) == ("no_holdout", None)
    assert told["left_out"] == {"window_not_complete": 7}


def test_the_list_says_who_is_held_out_and_suggests_nothing_there(server):
    policy = TreatmentPolicy()
    rows = ask_for(server, "/v1/churn-risks?limit=500")["data"]
    assert {row["customer_id"] for row in rows if row["is_holdout"]} == {
        row["customer_id"] for row in rows if policy.holds_out(row["customer_id"])
    }
    for row in rows:
        assert "suggested_treatment" not in row
        assert not row["is_holdout"] or (row["treatment"], row["action"]) == (None, HELD_OUT)
        assert row["is_holdout"] or row["band"] in ("high", "medium") or row["treatment"] is None


@pytest.mark.parametrize("path", ["/v1/treatments", EFFECTS])
def test_another_scope_is_refused(server, path):
    assert server.ask("GET", path, scope="recs:read").status == 403
    assert server.ask("GET", path).status == 401


@pytest.mark.parametrize("query", ["definition=", "definition=" + "x" * 257, "share=1", "definition=a&definition=b"])
def test_a_parameter_that_cannot_be_used_is_refused(server, query):
    answer = server.ask("GET", f"{EFFECTS}?{query}", scope="risk:read")
    assert (answer.status, answer.headers["Content-Type"]) == (422, "application/problem+json")


def test_any_text_may_be_asked_for_as_a_definition(server):
    assert ask_for(server, f"{EFFECTS}?definition=%00")["data"] == []
