"""Bad requests, each with its problem document."""

import gzip
import json

import pytest

from tests.api.shops import NO_SUCH_KEY

RECOMMENDATIONS = "/v1/customers/c001/recommendations"


def problem_of(response, status, code):
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    problem = response.json
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "code", "request_id"}
    return problem


def views_of(app):
    for rule in app.url_map.iter_rules():
        security = getattr(app.view_functions[rule.endpoint], "_spec", {}).get("security")
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield method, rule.rule.replace("<identifier:", "").replace(">", ""), security


def test_every_route_but_the_open_ones_asks_for_a_key_and_for_its_scope(app, ask):
    from_elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    guarded = 0
    for method, path, security in views_of(app):
        if not path.startswith("/v1/") and path != "/metrics":
            assert security is None, path
            continue
        (needed,) = security[0]["key"]
        wrong = "admin" if needed != "admin" else "recs:read"
        problem_of(ask(method, path, environ_base=from_elsewhere), 401, "missing_key")
        problem = problem_of(ask(method, path, scope=wrong, environ_base=from_elsewhere), 403, "missing_scope")
        assert problem["detail"] == f"this needs the scope '{needed}'; the key has {wrong}"
        guarded += 1
    assert guarded == 32


def test_a_wrong_key_is_told_apart_from_a_missing_one(ask):
    response = ask("GET", RECOMMENDATIONS, headers={"Authorization": f"Bearer {NO_SUCH_KEY}"})
    problem_of(response, 401, "unknown_key")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_the_key_is_asked_for_before_the_request_is_looked_at(ask):
    problem_of(ask("POST", "/v1/events", data="{", content_type="application/json"), 401, "missing_key")


def test_figures_need_no_key_on_loopback_unless_a_proxy_passes_the_request_on(ask):
    assert ask("GET", "/metrics").status_code == 200
    problem_of(ask("GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.1"}), 401, "missing_key")


@pytest.mark.parametrize("body", ["", "{", "[1,]", '{"value": NaN}', '"\\ud800"', "\x00", "[" * 2_000])
def test_a_body_that_is_not_json_is_malformed(ask, body):
    response = ask("POST", "/v1/events", scope="events:write", data=body, content_type="application/json")
    assert "Failed to decode JSON object" in problem_of(response, 400, "malformed_json")["detail"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [("PUT", "/v1/customers/c001", "catalog:write"), ("POST", "/v1/events", "events:write")],
)
def test_null_is_no_row(ask, method, path, scope):
    response = ask(method, path, scope=scope, data="null", content_type="application/json")
    (error,) = problem_of(response, 422, "invalid_request")["errors"]
    assert (error["pointer"], error["detail"]) == ("", "must not be null")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_of_another_media_type_is_refused(ask, content_type):
    response = ask("POST", "/v1/events", scope="events:write", data="{}", content_type=content_type)
    problem_of(response, 415, "unsupported_media_type")


def test_a_compressed_body_is_refused_with_the_cure(ask):
    body, headers = gzip.compress(b"[]"), {"Content-Encoding": "gzip"}
    options = {"data": body, "headers": headers, "content_type": "application/json"}
    problem = problem_of(
        ask("POST", "/v1/events", scope="events:write", **options), 415, "unsupported_content_encoding"
    )
    assert problem["detail"] == "send the body as it is, without Content-Encoding"


@pytest.mark.parametrize("levels", [65, 300, 1_000])
def test_attributes_that_could_never_be_answered_again_are_refused(ask, levels):
    body = '{"pets": ' + "[" * levels + "]" * levels + "}"
    response = ask("PUT", "/v1/customers/c001", scope="catalog:write", data=body, content_type="application/json")
    (error,) = problem_of(response, 422, "invalid_request")["errors"]
    assert (error["pointer"], error["code"]) == ("/attributes", "too_deep")


def test_a_body_of_6_mb_is_refused(ask):
    body = json.dumps([{"query": "x" * 6_000_000}])
    response = ask("POST", "/v1/events", scope="events:write", data=body, content_type="application/json")
    problem_of(response, 413, "body_too_large")


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("?size=3", "size", "unknown"),
        ("?limit=0", "limit", "greater_than_equal"),
        ("?limit=101", "limit", "less_than_equal"),
        ("?limit=many", "limit", "int_parsing"),
        ("?limit=", "limit", "int_parsing"),
        ("?limit=3&limit=4", "limit", "repeated"),
        ("?diversity=1.5", "diversity", "less_than_equal"),
        ("?diversity=nan", "diversity", "finite_number"),
        ("?placement=moon", "placement", "unknown_name"),
        ("?include=secrets", "include", "value_error"),
    ],
)
def test_a_parameter_that_is_unknown_or_invalid_is_named(ask, query, parameter, code):
    problem = problem_of(ask("GET", RECOMMENDATIONS + query, scope="recs:read"), 422, problem_code(code))
    assert [(error["parameter"], error["code"]) for error in problem["errors"]] == [(parameter, code)]


def problem_code(code):
    return code if code == "unknown_name" else "invalid_request"


@pytest.mark.parametrize("path", ["/healthz?x=1", "/readyz?x=1"])
def test_open_routes_take_no_unknown_parameter_either(ask, path):
    problem_of(ask("GET", path), 422, "invalid_request")


@pytest.mark.parametrize("query", ["?cursor=zzz", "?sort=name", "?min_probability=2", "?limit=501", "?fresh=true"])
def test_the_churn_list_refuses_what_it_cannot_do(ask, query):
    (error,) = problem_of(ask("GET", f"/v1/churn-risks{query}", scope="risk:read"), 422, "invalid_request")["errors"]
    assert query.startswith(f"?{error['parameter']}=")


def test_a_media_type_that_cannot_be_made_is_not_acceptable(ask):
    response = ask("GET", "/v1/churn-risks", scope="risk:read", headers={"Accept": "image/png"})
    problem_of(response, 406, "not_acceptable")


def test_an_unknown_route_and_a_wrong_method_are_problems_too(ask):
    problem_of(ask("GET", "/v2/customers"), 404, "unknown_route")
    problem_of(ask("GET", "/v1/customers/"), 404, "unknown_route")
    response = ask("POST", "/v1/churn-risks")
    problem_of(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("given", ["a-1_b.c:d", "x" * 128])
def test_a_request_id_is_taken_from_the_client(ask, given):
    assert ask("GET", "/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "é", '{"a":1}'])
def test_a_request_id_that_would_harm_a_log_is_replaced(ask, given):
    made = ask("GET", "/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert made != given
    assert len(made) == 32


def test_a_bug_is_answered_without_its_trace(app, ask, monkeypatch):
    def fail(*arguments, **keywords):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(app.extensions["regulars"].advisor, "popular_items", fail)
    response = ask("GET", "/v1/items/popular", scope="recs:read")
    problem_of(response, 500, "internal_error")
    assert b"secret" not in response.data


def test_personal_answers_and_failures_stay_out_of_caches(ask):
    for response in (ask("GET", RECOMMENDATIONS, scope="recs:read"), ask("GET", RECOMMENDATIONS)):
        assert response.headers["Cache-Control"] == "private, no-store"
