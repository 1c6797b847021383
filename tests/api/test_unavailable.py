"""The store gone, the bundle missing or altered: clear errors or labelled fallbacks, and nothing is lost."""

import shutil

import pytest

from api.app import create_app
from api.config import Settings
from recommender.errors import StoreUnavailable
from tests.api.test_errors import problem_of
from tests.conftest import NOW

VIEW = {"event_id": "u1", "kind": "view", "occurred_at": "2024-02-01T10:00:00Z", "customer_id": "c001"}


@pytest.fixture
def home(sqlite_shop, tmp_path):
    shutil.copytree(sqlite_shop.home, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def open_app(sqlite_shop):
    opened = []

    def client(home):
        app = create_app(Settings(home=home), clock=lambda: NOW)
        opened.append(app)

        def ask(method, path, *, scope=None, **options):
            headers = dict(options.pop("headers", {}))
            if scope:
                headers["Authorization"] = f"Bearer {sqlite_shop.keys[scope]}"
            return app.test_client().open(path, method=method, headers=headers, **options)

        return ask

    yield client
    for app in opened:
        app.extensions["regulars"].close()


def test_while_the_store_is_gone_every_answer_says_so(home, open_app):
    ask = open_app(home)
    assert ask("GET", "/readyz").status_code == 200
    (home / "store.sqlite").unlink()
    problem = problem_of(ask("GET", "/readyz"), 503, "store_unavailable")
    assert str(home) not in problem["detail"]
    assert ask("GET", "/healthz").status_code == 200
    for path, scope in (("/v1/customers/c001/recommendations", "recs:read"), ("/v1/churn-risks", "risk:read")):
        problem_of(ask("GET", path, scope=scope), 503, "store_unavailable")
    problem_of(ask("POST", "/v1/events", scope="events:write", json=VIEW), 503, "store_unavailable")


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson"])
def test_a_list_that_cannot_be_read_is_a_failure_from_its_first_byte(home, open_app, sqlite_shop, kind):
    ask = open_app(home)
    assert ask("GET", "/v1/churn-risks", scope="risk:read", headers={"Accept": kind}).mimetype == kind
    (home / "store.sqlite").unlink()
    response = ask("GET", "/v1/churn-risks", scope="risk:read", headers={"Accept": kind})
    problem_of(response, 503, "store_unavailable")


def test_a_store_that_cannot_be_opened_stops_the_start(tmp_path):
    with pytest.raises(StoreUnavailable):
        create_app(Settings(home=tmp_path, store=f"sqlite:///{tmp_path / 'no' / 'store.sqlite'}"), clock=lambda: NOW)


def test_without_a_bundle_answers_are_labelled_and_the_server_is_not_ready(home, open_app):
    shutil.rmtree(home / "artifacts")
    ask = open_app(home)
    problem_of(ask("GET", "/readyz"), 503, "model_unavailable")
    answer = ask("GET", "/v1/customers/c001/recommendations?limit=3", scope="recs:read").json
    assert (answer["model_version"], answer["fallback"]) == (None, "recent_orders")
    assert len(answer["items"]) == 3
    assert answer["warnings"]
    assert ask("GET", "/v1/items/popular", scope="recs:read").json["fallback"] == "recent_orders"
    assert ask("POST", "/v1/events", scope="events:write", json=VIEW).json["accepted"] == 1


def test_an_altered_bundle_is_not_served(home, open_app):
    for file in (home / "artifacts").rglob("*.npy"):
        file.write_bytes(file.read_bytes()[:-1] + b"\x7f")
    ask = open_app(home)
    problem_of(ask("GET", "/readyz"), 503, "model_unavailable")
    answer = ask("GET", "/v1/customers/c001/recommendations", scope="recs:read").json
    assert (answer["model_version"], answer["fallback"]) == (None, "recent_orders")


def test_where_keys_are_switched_off_on_loopback_none_is_asked_for(sqlite_shop):
    settings = Settings(home=sqlite_shop.home, store=sqlite_shop.store_url, api_keys_required=False)
    app = create_app(settings, clock=lambda: NOW)
    assert app.test_client().get("/v1/customers/c001/recommendations").status_code == 200
    app.extensions["regulars"].close()
