"""All routes on a real server over real sockets, on each kind of database."""

import csv
import http.client
import io
import json
import socket
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest

from api.keys import KeyStore
from api.risk_columns import DEFAULT_COLUMNS
from api.schemas.risks import ChurnRiskOut
from recommender.artifact_store import ArtifactStore
from tests import small_shop
from tests.api.shops import served
from tests.conftest import NOW

RECOMMENDATION_FIELDS = {
    *("recommendation_id", "customer_id", "customer_known", "placement", "strategy", "fallback", "model_version"),
    *("as_of", "valid_until", "took_ms", "items", "warnings", "debug", "session_id"),
}
ITEM_FIELDS = {"item_id", "rank", "score", "strategy", "reasons", "properties"}
ITEM_LIST_FIELDS = {"strategy", "fallback", "model_version", "as_of", "took_ms", "items", "warnings"}
CUSTOMER_LIST_FIELDS = (ITEM_LIST_FIELDS - {"items"}) | {"item_id", "customers"}
RISK_FIELDS = {
    *("customer_id", "customer_known", "in_population", "churn_probability", "horizon_days", "population", "band"),
    *("expected_loss", "predicted_value", "lever", "action", "reasons", "model_version", "as_of"),
}
STRANGE_IDS = ("a/b", "..", ".", "é", " ", "%", "/", "a//b", "a\nb", "?", "#", "+", "%2F", "recommendations", "💚")


def path_of(customer_id, resource=""):
    encoded = quote(customer_id, safe="").replace(".", "%2E")
    return f"/v1/customers/{encoded}{resource}"


def risks_of(server, query=""):
    """The churn list page by page."""
    found, cursor = [], ""
    while cursor is not None:
        page = server.ask("GET", f"/v1/churn-risks?limit=7{query}{cursor}", scope="risk:read").json
        assert page["has_more"] == (page["next_cursor"] is not None)
        assert len(page["data"]) == 7 or not page["has_more"]
        found += page["data"]
        cursor = f"&cursor={quote(page['next_cursor'])}" if page["has_more"] else None
    return found


def test_the_server_is_ready_with_the_promoted_version(server):
    ready = server.ask("GET", "/readyz").json
    assert (ready["status"], ready["model_version"], ready["problem"]) == ("ready", server.shop.version, None)
    assert server.ask("GET", "/healthz").json["status"] == "alive"


def test_a_customer_is_shown_the_own_staple_with_a_reason(server):
    answer = server.ask("GET", path_of("c001", "/recommendations?limit=5&include=properties"), scope="recs:read")
    shown = answer.json
    assert answer.status == 200
    assert set(shown) == RECOMMENDATION_FIELDS
    assert (shown["customer_known"], shown["fallback"], shown["model_version"]) == (True, None, server.shop.version)
    assert [item["rank"] for item in shown["items"]] == [1, 2, 3, 4, 5]
    assert small_shop.staple_of(1) in [item["item_id"] for item in shown["items"]]
    for item in shown["items"]:
        assert set(item) == ITEM_FIELDS
        assert set(item["reasons"][0]) == {"code", "text", "evidence_item_id"}
        assert item["properties"]["title"] == f"Thing {item['item_id']}"
    assert shown["as_of"].startswith("2024-02-")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_every_customer_and_any_id_gets_a_full_list(server):
    for customer_id in ("c119", "nobody", "x" * 256, *STRANGE_IDS):
        shown = server.ask("GET", path_of(customer_id, "/recommendations"), scope="recs:read").json
        assert shown["customer_id"] == customer_id
        assert len(shown["items"]) == 10
        assert (shown["fallback"] is None) == shown["customer_known"]


