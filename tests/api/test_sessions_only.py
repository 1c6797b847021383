"""A shop that knows sessions of visitors alone: from the log to the answers over HTTP."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
from click.testing import CliRunner

from api.app import create_app
from api.config import Settings
from tests.conftest import NOW
from training.cli import main

# Who looks at the tent looks at the stove next, who looks at the lamp at the bulb; the map is looked at most.
WALKS = (("tent", "stove", "map"), ("lamp", "bulb", "map"))
VISITS = 60


def write_log(folder):
    with (folder / "interactions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["event_id", "kind", "occurred_at", "session_id", "item_id"])
        for visit in range(VISITS):
            for place, item in enumerate(WALKS[visit % 2]):
                at = NOW - timedelta(days=VISITS - visit) + timedelta(minutes=place)
                writer.writerow([f"{visit}-{place}", "view", at.isoformat(), f"visit {visit}", item])
        writer.writerow(["last", "view", (NOW - timedelta(minutes=9)).isoformat(), "open visit", "tent"])


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory):
    folder, home = tmp_path_factory.mktemp("log"), tmp_path_factory.mktemp("home")
    write_log(folder)
    said = {}
    for command in (["ingest", str(folder)], ["readiness"], ["train"], ["score"]):
        ran = CliRunner().invoke(main, command, env={"REGULARS_HOME": str(home)})
        assert ran.exit_code == 0, ran.output
        said[command[0]] = ran.stdout
    return home, said


@pytest.fixture(scope="module")
def client(trained_home):
    home, _ = trained_home
    made = create_app(
        Settings(home=home, store=f"sqlite:///{home / 'store.sqlite'}", api_keys_required=False), clock=lambda: NOW
    )
    yield made.test_client()
    made.extensions["regulars"].close()


def ids(answer):
    return [one["item_id"] for one in answer["items"]]


def test_readiness_tells_what_sessions_can_support_apart_from_what_needs_customers(trained_home):
    lines = trained_home[1]["readiness"].splitlines()
    assert (
        "not ready  next item for visitors: 1,000 order lines or interactions with an item are needed, 181 are there"
        in lines
    )
    assert any(line.startswith("not ready  recommendations:") for line in lines)


def test_the_report_of_a_training_says_what_was_left_out_and_why(trained_home):
    said = trained_home[1]["train"]
    assert "0 customers, 5 items, 181 interactions" in said
    assert "left out: lists for customers (no order line or interaction names a customer" in said
    assert "left out: bought_together (NotEnoughData: no two items stand in one basket" in said
    assert "left out: repurchase (" in said
    assert "who leaves: no model" in said
    assert "gate: passed" in said


def test_the_events_of_a_visitor_lead_to_what_comes_next(client):
    asked = {"session_id": "now", "placement": "session", "recent_events": [{"item_id": "tent"}]}
    answer = client.post("/v1/recommendations", json=asked).json
    assert (answer["strategy"], answer["fallback"], answer["customer_known"]) == ("next_in_session", None, False)
    assert ids(answer)[0] == "stove"
    assert answer["items"][0]["reasons"][0]["text"] == "Often follows tent"


def test_a_stored_visit_is_gone_on_with(client):
    answer = client.post("/v1/recommendations", json={"session_id": "open visit", "placement": "session"}).json
    assert (answer["strategy"], ids(answer)[0]) == ("next_in_session", "stove")


def test_a_list_for_a_customer_is_told_to_be_that_of_everybody(client):
    for answer in (
        client.get("/v1/customers/ann/recommendations").json,
        client.post("/v1/recommendations", json={"session_id": "now", "recent_events": [{"item_id": "tent"}]}).json,
    ):
        assert answer["fallback"] == "popular_items"
        assert ids(answer)[0] == "map"


def test_items_given_are_told_to_be_in_the_order_of_popularity(client):
    asked = {"session_id": "now", "recent_events": [{"item_id": "tent"}], "item_ids": ["bulb", "map"]}
    answer = client.post("/v1/rerank", json=asked).json
    assert (answer["fallback"], ids(answer)) == ("popular_items", ["map", "bulb"])


def test_similar_popular_and_trending_items_come_from_sessions(client):
    similar = client.get("/v1/items/lamp/similar").json
    assert (similar["fallback"], ids(similar)[0]) == (None, "bulb")
    assert ids(client.get("/v1/items/popular").json)[0] == "map"
    assert client.get("/v1/items/trending").json["fallback"] is None
    together = client.get("/v1/items/lamp/bought-together").json
    assert together["fallback"] == "similar_items"
    assert "nothing is known for bought_together" in together["warnings"][0]


def test_nobody_leaves_and_nobody_is_to_be_told(client):
    assert client.get("/v1/churn-risks").json["data"] == []
    assert client.get("/v1/customers/ann/churn-risk").json["churn_probability"] is None
    assert client.get("/v1/items/lamp/customers").json["customers"] == []
