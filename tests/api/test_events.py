"""What comes in: events of every table, items, customers."""

import pytest

from recommender.touchpoints import TABLES
from tests.api.test_errors import problem_of
from tests.conftest import NOW

AT = "2024-02-01T10:00:00Z"
VIEW = {"kind": "view", "occurred_at": AT, "customer_id": "eve", "item_id": "a00"}
EVENTS = {
    "order_lines": {"order_id": "o1", "item_id": "a00", "customer_id": "eve", "ordered_at": AT, "line_number": 1},
    "returns": {"return_id": "r1", "customer_id": "eve", "item_id": "a00", "returned_at": AT},
    "interactions": {"event_id": "i1", **VIEW},
    "subscriptions": {"subscription_id": "s1", "customer_id": "eve", "started_at": AT},
    "tickets": {"ticket_id": "t1", "customer_id": "eve", "opened_at": AT},
    "survey_responses": {"response_id": "a1", "customer_id": "eve", "answered_at": AT, "kind": "nps", "score": 9},
    "contacts": {"contact_id": "c1", "customer_id": "eve", "sent_at": AT, "channel": "email"},
    "assignments": {"assignment_id": "d1", "offer_id": "f", "customer_id": "eve", "assigned_at": AT, "arm": "control"},
    "redemptions": {"redemption_id": "u1", "offer_id": "f", "customer_id": "eve", "redeemed_at": AT},
    "impressions": {"recommendation_id": "m1", "rank": 1, "shown_at": AT, "customer_id": "eve"},
    "referrals": {"referral_id": "l1", "referrer_id": "eve", "referred_id": "bob", "referred_at": AT},
}


@pytest.fixture
def post(ask):
    return lambda body: ask("POST", "/v1/events", scope="events:write", json=body)


def test_every_event_table_takes_events_and_counts_them_once(post, app):
    assert set(EVENTS) == {name for name, table in TABLES.items() if not table.is_entity}
    events = [{"table": name, **event} for name, event in EVENTS.items()]
    first = post({"events": events})
    assert first.status_code == 202
    assert first.json == {"accepted": len(EVENTS), "duplicates": 0, "rejected": []}
    assert post(events).json == {"accepted": 0, "duplicates": len(EVENTS), "rejected": []}
    stored = app.extensions["regulars"].store.rows_of_customer("interactions", "eve", before=NOW)
    assert [row["event_id"] for row in stored] == ["i1"]


def test_one_event_is_an_interaction_unless_it_says_otherwise(post):
    assert post({"event_id": "i2", **VIEW}).json == {"accepted": 1, "duplicates": 0, "rejected": []}


def test_the_good_events_are_stored_and_the_bad_ones_are_told_with_their_place(post):
    answer = post(
        {
            "events": [
                {"event_id": "i3", **VIEW},
                {"event_id": "i4", **VIEW, "occurred_at": "2024-02-01T10:00:00"},
                {"event_id": "i5", **VIEW, "occurred_at": "2999-01-01T00:00:00Z"},
                {"event_id": "x" * 257, **VIEW},
                {"table": "order_lines", **EVENTS["order_lines"], "order_id": "o2", "quantity": -1},
                {"table": "items", "item_id": "a00"},
                "event",
                {"event_id": "i6", **VIEW, "mood/now": "good"},
                {"event_id": "i1", **VIEW, "item_id": "a01"},
                {"event_id": "i7", **VIEW},
            ]
        }
    )
    assert answer.status_code == 202
    assert (answer.json["accepted"], answer.json["duplicates"]) == (2, 0)
    told = [(one["index"], one["code"], one["pointer"]) for one in answer.json["rejected"]]
    assert told == [
        (1, "naive_instant", "/events/1/occurred_at"),
        (2, "future_instant", "/events/2/occurred_at"),
        (3, "too_long", "/events/3/event_id"),
        (4, "negative", "/events/4/quantity"),
        (5, "unknown_table", "/events/5/table"),
        (6, "wrong_type", "/events/6"),
        (7, "unknown_column", "/events/7/mood~1now"),
        (8, "key_conflict", "/events/8/item_id"),
    ]


