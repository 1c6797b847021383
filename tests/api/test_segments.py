"""Segments, cohorts and lifecycle over real sockets, on each kind of database."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from recommender.retention.segment_store import SegmentStore
from recommender.score_store import ScoreStore
from tests import small_shop

READ, WRITE = "risk:read", "segments:write"
LEFT = sorted(small_shop.customer_id(number) for number in range(small_shop.CUSTOMERS) if small_shop.has_left(number))
STATES = {"prospect", "new", "active", "slipping", "lapsed", "won_back"}


def put(server, name, rule):
    return server.ask("PUT", f"/v1/segments/{quote(name, safe='')}", scope=WRITE, body={"rule": rule})


@pytest.fixture
def gone(server):
    """A segment of those who left the small shop, deleted in the end."""
    made = put(server, "gone", 'segment = "lapsed" and order_count < 29')
    assert made.status == 200, made.body
    yield made.json
    server.ask("DELETE", "/v1/segments/gone", scope=WRITE)


def test_a_segment_is_made_read_listed_and_deleted(server, gone):
    assert (gone["name"], gone["customer_count"]) == ("gone", len(LEFT))
    assert gone["created_at"].endswith("Z")
    assert gone["as_of"].startswith("2024-02-29")
    assert server.ask("GET", "/v1/segments/gone", scope=READ).json == gone
    assert gone in server.ask("GET", "/v1/segments", scope=READ).json["data"]
    assert server.ask("DELETE", "/v1/segments/gone", scope=WRITE).status == 204
    for method, path in (("GET", ""), ("GET", "/customers"), ("GET", "/history"), ("DELETE", "")):
        answer = server.ask(method, f"/v1/segments/gone{path}", scope=READ if method == "GET" else WRITE)
        assert (answer.status, answer.json["code"]) == (404, "unknown_segment")


def test_its_customers_come_page_by_page(server, gone):
    found, cursor = [], ""
    while cursor is not None:
        page = server.ask("GET", f"/v1/segments/gone/customers?limit=7{cursor}", scope=READ).json
        assert page["has_more"] == (page["next_cursor"] is not None)
        found += page["data"]
        cursor = f"&cursor={quote(page['next_cursor'])}" if page["has_more"] else None
    assert [one["customer_id"] for one in found] == LEFT
    assert {one["segment"] for one in found} == {"lapsed"}
    assert {one["entered_at"] for one in found} == {gone["as_of"]}
    assert all(one["rfm"][0] == "1" for one in found)


def test_its_history_tells_when_how_many_came(server, gone):
    history = server.ask("GET", "/v1/segments/gone/history", scope=READ).json
    point = {"at": gone["as_of"], "entered": len(LEFT), "left": 0, "customer_count": len(LEFT)}
    assert history == {"name": "gone", "data": [point]}


def test_who_refused_marketing_is_counted_and_not_listed(server, gone):
    body = {"consent_marketing": False}
    assert server.ask("PUT", f"/v1/customers/{LEFT[0]}", scope="catalog:write", body=body).status == 204
    listed = server.ask("GET", "/v1/segments/gone/customers?limit=500", scope=READ).json["data"]
    assert [one["customer_id"] for one in listed] == LEFT[1:]
    body = {"consent_marketing": True, "region": "south"}
    assert server.ask("PUT", f"/v1/customers/{LEFT[0]}", scope="catalog:write", body=body).status == 204


@pytest.mark.parametrize(
    ("name", "body", "place", "detail"),
    [
        ("some", {"rule": "price < 3"}, "/rule", "character 1: there is no field 'price'; there are customer_id"),
        ("some", {"rule": ""}, "/rule", "character 1: the filter is empty"),
        ("some", {"rule": "segment ="}, "/rule", "character 10: expected a text in double quotes"),
        ("some", {"rule": 'region = "a\x00"'}, "/rule", "character 12: this character cannot be stored"),
        ("some", {"rule": 3}, "/rule", "string"),
        ("some", {"rule": "order_count > 1", "name": "x"}, "/name", "is not known"),
        ("some", {}, "/rule", "required"),
        ("lapsed", {"rule": "order_count > 1"}, "name", "'lapsed' is a lifecycle state"),
        ("a/b c", {"rule": "order_count > 1"}, "name", "is no name of a segment"),
    ],
)
def test_what_cannot_be_saved_is_told_with_its_place(server, name, body, place, detail):
    answer = server.ask("PUT", f"/v1/segments/{quote(name, safe='')}", scope=WRITE, body=body)
    assert answer.status == 422
    problem = answer.json["errors"][0]
    assert problem.get("pointer", problem.get("parameter")) == place
    assert detail in problem["detail"]
    assert "some" not in [one["name"] for one in server.ask("GET", "/v1/segments", scope=READ).json["data"]]


def test_a_bad_cursor_is_a_422_and_a_key_to_read_cannot_write(server, gone):
    bad = server.ask("GET", "/v1/segments/gone/customers?cursor=x", scope=READ)
    assert (bad.status, bad.json["errors"][0]["parameter"]) == (422, "cursor")
    refused = server.ask("PUT", "/v1/segments/gone", scope=READ, body={"rule": "order_count > 1"})
    assert (refused.status, refused.json["code"]) == (403, "missing_scope")
    assert server.ask("GET", "/v1/segments", scope=WRITE).status == 403


def test_a_new_scoring_renews_the_members(server, gone):
    store = server.shop.store()
    try:
        scores = ScoreStore(store.engine)
        kept = [scores.get(one) for one in map(small_shop.customer_id, range(small_shop.CUSTOMERS))]
        scores.replace_all([one for one in kept if one is not None and one.customer_id != LEFT[3]])
        SegmentStore(store.engine).renew_all()
        assert server.ask("GET", "/v1/segments/gone", scope=READ).json["customer_count"] == len(LEFT) - 1
        scores.replace_all([one for one in kept if one is not None])
        SegmentStore(store.engine).renew_all()
    finally:
        store.close()
    assert server.ask("GET", "/v1/segments/gone", scope=READ).json["customer_count"] == len(LEFT)


def test_cohorts_and_curves_are_those_of_the_shop(server):
    answer = server.ask("GET", "/v1/cohorts", scope=READ).json
    assert answer["model_version"] == server.shop.version
    # everybody begins within the first 8 days, which lie in July, and comes back every 8 days
    july = answer["cohorts"][0]
    assert (july["cohort"], july["customers"]) == ("2023-07", small_shop.CUSTOMERS)
    assert len(answer["cohorts"]) == 1
    assert [one["month"] for one in july["months"]] == list(range(len(july["months"])))
    assert [one["share"] for one in july["months"][:3]] == [1.0, 1.0, 1.0]
    assert july["months"][6]["share"] == 1 - len(LEFT) / small_shop.CUSTOMERS
    second = answer["repurchase"][0]
    assert (second["order"], second["median_days"]) == (2, small_shop.VISIT_DAYS)
    points = {one["days"]: one["share"] for one in second["points"]}
    assert (points[7], points[14]) == (0.0, 1.0)
    assert [one["median_days"] for one in answer["repurchase"]] == [8, 16, 24, 32]


def test_the_lifecycle_of_the_shop_month_by_month(server):
    answer = server.ask("GET", "/v1/lifecycle", scope=READ).json
    assert (answer["told_by"], answer["activity_days"]) == ("orders", 56)
    assert set(answer["states"][0]["customers"]) == STATES
    assert {sum(one["customers"].values()) for one in answer["states"]} == {small_shop.CUSTOMERS}
    # 60 days before the end of February some stopped: on the first of February they are slipping
    last = answer["transitions"][-1]
    assert last["to_at"] == "2024-02-01T00:00:00Z"
    moved = {(one["origin"], one["state"]): one["customers"] for one in last["moves"]}
    assert moved == {("active", "active"): small_shop.CUSTOMERS - len(LEFT), ("active", "slipping"): len(LEFT)}
    for one in answer["transitions"]:
        by_origin = {}
        for move in one["moves"]:
            by_origin[move["origin"]] = by_origin.get(move["origin"], 0) + move["share"]
        assert all(share == pytest.approx(1) for share in by_origin.values())