def test_a_visitor_becomes_known_with_the_first_order_and_the_next_list_is_personal(server):
    order = {"table": "order_lines", "order_id": "n1", "customer_id": "new", "item_id": "b03"}
    order["ordered_at"] = "2024-03-02T10:00:00Z"
    before = server.ask("GET", path_of("new", "/recommendations"), scope="recs:read").json
    answer = server.ask("POST", "/v1/events", scope="events:write", body=order)
    assert answer.json == {"accepted": 1, "duplicates": 0, "rejected": []}
    after = server.ask("GET", path_of("new", "/recommendations"), scope="recs:read").json
    assert (before["customer_known"], after["customer_known"]) == (False, True)
    assert after["fallback"] is None
    assert after["as_of"] == "2024-03-02T10:00:00Z"


def test_items_like_an_item_come_from_its_department(server):
    answer = server.ask("GET", "/v1/items/a03/similar?limit=5", scope="recs:read").json
    assert answer["fallback"] is None
    assert [item["item_id"][0] for item in answer["items"]] == ["a"] * 5
    unknown = server.ask("GET", "/v1/items/no%2Fsuch/similar?limit=5", scope="recs:read").json
    assert (unknown["fallback"], len(unknown["items"])) == ("popular_items", 5)


def test_popular_items_can_be_those_of_a_category(server):
    popular = server.ask("GET", "/v1/items/popular?limit=12", scope="recs:read").json
    assert len({item["item_id"] for item in popular["items"]}) == 12
    category = quote("department b > shelf 1")
    within = server.ask("GET", f"/v1/items/popular?category={category}&limit=100", scope="recs:read").json
    shelf = {small_shop.item_id(1, number) for number in range(1, small_shop.ITEMS_PER_DEPARTMENT, 4)}
    assert {item["item_id"] for item in within["items"]} == shelf


def test_every_list_of_items_says_what_it_is_for_any_item(server):
    ids = [quote(one, safe="").replace(".", "%2E") for one in ("a03", "no/such", *STRANGE_IDS)]
    paths = [f"{one}/{resource}" for one in ids for resource in ("similar", "bought-together")]
    for path in (*paths, "popular", "popular?category=nowhere", "trending", "new"):
        answer = server.ask("GET", f"/v1/items/{path}", scope="recs:read")
        assert answer.status == 200, path
        shown = answer.json
        assert set(shown) == ITEM_LIST_FIELDS
        assert len(shown["items"]) == 10, path
        assert (shown["fallback"] is None) == (shown["warnings"] == []), path
        assert all(item["reasons"] for item in shown["items"])


def test_the_items_of_a_basket_are_given_as_a_json_array(server):
    further = quote(json.dumps(["a04", "b,1", 'a"05']))
    answer = server.ask("GET", f"/v1/items/a03/bought-together?with={further}", scope="recs:read").json
    assert {"a03", "a04"}.isdisjoint(item["item_id"] for item in answer["items"])
    for wrong in ("a04", "[1]", "%7B%7D", quote(json.dumps(["x"] * 51))):
        refused = server.ask("GET", f"/v1/items/a03/bought-together?with={wrong}", scope="recs:read")
        assert refused.status == 422
        assert refused.json["errors"][0]["parameter"] == "with"


def test_customers_for_an_item_are_told_by_their_ids_alone(server):
    answer = server.ask("GET", f"/v1/items/{small_shop.staple_of(1)}/customers?limit=5", scope="recs:read").json
    assert set(answer) == CUSTOMER_LIST_FIELDS
    assert (answer["fallback"], answer["item_id"]) == (None, small_shop.staple_of(1))
    assert "c001" in [one["customer_id"] for one in answer["customers"]]
    assert all(set(one) == {"customer_id", "rank", "score"} for one in answer["customers"])
    for unknown in ("nobody%20knows", "%00", "💚".encode().hex()):
        other = server.ask("GET", f"/v1/items/{unknown}/customers", scope="recs:read")
        assert (other.status, other.json["fallback"]) == (200, "customers_of_popular_items")
        assert other.json["warnings"]


