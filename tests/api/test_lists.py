"""Lists over HTTP: the page, the visit, filters, exclusions, batches, the next page, re-ranking; and rubbish."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.filters import parse_filter
from recommender.kept_requests import new_recommendation_id
from tests import small_shop
from tests.conftest import NOW

RECOMMENDATIONS = "/v1/recommendations"
MOST = {"limit": 100}


def ask_for(server, path=RECOMMENDATIONS, **body):
    answer = server.ask("POST", path, scope="recs:read", body=body)
    assert answer.status == 200, answer.body
    return answer.json


def next_page(server, first, query=""):
    """The next page of a list; who is told to ask again does."""
    path = f"{RECOMMENDATIONS}/{first['recommendation_id']}/next{query}"
    answer = server.ask("GET", path, scope="recs:read")
    while answer.status == 503 and answer.headers["Retry-After"]:
        answer = server.ask("GET", path, scope="recs:read")
    assert answer.status == 200, answer.body
    return answer.json


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def test_a_post_answers_as_the_get_does(server):
    posted = ask_for(server, customer_id="c001", limit=5)
    got = server.ask("GET", "/v1/customers/c001/recommendations?limit=5", scope="recs:read").json
    assert set(posted) == set(got)
    assert (ids(posted), posted["strategy"]) == (ids(got), got["strategy"])


def test_the_last_click_of_a_stranger_counts_at_once(server):
    cold = ask_for(server, placement="discover", limit=10)
    assert (cold["customer_known"], cold["customer_id"], cold["fallback"]) == (False, None, "popular_items")
    for department in "ab":
        clicks = [{"item_id": f"{department}05"}, {"item_id": f"{department}06", "kind": "cart_add"}]
        answer = ask_for(server, placement="item", limit=8, recent_events=clicks, context_items=[f"{department}05"])
        assert answer["fallback"] is None
        assert {item_id[0] for item_id in ids(answer)} == {department}
        assert f"{department}05" not in ids(answer)


def test_a_session_that_was_sent_as_events_counts_for_a_stranger(server):
    event = {"event_id": "sess-1", "kind": "view", "item_id": "b07", "session_id": "visit 1"}
    event["occurred_at"] = "2024-03-02T11:00:00+01:00"
    for _ in range(2):
        server.ask("POST", "/v1/events", scope="events:write", body=event)
    viewed = ask_for(server, session_id="visit 1", placement="recently_viewed")
    assert ids(viewed) == ["b07"]
    assert viewed["items"][0]["reasons"][0]["code"] == "viewed"
    assert (viewed["session_id"], viewed["as_of"]) == ("visit 1", "2024-03-02T10:00:00Z")
    other = ask_for(server, session_id="visit 2", placement="recently_viewed", limit=3)
    assert other["fallback"] == "popular_items"


def test_a_filter_an_exclusion_and_the_page_bound_the_list(server):
    text = 'category under "department a > shelf 1" and price < 30'
    wanted = {small_shop.item_id(0, number) for number in range(1, 29, 4)}
    answer = ask_for(server, customer_id="c003", filter=text, limit=100)
    assert set(ids(answer)) == wanted
    without = ask_for(server, customer_id="c003", filter=text, exclude=["a01"], context_items=["a05"], limit=100)
    assert set(ids(without)) == wanted - {"a01", "a05"}
    properties = ask_for(server, customer_id="c003", filter=text, include=["properties"])
    allows = parse_filter(text).for_customer(None)
    assert all(allows(one["item_id"], one["properties"]) for one in properties["items"])


def test_a_filter_that_excludes_everything_gives_an_empty_list_that_says_why(server):
    for who in ({"customer_id": "c001"}, {}):
        answer = ask_for(server, filter="price > 1000000", **who)
        assert answer["items"] == []
        assert "passes the filter" in answer["warnings"][-1]


def test_a_filter_knows_who_asks(server):
    text = 'customer.region = "north" and category under "department a"'
    assert {one[0] for one in ids(ask_for(server, customer_id="c001", filter=text))} == {"a"}
    for stranger in ("c002", "nobody", None):
        answer = ask_for(server, customer_id=stranger, filter=text)
        assert answer["items"] == []
        assert "passes the filter" in answer["warnings"][-1]


def test_what_is_in_the_cart_is_not_in_the_cart_s_list(server):
    clicks = [{"item_id": "a20", "kind": "cart_add"}, {"item_id": "a21", "kind": "cart_add"}]
    removed = [*clicks, {"item_id": "a21", "kind": "cart_remove"}]
    assert {"a20", "a21"}.isdisjoint(ids(ask_for(server, placement="cart", recent_events=clicks, **MOST)))
    assert "a20" not in ids(ask_for(server, placement="cart", recent_events=removed, **MOST))


def test_what_is_disliked_is_not_shown_again(server):
    before = ids(ask_for(server, customer_id="c005", limit=3))
    disliked = [{"item_id": before[0], "kind": "dislike"}]
    assert before[0] not in ids(ask_for(server, customer_id="c005", recent_events=disliked, **MOST))


def test_a_page_has_no_item_twice(server):
    requests = [{"customer_id": "c007", "placement": one, "limit": 8} for one in ("home", "buy_again", "discover")]
    page = ask_for(server, f"{RECOMMENDATIONS}/batch", requests=requests)["data"]
    shown = [item_id for one in page for item_id in ids(one)]
    assert len(shown) == len(set(shown)) > 16
    free = ask_for(server, f"{RECOMMENDATIONS}/batch", requests=requests, distinct=False)["data"]
    assert ids(free[0]) == ids(page[0])
    assert set(ids(free[0])) & set(ids(free[1]))


def test_the_next_page_goes_on_without_repeating_an_item_whichever_worker_answers(server):
    text = 'category under "department a"'
    first = ask_for(server, customer_id="c009", limit=4, filter=text, exclude=["a03"])
    path = f"{RECOMMENDATIONS}/{first['recommendation_id']}/next"
    pages = [first]
    for limit in (4, 7, 4):
        answer = server.ask("GET", f"{path}?limit={limit}", scope="recs:read")
        assert answer.status == 200
        pages.append(answer.json)
    shown = [item["item_id"] for page in pages for item in page["items"]]
    assert len(shown) == len(set(shown)) == 19
    assert {item_id[0] for item_id in shown} == {"a"}
    assert "a03" not in shown
    assert [item["rank"] for page in pages for item in page["items"]] == list(range(1, 20))
    assert {page["recommendation_id"] for page in pages} == {first["recommendation_id"]}
    assert {page["valid_until"] for page in pages[1:]} == {pages[1]["valid_until"]}


def test_the_end_of_a_list_is_told(server):
    first = ask_for(server, filter='item_id in ["a01", "b01"]', limit=2)
    rest = server.ask("GET", f"{RECOMMENDATIONS}/{first['recommendation_id']}/next", scope="recs:read").json
    assert rest["items"] == []
    assert "there is nothing more to show" in rest["warnings"]


def test_many_may_ask_at_once(server):
    def next_of(number):
        first = ask_for(server, customer_id=f"c{number:03d}", limit=3)
        return set(ids(first)).isdisjoint(ids(next_page(server, first)))

    with ThreadPoolExecutor(6) as clients:
        assert all(clients.map(next_of, range(20, 32)))


def test_those_who_ask_for_more_of_one_list_at_once_get_different_pages(server):
    first = ask_for(server, customer_id="c033", limit=2)
    limits = [3, 4, 5, 3, 4, 5]
    with ThreadPoolExecutor(6) as clients:
        pages = list(clients.map(lambda limit: next_page(server, first, f"?limit={limit}")["items"], limits))
    assert [len(page) for page in pages] == [3, 4, 5, 3, 4, 5]
    shown = [item for page in [first["items"], *pages] for item in page]
    assert len({item["item_id"] for item in shown}) == 26
    assert sorted(item["rank"] for item in shown) == list(range(1, 27))


def test_only_lists_of_the_last_moments_are_waited_for_and_by_so_many_at_a_time(app, ask):
    def answer_to(recommendation_id):
        return ask("GET", f"{RECOMMENDATIONS}/{recommendation_id}/next", scope="recs:read")

    room = app.extensions["regulars"].waiting_room
    times = [NOW - timedelta(seconds=3), NOW + timedelta(seconds=3), NOW - timedelta(days=1)]
    nobodys = ["zzz", "0" * 32, uuid.uuid4().hex, *map(new_recommendation_id, times)]
    assert room.places == 3
    with ExitStack() as waiting:
        for _ in range(room.places):
            waiting.enter_context(room.place())
        # Whoever waited would be refused: these are answered without.
        assert [answer_to(one).status_code for one in nobodys] == [404] * 6
        crowded = answer_to(new_recommendation_id(NOW))
        assert (crowded.status_code, crowded.json["code"]) == (503, "not_written_yet")
        assert crowded.headers["Retry-After"] == "1"
    late = answer_to(new_recommendation_id(NOW - timedelta(seconds=1.9)))
    assert (late.status_code, late.json["code"]) == (404, "unknown_recommendation")


def test_a_list_of_an_erased_customer_cannot_be_continued(server):
    event = {"event_id": "leaver-1", "kind": "view", "item_id": "b07", "customer_id": "leaver"}
    server.ask("POST", "/v1/events", scope="events:write", body={**event, "occurred_at": "2024-03-02T10:00:00Z"})
    path = f"{RECOMMENDATIONS}/{ask_for(server, customer_id='leaver', limit=3)['recommendation_id']}/next"
    assert server.ask("GET", path, scope="recs:read").status == 200
    assert server.ask("DELETE", "/v1/customers/leaver", scope="privacy:write").status in {200, 204}
    assert server.ask("GET", path, scope="recs:read").status == 404


def test_a_list_that_was_not_recorded_cannot_be_continued(server):
    dry = ask_for(server, customer_id="c001", dry_run=True)
    for recommendation_id in (dry["recommendation_id"], "no-such-list", "a%2Fb"):
        answer = server.ask("GET", f"{RECOMMENDATIONS}/{recommendation_id}/next", scope="recs:read")
        assert (answer.status, answer.json["code"]) == (404, "unknown_recommendation")
    store = server.shop.store()
    with store.engine.connect() as connection:
        query = "SELECT count(*) FROM impressions WHERE recommendation_id = '{}'"
        assert connection.exec_driver_sql(query.format(dry["recommendation_id"])).scalar() == 0
    store.close()


def test_a_caller_s_list_comes_back_in_the_customer_s_order(server):
    staple = small_shop.staple_of(11)
    given = ["b10", "no such", "a02", staple, "a02"]
    answer = ask_for(server, "/v1/rerank", customer_id="c011", item_ids=given)
    assert ids(answer)[0] == staple
    assert sorted(ids(answer)) == sorted(set(given))
    assert (ids(answer)[-1], answer["missing_ids"]) == ("no such", ["no such"])
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4]
    assert all(item["reasons"] for item in answer["items"])
    assert "1 items were given more than once and count once" in answer["warnings"]
    stranger = ask_for(server, "/v1/rerank", item_ids=given)
    assert (stranger["fallback"], stranger["customer_known"]) == ("popular_items", False)


def test_five_hundred_items_can_be_put_in_order_and_no_more(server):
    some = [f"item {number}" for number in range(497)] + ["a01", "b01", "a02"]
    answer = ask_for(server, "/v1/rerank", customer_id="c013", item_ids=some)
    assert len(answer["items"]) == 500
    assert set(ids(answer)[:3]) == {"a01", "b01", "a02"}
    more = server.ask("POST", "/v1/rerank", scope="recs:read", body={"item_ids": [*some, "x"]})
    assert (more.status, more.json["errors"][0]["pointer"]) == (422, "/item_ids")


def test_rotation_moves_down_what_was_shown(server):
    first = ask_for(server, customer_id="c015", limit=3)
    # The next page waits until the first list is written.
    server.ask("GET", f"{RECOMMENDATIONS}/{first['recommendation_id']}/next", scope="recs:read")
    again = ask_for(server, customer_id="c015", limit=3, rotation=1.0)
    assert set(ids(first)).isdisjoint(ids(again))
    assert ids(ask_for(server, customer_id="c015", limit=3)) == ids(first)


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (RECOMMENDATIONS, {"limit": "3"}, "/limit"),
        (RECOMMENDATIONS, {"limit": 101}, "/limit"),
        (RECOMMENDATIONS, {"filter": "price <"}, "/filter"),
        (RECOMMENDATIONS, {"filter": "brand = customer.size"}, "/filter"),
        (RECOMMENDATIONS, {"filter": "x" * 5_001}, "/filter"),
        (RECOMMENDATIONS, {"customer_id": "x" * 257}, "/customer_id"),
        (RECOMMENDATIONS, {"customer_id": "a\x00b"}, "/customer_id"),
        (RECOMMENDATIONS, {"customer_id": 7}, "/customer_id"),
        (RECOMMENDATIONS, {"recent_events": [{"kind": "view"}]}, "/recent_events/0/item_id"),
        (RECOMMENDATIONS, {"recent_events": [{"item_id": "a", "kind": "Not A Word"}]}, "/recent_events/0/kind"),
        (
            RECOMMENDATIONS,
            {"recent_events": [{"item_id": "a", "occurred_at": "2024-03-02T10:00:00"}]},
            "/recent_events/0/occurred_at",
        ),
        (RECOMMENDATIONS, {"recent_events": [{"item_id": "a", "occurred_at": 1}]}, "/recent_events/0/occurred_at"),
        (RECOMMENDATIONS, {"context": {"a": {"b": 1}}}, "/context/a"),
        (RECOMMENDATIONS, {"context": {"a": ["b"]}}, "/context/a"),
        (RECOMMENDATIONS, {"context": {"a": "x" * 257}}, "/context/a"),
        (RECOMMENDATIONS, {"context": {"x" * 65: 1}}, "/context/xxx"),
        (RECOMMENDATIONS, {"placement": "attic"}, "/placement"),
        (RECOMMENDATIONS, {"include": ["secrets"]}, "/include/0"),
        (RECOMMENDATIONS, {"size": 3}, "/size"),
        (f"{RECOMMENDATIONS}/batch", {"requests": []}, "/requests"),
        (f"{RECOMMENDATIONS}/batch", {"requests": [{}] * 101}, "/requests"),
        (f"{RECOMMENDATIONS}/batch", {"requests": [{}, {"filter": "("}]}, "/requests/1/filter"),
        (f"{RECOMMENDATIONS}/batch", {"requests": [{}, {"placement": "attic"}]}, "/requests/1/placement"),
        ("/v1/rerank", {"item_ids": []}, "/item_ids"),
        ("/v1/rerank", {}, "/item_ids"),
    ],
)
def test_what_cannot_be_asked_is_named(ask, path, body, pointer):
    response = ask("POST", path, scope="recs:read", json=body)
    assert response.status_code == 422
    assert response.json["errors"][0]["pointer"].startswith(pointer)


@pytest.mark.parametrize("value", ["app", "x" * 256, "", 3, -1.5, 1e308, 2**70, True, False, None])
@pytest.mark.parametrize("path", [RECOMMENDATIONS, f"{RECOMMENDATIONS}/batch"])
def test_a_fact_of_the_context_may_be_a_text_a_number_a_truth_or_nothing(ask, path, value):
    request = {"context": {"channel": value}, "limit": 3, "dry_run": True}
    body = request if path == RECOMMENDATIONS else {"requests": [request]}
    answer = ask("POST", path, scope="recs:read", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.json


def test_a_filter_in_a_query_that_cannot_be_read_is_named(ask):
    response = ask("GET", "/v1/customers/c001/recommendations?filter=colour%20%3D%203", scope="recs:read")
    (error,) = response.json["errors"]
    assert (response.status_code, error["parameter"]) == (422, "filter")
    assert "character 1: there is no field 'colour'" in error["detail"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0001-01-01T00:00:00+14:00", "lies outside the calendar"),
        ("9999-12-31T23:59:59-14:00", "lies outside the calendar"),
        ("0001-01-01T00:00:00Z", "lies before 1900"),
        ("1900-01-01T00:00:00+05:30", "lies before 1900"),
    ],
)
@pytest.mark.parametrize("path", [RECOMMENDATIONS, "/v1/rerank"])
def test_an_instant_of_no_event_is_refused_as_it_is_among_events(ask, path, text, problem):
    event = {"item_id": "a01", "occurred_at": text}
    asked = {"item_ids": ["a01"]} if path == "/v1/rerank" else {}
    refused = ask("POST", path, scope="recs:read", json={**asked, "recent_events": [event]})
    sent = {**event, "event_id": "edge", "kind": "view", "customer_id": "nobody"}
    (rejected,) = ask("POST", "/v1/events", scope="events:write", json=sent).json["rejected"]
    (error,) = refused.json["errors"]
    assert (refused.status_code, error["pointer"]) == (422, "/recent_events/0/occurred_at")
    assert error["detail"] == rejected["detail"]
    assert problem in error["detail"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats(0, 2) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    *("customer_id", "session_id", "placement", "limit", "context_items", "recent_events", "context", "filter"),
    *("exclude", "diversity", "min_relevance", "rotation", "include", "requests", "item_ids", "distinct"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([RECOMMENDATIONS, f"{RECOMMENDATIONS}/batch", "/v1/rerank"]),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4) | JSON,
)
def test_rubbish_is_refused_or_answered_and_never_a_failure(ask, path, body):
    text = json.dumps(body)
    response = ask("POST", path, scope="recs:read", data=text, content_type="application/json")
    assert response.status_code in {200, 400, 422}, text


PARTS = ["and", "or", "not", "in", "is", "missing", "under", "contains", "(", ")", "[", "]", ",", ".", "<", "=", "!=",
         "price", "brand", "category", "is_available", "available_from", "attributes", "customer", "region", "size",
         "signed_up_at", '"a"', '"\\ud800"', "1", "-1e9", "true", "2024-05-01T00:00:00Z", '"', "\\", "é"]  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=30) | st.lists(st.sampled_from(PARTS), max_size=12).map(" ".join),
    st.sampled_from(["c001", "nobody"]),
)
def test_no_text_of_a_filter_is_a_failure(ask, text, customer_id):
    body = {"customer_id": customer_id, "filter": text, "limit": 3, "dry_run": True}
    posted = ask("POST", RECOMMENDATIONS, scope="recs:read", json=body)
    got = ask("GET", f"/v1/customers/{customer_id}/recommendations", scope="recs:read", query_string={"filter": text})
    assert (posted.status_code, got.status_code) in {(200, 200), (422, 422)}
    if posted.status_code == 422:
        (error,) = posted.json["errors"]
        assert (error["pointer"], error["detail"][:10]) == ("/filter", "character ")
        assert got.json["errors"][0]["parameter"] == "filter"


VALID = [
    "attributes.size = customer.attributes.size",
    "price < customer.attributes.budget or customer.birth_year > 1990",
    "category under customer.region and not title contains customer.channel",
    "available_from < customer.signed_up_at",
    "customer.customer_id is not missing and attributes.x",
    'brand in [customer.region, "a", customer.attributes."b c"]',
]


@pytest.mark.parametrize("text", VALID)
@pytest.mark.parametrize("customer_id", ["c001", "nobody", None])
def test_a_filter_that_can_be_read_is_answered_for_everybody(ask, text, customer_id):
    body = {"customer_id": customer_id, "filter": text, "dry_run": True}
    answer = ask("POST", RECOMMENDATIONS, scope="recs:read", json=body)
    assert answer.status_code == 200
    assert answer.json["items"] or answer.json["warnings"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["c001", "c060", "nobody"]) | st.none(),
            "placement": st.sampled_from(["home", "item", "cart", "session", "buy_again", "on_sale", "discover"]),
            "limit": st.integers(1, 100),
            "filter": st.sampled_from(["", "price < 20", 'not category under "department a"', "price < 0"]),
            "exclude": st.lists(st.sampled_from(["a01", "b01", "b02"]), max_size=2),
            "context_items": st.lists(st.sampled_from(["a01", "b01", "what?"]), max_size=2),
            "diversity": st.sampled_from([None, 0.0, 0.6]),
            "min_relevance": st.sampled_from([None, 0.0, 0.9]),
        }
    )
)
def test_every_list_keeps_to_what_was_asked_and_gives_a_reason(ask, body):
    answer = ask("POST", RECOMMENDATIONS, scope="recs:read", json={**body, "dry_run": True}).json
    shown = ids(answer)
    assert len(shown) == len(set(shown)) <= body["limit"]
    assert {*body["exclude"], *body["context_items"]}.isdisjoint(shown)
    assert shown or answer["warnings"]
    assert all(item["reasons"][0]["text"] for item in answer["items"])
    assert [item["rank"] for item in answer["items"]] == list(range(1, len(shown) + 1))


def test_the_instant_of_an_event_is_the_same_in_every_zone_and_the_future_is_now(ask):
    def as_of(text):
        body = {"recent_events": [{"item_id": "a01", "occurred_at": text}], "dry_run": True}
        return ask("POST", RECOMMENDATIONS, scope="recs:read", json=body).json["as_of"]

    assert as_of("2024-04-01T12:00:00Z") == as_of("2024-04-01T14:00:00+02:00") == "2024-04-01T12:00:00Z"
    late = (NOW + timedelta(days=400)).isoformat()
    assert as_of(late) == NOW.isoformat().replace("+00:00", "Z")
