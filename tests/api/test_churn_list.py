"""The churn list over real sockets, on each kind of database: what is on it, in which form, and who is left out."""

import csv
import io
import json
from datetime import timedelta
from urllib.parse import quote

import openpyxl
import pytest

from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore
from tests.api.shops import READS_ALL, Shop, open_shop, served
from tests.conftest import NOW, new_database

READS_EVERYBODY = " ".join(READS_ALL)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EARLIER, LATER = NOW - timedelta(days=30), NOW - timedelta(days=2)
COMMON = {
    "model_version": "v1",
    "horizon_days": 28,
    "population": "an order in the 56 days before",
    "historic_value": 1.0,
    "action": "call",
    "reasons": (),
    "order_count": 2,
    "last_order_at": NOW - timedelta(days=9),
}


def score(customer_id, probability, value, as_of=LATER, **more):
    band = "high" if probability >= 0.5 else "medium" if probability >= 0.2 else "low"
    row = {"customer_id": customer_id, "as_of": as_of, "in_population": True, "churn_probability": probability}
    row |= {"predicted_value": value, "expected_loss": probability * value, "band": band}
    row |= {"lever": "offer", "segment": "active", "region": "north", **COMMON, **more}
    return ScoreRow(**row)


THEN = [score("ann", 0.1, 100.0, EARLIER), score("bob", 0.9, 10.0, EARLIER), score("gus", 0.3, 1.0, EARLIER)]
NOW_ROWS = [
    score("ann", 0.75, 100.0, treatment="call", is_holdout=True),
    score("bob", 0.1, 10.0, lever="service", segment="new"),
    score("cy", 0.3, 20.0, region="a, b"),
    score("dan", 0.4, 40.0, consent_marketing=False),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def own_url(request, tmp_path_factory):
    """A database of each kind for these tests alone: they replace the scores."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('churn_list') / 'store.sqlite'}"
        return
    with new_database(request.getfixturevalue("postgresql_server"), "template0") as url:
        yield url


@pytest.fixture(scope="module")
def list_shop(own_url, trained, tmp_path_factory) -> Shop:
    """The small shop with another, hand-typed scoring, and one four weeks before it."""
    shop = open_shop(tmp_path_factory.mktemp("list_shop"), own_url, trained)
    store = shop.store()
    store.upsert("customers", {"customer_id": "dan", "consent_marketing": False})
    for rows in (THEN, NOW_ROWS):
        ScoreStore(store.engine).replace_all(rows)
    store.close()
    return shop


@pytest.fixture(scope="module")
def server(list_shop):
    with served(list_shop, list_shop.home / "server.log") as running:
        yield running


def asked(server, query="", *, scope="risk:read", accept="application/json"):
    return server.ask("GET", f"/v1/churn-risks{query}", scope=scope, headers={"Accept": accept})


def ids(server, query="", **more):
    return [risk["customer_id"] for risk in asked(server, query, **more).json["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["ann", "cy", "bob"]),
        ("?sort=customer_id", ["ann", "bob", "cy"]),
        ("?sort=-customer_id", ["cy", "bob", "ann"]),
        ("?sort=predicted_value", ["bob", "cy", "ann"]),
        ("?band=high,low", ["ann", "bob"]),
        ("?band=nothing", []),
        ("?lever=service", ["bob"]),
        ("?segment=new", ["bob"]),
        ("?treatment=call", ["ann"]),
        ("?treatment=none", ["cy", "bob"]),
        ("?region=%22a,%20b%22,nowhere", ["cy"]),
        ("?holdout=true", ["ann"]),
        ("?holdout=false", ["cy", "bob"]),
        ("?min_loss=6&max_loss=75", ["ann", "cy"]),
        ("?max_probability=0.3&min_value=20", ["cy"]),
        ("?band=high&lever=service", []),
    ],
)
def test_every_filter_and_sort_gives_the_customers_that_it_names(server, query, expected):
    assert ids(server, query) == expected


def test_who_may_not_be_sent_offers_is_left_out_unless_a_scope_that_may_asks(server):
    assert ids(server, "?consent=any", scope=READS_EVERYBODY) == ["ann", "dan", "cy", "bob"]
    assert ids(server, scope=READS_EVERYBODY) == ["ann", "cy", "bob"]
    for accept in ("application/json", "text/csv", "application/x-ndjson", XLSX):
        refused = asked(server, "?consent=any", accept=accept)
        assert (refused.status, refused.json["code"]) == (403, "missing_scope")
        assert "'risk:read_all'" in refused.json["detail"]


def test_a_consent_withdrawn_after_the_scoring_counts_at_once_and_so_does_one_given_again(server):
    for consent, expected in ((False, ["ann", "bob"]), (True, ["ann", "cy", "bob"])):
        body = {"consent_marketing": consent}
        assert server.ask("PUT", "/v1/customers/cy", scope="catalog:write", body=body).status == 204
        assert ids(server) == expected


def test_chosen_fields_come_alone(server):
    page = asked(server, "?fields=band,customer_id&limit=1").json
    assert page["data"] == [{"band": "high", "customer_id": "ann"}]
    assert page["has_more"] is True
    lines = asked(server, "?fields=customer_id,is_holdout", accept="application/x-ndjson").body.splitlines()
    assert json.loads(lines[0]) == {"customer_id": "ann", "is_holdout": True}
    assert asked(server, "?fields=band,customer_id", accept="text/csv").body.splitlines()[:2] == [
        b"band,customer_id",
        b"high,ann",
    ]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?fields=colour", "fields"),
        ("?fields=reason_1", "fields"),
        ("?format=pdf", "format"),
        ("?consent=none", "consent"),
        ("?band=,high", "band"),
        ("?region=%22a", "region"),
        ("?since=2024-05-01", "since"),
        ("?since=2020-01-01T00:00:00Z", "since"),
        ("?holdout=maybe", "holdout"),
    ],
)
def test_what_cannot_be_asked_is_named(server, query, parameter):
    refused = asked(server, query)
    assert refused.status == 422
    assert [error.get("parameter") for error in refused.json["errors"]] == [parameter]


def test_an_unknown_definition_is_refused_with_the_known_ones(server):
    paths = (
        "/v1/churn-risks?",
        "/v1/churn-risks/movements?since=2024-05-30T00:00:00Z&",
        "/v1/customers/ann/churn-risk?",
    )
    for path in paths:
        refused = server.ask("GET", f"{path}definition=no_such", scope="risk:read")
        assert (refused.status, refused.json["code"]) == (422, "unknown_name")
        assert "'no_such'" in refused.json["detail"]
        assert "churn" in refused.json["detail"]


def test_moved_says_that_it_needs_an_instant(server):
    refused = asked(server, "?moved=up")
    assert (refused.status, "moved needs since" in refused.json["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("name", "kind"), [("csv", "text/csv"), ("ndjson", "application/x-ndjson"), ("xlsx", XLSX), ("json", None)]
)
def test_a_form_can_be_asked_for_by_a_link_and_the_link_wins(server, name, kind):
    answer = asked(server, f"?format={name}", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.status == 200
    assert answer.headers["Content-Type"].split(";")[0] == (kind or "application/json")
    assert asked(server, f"?format={name}", accept="image/png").status == 200
    if kind:
        assert answer.headers["Content-Disposition"].endswith(f'.{name}"')


def test_csv_by_a_link_begins_with_what_excel_knows_utf_8_by_and_by_accept_does_not(server):
    by_link, by_accept = asked(server, "?format=csv").body, asked(server, accept="text/csv").body
    assert by_link == b"\xef\xbb\xbf" + by_accept
    rows = list(csv.DictReader(io.StringIO(by_link.decode("utf-8-sig"), newline="")))
    assert [row["customer_id"] for row in rows] == ["ann", "cy", "bob"]


def test_the_workbook_has_the_rows_of_the_list_and_explains_them(server):
    answer = asked(server, "?band=high", accept=XLSX)
    book = openpyxl.load_workbook(io.BytesIO(answer.body))
    head, row = book["churn risks"].iter_rows(values_only=True)
    told = dict(zip(head, row, strict=True))
    assert (told["customer_id"], told["churn_probability"], told["is_holdout"]) == ("ann", 0.75, True)
    explained = {name: text for name, text in book["read me"].iter_rows(max_col=2, values_only=True) if name}
    assert explained["Asked for"] == "band=high"
    assert set(head) <= set(explained)


def test_the_band_of_an_earlier_scoring_is_told_and_filtered_by(server):
    since = f"since={quote(EARLIER.isoformat())}"
    bands = {one["customer_id"]: one["previous_band"] for one in asked(server, f"?{since}").json["data"]}
    assert bands == {"ann": "low", "bob": "high", "cy": None}
    assert ids(server, f"?{since}&moved=up") == ["ann"]
    assert ids(server, f"?{since}&moved=down") == ["bob"]
    table = asked(server, f"?{since}&fields=customer_id,previous_band", accept="text/csv")
    assert table.body.splitlines()[1] == b"ann,low"


def test_the_moves_between_bands_are_counted_with_what_they_cost(server):
    day_after = quote((EARLIER + timedelta(days=1)).isoformat())
    moves = server.ask("GET", f"/v1/churn-risks/movements?since={day_after}", scope="risk:read").json
    assert (moves["definition"], moves["since"], moves["as_of"]) == (
        "churn",
        EARLIER.isoformat().replace("+00:00", "Z"),
        LATER.isoformat().replace("+00:00", "Z"),
    )
    told = {(one["from_band"], one["to_band"]): one for one in moves["moves"]}
    assert {pair: one["customer_count"] for pair, one in told.items()} == {
        ("low", "high"): 1,
        ("high", "low"): 1,
        ("medium", None): 1,
        (None, "medium"): 2,
    }
    assert told["low", "high"]["expected_loss_before"] == pytest.approx(10.0)
    assert told["low", "high"]["expected_loss"] == pytest.approx(75.0)
    assert told[None, "medium"]["expected_loss"] == pytest.approx(22.0)


def test_moves_since_before_the_first_scoring_are_refused_with_the_first(server):
    refused = server.ask("GET", "/v1/churn-risks/movements?since=2020-01-01T00:00:00Z", scope="risk:read")
    assert (refused.status, refused.json["errors"][0]["parameter"]) == (422, "since")
    assert "the first that is kept is as of 2024-0" in refused.json["detail"]


def test_the_history_of_a_score_is_told_where_it_is_asked_for(server):
    path = "/v1/customers/ann/churn-risk"
    store = server.shop.store()
    store.upsert("customers", {"customer_id": "ann"})
    store.close()
    assert server.ask("GET", path, scope="risk:read").json["history"] is None
    history = server.ask("GET", f"{path}?history=true", scope="risk:read").json["history"]
    assert [(one["churn_probability"], one["band"]) for one in history] == [(0.1, "low"), (0.75, "high")]
    assert history[0]["as_of"] == EARLIER.isoformat().replace("+00:00", "Z")