def test_the_risk_of_a_customer_says_of_whom_it_is_asked_and_why(server):
    for query in ("", "?fresh=true"):
        risk = server.ask("GET", path_of("c001", f"/churn-risk{query}"), scope="risk:read").json
        assert set(ChurnRiskOut.model_fields) == set(risk) >= RISK_FIELDS
        assert (risk["customer_known"], risk["in_population"], risk["horizon_days"]) == (True, True, 28)
        assert 0 <= risk["churn_probability"] <= 1
        assert set(risk["reasons"][0]) == {"code", "text", "lever", "direction", "contribution"}


def test_the_next_order_is_told_from_the_instant_of_the_answer_and_from_the_last_order(server):
    risk = server.ask("GET", path_of("c002", "/churn-risk"), scope="risk:read").json
    assert risk["scored_at"] == risk["as_of"]
    assert dict(risk["churn_curve"])[28] == risk["churn_probability"]
    assert risk["as_of"] < risk["next_order_earliest_at"] < risk["expected_next_order_at"]
    order = {"table": "order_lines", "order_id": "new", "item_id": "a01", "customer_id": "c002"}
    order["ordered_at"] = (small_shop.END + timedelta(days=1)).isoformat()
    assert server.ask("POST", "/v1/events", scope="events:write", body=order).json["accepted"] == 1
    later = server.ask("GET", path_of("c002", "/churn-risk"), scope="risk:read").json
    assert later["scored_at"] == risk["scored_at"] < later["last_order_at"] == later["as_of"]
    assert later["as_of"] < later["next_order_earliest_at"] < later["expected_next_order_at"]
    assert later["expected_next_order_at"] > risk["expected_next_order_at"]


def test_a_customer_who_left_and_one_who_never_was_have_no_probability(server):
    lapsed = server.ask("GET", path_of("c000", "/churn-risk"), scope="risk:read").json
    assert (lapsed["customer_known"], lapsed["in_population"], lapsed["churn_probability"]) == (True, False, None)
    assert [reason["code"] for reason in lapsed["reasons"]] == ["lapsed"]
    unknown = server.ask("GET", path_of("nobody", "/churn-risk"), scope="risk:read").json
    assert (unknown["customer_known"], unknown["churn_probability"]) == (False, None)
    assert [reason["code"] for reason in unknown["reasons"]] == ["no_history"]


def test_the_churn_list_is_the_same_page_by_page_and_as_a_whole(server):
    pages = risks_of(server)
    losses = [risk["expected_loss"] for risk in pages if risk["expected_loss"] is not None]
    assert losses == sorted(losses, reverse=True)
    assert len({risk["customer_id"] for risk in pages}) == len(pages) >= 100
    whole = server.ask("GET", "/v1/churn-risks", scope="risk:read", headers={"Accept": "application/x-ndjson"})
    assert whole.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in whole.body.splitlines()] == pages
    table = server.ask("GET", "/v1/churn-risks", scope="risk:read", headers={"Accept": "text/csv"})
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
    assert tuple(rows[0]) == tuple(column.name for column in DEFAULT_COLUMNS)
    assert table.headers["Content-Disposition"].startswith('attachment; filename="churn-risks-')
    assert [row["customer_id"] for row in rows] == [risk["customer_id"] for risk in pages]
    assert rows[0]["reason_1"] == pages[0]["reasons"][0]["text"]


def test_drivers_count_the_reasons_of_the_churn_list(server):
    answer = server.ask("GET", "/v1/churn-drivers", scope="risk:read")
    risks = [one for one in risks_of(server) if one["churn_probability"] is not None]
    told = [reason["code"] for one in risks for reason in one["reasons"] if reason["direction"] == "up"]
    found = answer.json
    assert answer.status == 200
    assert found["customer_count"] == len(risks)
    assert found["compared_with"] is None
    assert {one["code"]: one["customer_count"] for one in found["drivers"]} == {one: told.count(one) for one in told}
    losses = [one["expected_loss"] for one in found["drivers"]]
    assert losses == sorted(losses, reverse=True)
    south = server.ask("GET", "/v1/churn-drivers?region=south", scope="risk:read").json
    assert south["customer_count"] == len([one for one in risks if one["region"] == "south"])