BAD_BODIES = [([{}], "/0/event_id"), ({}, "/event_id"), ({"events": [{}]}, "/events/0/event_id")]


@pytest.mark.parametrize(("body", "pointer"), BAD_BODIES)
def test_also_where_all_are_bad_the_answer_is_202_and_points_into_the_body_as_it_came(post, body, pointer):
    answer = post(body)
    assert answer.status_code == 202
    assert [one["pointer"] for one in answer.json["rejected"]] == [pointer]


def test_no_events_are_no_error(post):
    assert post([]).json == {"accepted": 0, "duplicates": 0, "rejected": []}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ("text", "", "wrong_type"),
        (7, "", "wrong_type"),
        ({"events": {}}, "/events", "wrong_type"),
        ({"events": [], "more": 1}, "/more", "unknown"),
        ([{}] * 1_001, "", "too_many"),
    ],
)
def test_a_body_that_is_not_events_is_invalid(post, body, pointer, code):
    (error,) = problem_of(post(body), 422, "invalid_request")["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


def test_a_thousand_events_are_taken_at_once(post):
    assert post([{"event_id": f"k{number}", **VIEW} for number in range(1_000)]).json["accepted"] == 1_000


def test_an_item_is_replaced_by_what_is_put(ask, app):
    put = {"title": "Tea", "price": 2.5, "colour": "green"}
    response = ask("PUT", "/v1/items/new", scope="catalog:write", json=put)
    assert (response.status_code, response.data) == (204, b"")
    ask("PUT", "/v1/items/new", scope="catalog:write", json={"item_id": "new", "title": "Tee"})
    (row,) = app.extensions["regulars"].store.rows_by_key("items", ["new"]).values()
    assert (row["title"], row["price"]) == ("Tee", None)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"price": -1}, "/price", "negative"),
        ({"price": "cheap"}, "/price", "wrong_type"),
        ({"available_from": "2024-02-01T10:00:00"}, "/available_from", "naive_instant"),
        ({"attributes": "green", "colour": "green"}, "/attributes", "wrong_type"),
        ({"item_id": "other"}, "/item_id", "key_conflict"),
        ([], "", "dict_type"),
    ],
)
def test_a_row_that_cannot_be_stored_is_invalid(ask, body, pointer, code):
    response = ask("PUT", "/v1/items/new", scope="catalog:write", json=body)
    (error,) = problem_of(response, 422, "invalid_request")["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


@pytest.mark.parametrize(("identifier", "code"), [("x" * 257, "too_long"), ("a%00b", "control_character")])
@pytest.mark.parametrize(("method", "scope"), [("PUT", "catalog:write"), ("DELETE", "privacy:write")])
def test_an_identifier_that_cannot_be_stored_is_invalid_for_writing(ask, method, scope, identifier, code):
    body = {"json": {}} if method == "PUT" else {}
    response = ask(method, f"/v1/customers/{identifier}", scope=scope, **body)
    (error,) = problem_of(response, 422, "invalid_request")["errors"]
    assert (error["parameter"], error["code"]) == ("customer_id", code)


@pytest.mark.parametrize("identifier", ["x" * 257, "a%00b"])
@pytest.mark.parametrize("resource", ["/recommendations", "/churn-risk", "/churn-risk?fresh=true", "/value", ""])
def test_an_identifier_that_cannot_be_stored_is_unknown_for_reading(ask, identifier, resource):
    scope = "recs:read" if resource == "/recommendations" else "risk:read"
    response = ask("GET", f"/v1/customers/{identifier}{resource}", scope=scope)
    assert response.status_code == 200
    assert response.json["customer_known"] is False
    assert response.json["customer_id"] == identifier.replace("%00", "\0")


@pytest.mark.parametrize("identifier", ["x" * 257, "a%00b"])
def test_an_item_that_cannot_be_stored_is_like_no_other(ask, identifier):
    response = ask("GET", f"/v1/items/{identifier}/similar", scope="recs:read")
    assert response.json["fallback"] == "popular_items"
