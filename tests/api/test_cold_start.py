"""A new customer over HTTP: nothing known, then attributes, then a click, then an order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.app import create_app
from api.config import Settings
from tests.api.shops import open_shop
from tests.conftest import NOW


@pytest.fixture(scope="module")
def newcomers(trained, tmp_path_factory) -> Iterator:
    """The small shop served by a model that learned what customers of a region like: the north department b."""
    assert "profile" in trained[0].models
    home = tmp_path_factory.mktemp("cold_start")
    shop = open_shop(home, f"sqlite:///{home / 'store.sqlite'}", trained)
    app = create_app(Settings(home=shop.home, store=shop.store_url), clock=lambda: NOW)

    def ask(method: str, path: str, scope: str, **options):
        headers = {"Authorization": f"Bearer {shop.keys[scope]}"}
        response = app.test_client().open(path, method=method, headers=headers, **options)
        assert response.status_code < 300, response.text
        return response.json if response.data else None

    yield ask
    app.extensions["regulars"].close()


def list_of(ask, customer_id: str, placement: str = "home"):
    path = f"/v1/customers/{customer_id}/recommendations?limit=6&placement={placement}"
    answer = ask("GET", path, "recs:read")
    return answer, [item["item_id"] for item in answer["items"]]


def codes(answer):
    return {item["reasons"][0]["code"] for item in answer["items"]}


@pytest.mark.parametrize(("region", "department"), [("north", "b"), ("south", "a")])
def test_attributes_alone_lead_to_what_customers_alike_like(newcomers, region, department):
    who = f"from-the-{region}"
    stranger, popular = list_of(newcomers, who)
    assert (stranger["customer_known"], stranger["fallback"], codes(stranger)) == (False, "popular_items", {"recent"})
    assert {item_id[0] for item_id in popular} != {"a"}
    newcomers("PUT", f"/v1/customers/{who}", "catalog:write", json={"region": region})
    for placement in ("home", "discover"):
        answer, listed = list_of(newcomers, who, placement)
        assert (answer["customer_known"], answer["fallback"], answer["warnings"]) == (True, None, [])
        assert {item_id[0] for item_id in listed} == {department}
        assert codes(answer) == {"profile"}


def test_what_the_customer_does_goes_before_where_the_customer_lives(newcomers):
    newcomers("PUT", "/v1/customers/traveller", "catalog:write", json={"region": "north"})
    order = {"table": "order_lines", "order_id": "first", "item_id": "a07", "customer_id": "traveller"}
    newcomers("POST", "/v1/events", "events:write", json={**order, "ordered_at": "2024-03-02T10:00:00Z"})
    answer, listed = list_of(newcomers, "traveller")
    assert (listed[0], answer["items"][0]["reasons"][0]["code"]) == ("a07", "bought_before")
    assert "profile" not in codes(answer)


def test_attributes_that_say_nothing_or_may_not_be_used_lead_to_a_labelled_list(newcomers):
    newcomers("PUT", "/v1/customers/nowhere", "catalog:write", json={"region": "atlantis"})
    newcomers("PUT", "/v1/customers/shy", "catalog:write", json={"region": "north", "consent_personalization": False})
    for who in ("nowhere", "shy"):
        answer, _ = list_of(newcomers, who)
        assert (answer["customer_known"], answer["fallback"], codes(answer)) == (True, "popular_items", {"recent"})
    assert "not agreed" in answer["warnings"][0]