def test_drivers_of_a_segment_within_a_region_are_refused(server):
    answer = server.ask("GET", "/v1/churn-drivers?region=south&segment=new", scope="risk:read")
    assert answer.status == 422
    assert "give one of them" in json.dumps(answer.json["errors"])


def test_with_a_limit_a_file_is_one_page_and_names_the_next(server):
    accept = {"Accept": "text/csv"}
    first = server.ask("GET", "/v1/churn-risks?limit=3", scope="risk:read", headers=accept)
    cursor = quote(first.headers["X-Next-Cursor"])
    second = server.ask("GET", f"/v1/churn-risks?limit=3&cursor={cursor}", scope="risk:read", headers=accept)
    ids = [line.split(b",")[0].decode() for answer in (first, second) for line in answer.body.splitlines()[1:]]
    assert ids == [risk["customer_id"] for risk in risks_of(server)[:6]]


def test_the_churn_list_can_be_filtered(server):
    everybody = {risk["customer_id"]: risk for risk in risks_of(server)}
    north = {customer_id for customer_id in everybody if customer_id.startswith("c") and int(customer_id[1:]) % 2}
    assert {risk["customer_id"] for risk in risks_of(server, "&region=north")} == north
    likely = {key for key, risk in everybody.items() if (risk["churn_probability"] or 0) >= 0.2}
    assert {risk["customer_id"] for risk in risks_of(server, "&min_probability=0.2")} == likely
    assert risks_of(server, "&region=nowhere") == []
    values = [risk["predicted_value"] for risk in risks_of(server, "&sort=predicted_value&min_value=0")]
    assert values == sorted(values)


def test_value_and_summary_of_a_customer(server):
    value = server.ask("GET", path_of("c001", "/value"), scope="risk:read").json
    assert value["historic_value"] == 180.0
    assert value["total_value"] == pytest.approx(value["historic_value"] + value["predicted_value"])
    summary = server.ask("GET", path_of("c001"), scope="risk:read").json
    assert (summary["profile"]["region"], summary["order_count"]) == ("north", 30)
    assert server.ask("GET", path_of("nobody", "/value"), scope="risk:read").json["customer_known"] is False


def test_a_value_says_what_it_is_and_how_far_it_may_be_off(server):
    value = server.ask("GET", path_of("c001", "/value"), scope="risk:read").json
    assert value["value_is_margin"] is False
    assert value["horizon_method"] is None
    assert value["predicted_value_low"] <= value["predicted_value"] <= value["predicted_value_high"]
    assert value["predicted_orders"] * value["predicted_order_amount"] == pytest.approx(value["predicted_value"])


def test_the_value_of_another_horizon_says_how_it_was_found_and_has_no_bounds(server):
    own = server.ask("GET", path_of("c001", "/value"), scope="risk:read").json
    year = server.ask("GET", path_of("c001", "/value?horizon_days=365"), scope="risk:read").json
    assert year["horizon_days"] == 365
    assert year["horizon_method"] in {"expected_orders", "days"}
    assert own["predicted_value"] < year["predicted_value"] <= own["predicted_value"] * 365 / own["horizon_days"]
    assert year["total_value"] == pytest.approx(year["historic_value"] + year["predicted_value"])
    assert year["predicted_value_low"] is None
    assert (
        server.ask("GET", path_of("c001", f"/value?horizon_days={own['horizon_days']}"), scope="risk:read").json == own
    )


@pytest.mark.parametrize("days", ["0", "366", "soon"])
def test_a_horizon_beyond_a_year_or_none_is_refused_by_name(server, days):
    refused = server.ask("GET", path_of("c001", f"/value?horizon_days={days}"), scope="risk:read")
    assert refused.status == 422
    assert refused.json["errors"][0]["parameter"] == "horizon_days"
    assert server.ask("GET", path_of("nobody"), scope="risk:read").json["customer_known"] is False


def test_an_id_of_any_characters_is_stored_and_found(server):
    for number, customer_id in enumerate(STRANGE_IDS):
        body = {"region": f"region {number}"}
        assert server.ask("PUT", path_of(customer_id), scope="catalog:write", body=body).status == 204
    for number, customer_id in enumerate(STRANGE_IDS):
        summary = server.ask("GET", path_of(customer_id), scope="risk:read").json
        assert (summary["customer_id"], summary["customer_known"]) == (customer_id, True)
        assert summary["profile"]["region"] == f"region {number}"


def test_an_id_that_is_not_utf_8_is_unknown_when_read_and_invalid_when_written(server):
    read = server.ask("GET", "/v1/customers/a%FFb/value", scope="risk:read")
    assert (read.status, read.json["customer_known"]) == (200, False)
    written = server.ask("PUT", "/v1/customers/a%FFb", scope="catalog:write", body={})
    assert (written.status, written.json["errors"][0]["code"]) == (422, "not_unicode")


def test_a_deleted_customer_is_unknown_from_then_on(server):
    assert server.ask("GET", path_of("c118"), scope="risk:read").json["customer_known"]
    erasure = server.ask("DELETE", path_of("c118"), scope="privacy:write").json
    assert (erasure["deleted"]["order_lines"], erasure["deleted"]["scores"]) == (60, 1)
    assert erasure["bundles_holding_id"] == [server.shop.version]
    shown = server.ask("GET", path_of("c118", "/recommendations"), scope="recs:read").json
    assert (shown["customer_known"], shown["fallback"]) == (False, "popular_items")
    assert server.ask("GET", path_of("c118", "/churn-risk"), scope="risk:read").json["customer_known"] is False
    assert "c118" not in {risk["customer_id"] for risk in risks_of(server)}
    assert server.ask("DELETE", path_of("c118"), scope="privacy:write").status == 200


def test_a_customer_who_does_not_agree_gets_no_personal_answer(server):
    body = {"consent_personalization": False}
    assert server.ask("PUT", path_of("c117"), scope="catalog:write", body=body).status == 204
    shown = server.ask("GET", path_of("c117", "/recommendations"), scope="recs:read").json
    assert (shown["fallback"], len(shown["items"])) == ("popular_items", 10)
    assert shown["warnings"]


@pytest.mark.parametrize("as_stream", [False, True], ids=["with its length", "in chunks"])
def test_a_body_of_6_mb_is_refused_and_the_server_goes_on(server, as_stream):
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    headers = {"Authorization": f"Bearer {server.shop.keys['events:write']}", "Content-Type": "application/json"}
    parts = [b'[{"query": "', *[b"x" * 100_000] * 60, b'"}]']
    connection.request("POST", "/v1/events", iter(parts) if as_stream else b"".join(parts), headers)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["code"]) == (413, "body_too_large")
    connection.close()
    assert server.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET /healthz HTTP/1.1\r\nno header\r\n\r\n", 400, "malformed_request"),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", 414, "uri_too_long"),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 9_000 + b"\r\n\r\n", 431, "headers_too_large"),
    ],
)
def test_what_is_no_http_is_refused_with_a_problem_too(server, request_bytes, status, code):
    response, problem = send(server, request_bytes)
    assert (response.status, problem["status"], problem["code"]) == (status, status, code)
    assert response.headers["Content-Type"] == "application/problem+json"


def send(server, request_bytes):
    """Bytes as they are, and the answer to them."""
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        response.begin()
        problem = json.loads(response.read())
        response.close()
    return response, problem


@pytest.mark.parametrize(
    "broken", [b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n[]\r\n0\r\n\r\n", b"Content-Length: 100\r\n\r\n[]"]
)
def test_a_body_that_does_not_arrive_as_announced_is_malformed(server, broken):
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.shop.keys['events:write']}\r\n"
    response, problem = send(server, head.encode() + b"Content-Type: application/json\r\n" + broken)
    assert (response.status, problem["code"]) == (400, "malformed_body")


def test_the_figures_of_all_workers_are_added_up(server):
    wanted = 'regulars_http_requests_total{method="GET",route="unmatched",status="404"}'

    def counted():
        lines = server.ask("GET", "/metrics").body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(wanted))

    before = counted()
    for _ in range(20):
        assert server.ask("GET", "/nowhere").status == 404
    assert counted() == before + 20


def test_a_key_is_refused_soon_after_it_was_revoked(server):
    store = server.shop.store()
    keys = KeyStore(store.engine)
    made, text = keys.create(["recs:read"], now=NOW)
    headers = {"Authorization": f"Bearer {text}"}
    assert server.ask("GET", "/v1/items/popular", headers=headers).status == 200
    keys.revoke(made.key_id, now=NOW)
    store.close()
    assert any(server.ask("GET", "/v1/items/popular", headers=headers).status == 401 for _ in range(100_000))


def test_a_promoted_version_is_picked_up_without_a_failed_request(server, trained):
    artifacts = ArtifactStore(server.shop.home / "artifacts")
    bundle, _ = trained
    version = artifacts.save(replace(bundle, horizon_days=bundle.horizon_days + 1))
    assert version != server.shop.version
    artifacts.promote(version, at=NOW)
    answers = (server.ask("GET", path_of("c001", "/recommendations"), scope="recs:read") for _ in range(100_000))
    statuses, versions = [], []
    for answer in answers:
        statuses.append(answer.status)
        versions.append(answer.json["model_version"])
        if versions[-1] == version:
            break
    assert set(statuses) == {200}
    assert set(versions) == {server.shop.version, version}
    artifacts.promote(server.shop.version, at=NOW)


def test_the_log_names_routes_and_no_customer(server):
    server.ask(
        "GET", path_of("never-logged", "/recommendations"), scope="recs:read", headers={"X-Request-ID": "find-me"}
    )
    send(server, "GET /v1/customers/never-logged-é HTTP/1.1\r\n\r\n".encode())
    lines = (server.shop.home / "server.log").read_text().splitlines()
    (line,) = [json.loads(line) for line in lines if "find-me" in line]
    assert line["route"] == "/v1/customers/<identifier:customer_id>/recommendations"
    assert (line["method"], line["status"], line["level"]) == ("GET", 200, "info")
    assert not any("never-logged" in line for line in lines)


def test_two_servers_of_one_home_count_apart(sqlite_shop, tmp_path):
    def answered(server):
        lines = server.ask("GET", "/metrics").body.decode().splitlines()
        counts = [line for line in lines if line.startswith("regulars_http_requests_total") and "/healthz" in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in counts)

    with served(sqlite_shop, tmp_path / "one") as one:
        for _ in range(3):
            one.ask("GET", "/healthz")
        with served(sqlite_shop, tmp_path / "other") as other:
            other.ask("GET", "/healthz")
            assert (answered(one), answered(other)) == (3, 1)


def test_a_stopped_server_ends_with_0_and_has_written_what_it_decided(sqlite_shop, tmp_path):
    with served(sqlite_shop, tmp_path / "log") as server:
        shown = server.ask("GET", path_of("c011", "/recommendations"), scope="recs:read").json
        server.process.terminate()
        assert server.process.wait(timeout=60) == 0
    store = sqlite_shop.store()
    rows = store.rows_by_key("items", [item["item_id"] for item in shown["items"]])
    assert len(rows) == 10
    with store.engine.connect() as connection:
        query = "SELECT item_id FROM impressions WHERE recommendation_id = ? ORDER BY rank"
        written = connection.exec_driver_sql(query, (shown["recommendation_id"],)).scalars().all()
    store.close()
    assert written == [item["item_id"] for item in shown["items"]]
