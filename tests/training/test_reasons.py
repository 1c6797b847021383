"""A reason stands on its evidence: for each kind, taking the evidence away takes the reason away."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import recommender
from recommender.answers import REASON_CODES, Recommendations
from recommender.item_lists import _LED_BY_ITEM
from recommender.list_answers import recommend
from recommender.list_requests import ListRequest, RecentEvent
from recommender.placement_rules import Rule
from recommender.placements import DEFAULT_PLACEMENTS, placements_to_settings
from recommender.rerank_answers import rerank
from tests.training import item_shop
from tests.training.item_shop import END, item_bundle, item_history, line, order_lines, views

NOW = END + timedelta(days=1)
WHO = "new here"


@dataclass(frozen=True)
class Evidence:
    """What speaks for an item at a placement: rows of the customer, or what the request tells.

    ``facts`` are those of a bundle that answers so.
    """

    placement: str
    code: str
    item_id: str
    evidence_item_id: str | None
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def bought(item_id: str, *days: float) -> dict[str, list[dict[str, Any]]]:
    return {"order_lines": [{**line(WHO, item_id, one), "amount": 4.0} for one in days]}


def met(item_id: str, kind: str) -> dict[str, list[dict[str, Any]]]:
    row = {"event_id": "e1", "kind": kind, "occurred_at": END - timedelta(days=1), "customer_id": WHO}
    return {"interactions": [{**row, "item_id": item_id}]}


KINDS = {
    "due_again": Evidence("buy_again", "due_again", "milk", "milk", bought("milk", 32, 22, 12)),
    "bought_before": Evidence("home", "bought_before", "soap", "soap", bought("soap", 12)),
    "goes_with": Evidence("discover", "goes_with", "sponge", "soap", bought("soap", 12)),
    "customers_like_you": Evidence("home", "customers_like_you", "shirt-blue", None, bought("soap", 12)),
    "similar to the last": Evidence("more_like_last", "similar", "sponge", "soap", bought("soap", 12)),
    "similar to the page": Evidence("item", "similar", "sponge", "soap", request={"context_items": ("soap",)}),
    "bought_together with the cart": Evidence("cart", "bought_together", "bun", "sausage", met("sausage", "cart_add")),
    "bought_together with the page": Evidence(
        "cart", "bought_together", "bun", "sausage", request={"context_items": ("sausage",)}
    ),
    "next_in_session": Evidence(
        "session", "next_in_session", "charcoal", "grill", request={"recent_events": (RecentEvent("grill"),)}
    ),
    "same_session": Evidence(
        "session",
        "same_session",
        "charcoal",
        "grill",
        request={"recent_events": (RecentEvent("grill"),)},
        facts={"session": {"strategy": "same_session"}},
    ),
    "viewed": Evidence("recently_viewed", "viewed", "grill", "grill", met("grill", "view")),
    "on_sale": Evidence("on_sale", "on_sale", "soap", "soap", bought("soap", 12)),
    "passes_filter": Evidence("home", "passes_filter", "tea", None, request={"filter": 'item_id = "tea"'}),
}

OF_THE_SHOP = {"trending", "popular", "recent", "new_arrival", "pinned", "in_range"}
OF_THE_LIST = {"not_scored", "unknown_item"}
# tests/api/test_cold_start.py has its test: it needs a model of attributes.
OF_ATTRIBUTES = {"profile"}

OWN = {name: kind for name, kind in KINDS.items() if kind.rows}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The best sellers alone are short, so that a filter is looked for in the whole catalogue."""
    made = item_bundle(item_history(tmp_path_factory.mktemp("reasons"), order_lines(), views()))
    popular = made.popular
    short = replace(popular, positions=popular.positions[:, :2], scores=popular.scores[:, :2])
    return replace(made, lists={**made.lists, "popular": short})


@pytest.fixture
def shop(sqlite_store):
    sqlite_store.append_rows("items", item_shop.items())
    sqlite_store.upsert("items", {"item_id": "soap", "price": 3.0})
    return sqlite_store


def reasons(answer: Recommendations) -> set[tuple[str, str, str | None]]:
    return {(one.item_id, why.code, why.evidence_item_id) for one in answer.items for why in one.reasons}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_without_the_evidence_there_is_no_such_reason(shop, bundle, kind):
    def ask(customer_id: str, **request: Any) -> set[tuple[str, str, str | None]]:
        served = replace(bundle, facts={**bundle.facts, **kind.facts})
        return reasons(recommend(shop, served, ListRequest(customer_id, placement=kind.placement, **request), NOW))

    for table, rows in kind.rows.items():
        assert shop.append_rows(table, rows).accepted == len(rows)
    assert (kind.item_id, kind.code, kind.evidence_item_id) in ask(WHO, **kind.request)
    assert kind.code not in {code for _, code, _ in ask("somebody else")}
    if kind.rows:
        shop.erase(WHO)
        assert kind.code not in {code for _, code, _ in ask(WHO, **kind.request)}


@pytest.mark.parametrize("kind", OWN.values(), ids=OWN)
def test_without_consent_no_reason_tells_what_a_customer_did(shop, bundle, kind):
    for table, rows in kind.rows.items():
        shop.append_rows(table, rows)
    shop.upsert("customers", {"customer_id": WHO, "consent_personalization": False})
    answer = recommend(shop, bundle, ListRequest(WHO, placement=kind.placement), NOW)
    assert {evidence for _, _, evidence in reasons(answer)} == {None}


def test_what_is_no_longer_cheaper_is_no_longer_on_sale(shop, bundle):
    shop.append_rows("order_lines", KINDS["on_sale"].rows["order_lines"])
    request = ListRequest(WHO, placement="on_sale")
    assert ("soap", "on_sale", "soap") in reasons(recommend(shop, bundle, request, NOW))
    shop.upsert("items", {"item_id": "soap", "price": 4.0})
    assert "on_sale" not in {code for _, code, _ in reasons(recommend(shop, bundle, request, NOW))}


def test_what_the_shop_no_longer_pins_is_not_said_to_be_chosen(shop, bundle):
    def ask(*rules: Rule) -> set[tuple[str, str, str | None]]:
        settings = placements_to_settings({"home": replace(DEFAULT_PLACEMENTS["home"], rules=rules)})
        served = replace(bundle, facts={"placements": settings})
        return reasons(recommend(shop, served, ListRequest(WHO), NOW))

    assert ("grill", "pinned", None) in ask(Rule("pin", item_id="grill"))
    assert "pinned" not in {code for _, code, _ in ask()}


def old(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "ordered_at": row["ordered_at"] - timedelta(days=400)}


@pytest.mark.parametrize(
    ("placement", "code", "item_id", "without"),
    [
        ("new_arrivals", "new_arrival", "tea", lambda row: row),
        ("trending", "trending", "bun", lambda row: old(row) if row["item_id"] == "bun" else row),
        ("best_sellers", "popular", "milk", lambda row: old(row) if row["item_id"] == "milk" else row),
        ("best_sellers", "recent", "charcoal", lambda row: old(row) if row["item_id"] == "charcoal" else row),
    ],
)
def test_a_reason_of_everybody_goes_with_what_it_says(
    shop, monkeypatch, tmp_path, placement, code, item_id, without: Callable[[dict[str, Any]], dict[str, Any]]
):
    def says(folder: str, lines: list[dict[str, Any]]) -> bool:
        served = item_bundle(item_history(tmp_path / folder, lines, views()))
        answer = recommend(shop, served, ListRequest(WHO, placement=placement), NOW)
        return (item_id, code, None) in reasons(answer)

    rising = [*(line(f"r{number}", "bun", 1.0) for number in range(12)), line("r1", "charcoal", 1.0)]
    assert says("with", [*order_lines(), *rising])
    long_ago = {"category": "food > drinks", "available_from": END - timedelta(days=300)}
    monkeypatch.setitem(item_shop.ITEMS, "tea", long_ago)
    assert not says("without", [without(row) for row in [*order_lines(), *rising]])


@pytest.mark.parametrize(
    ("buyers", "days", "code", "text"),
    [
        (5, 27.9, "popular", "5 customers bought this in the last 28 days"),
        (4, 27.9, "recent", "Customers bought this lately"),
        (5, 28.1, "in_range", "From the range of the shop"),
        (0, 1.0, "in_range", "From the range of the shop"),
    ],
)
def test_popular_is_what_several_customers_bought_lately(shop, tmp_path, buyers, days, code, text):
    lines = [*order_lines(), *(line(f"b{number}", "grill", days) for number in range(buyers))]
    served = item_bundle(item_history(tmp_path, lines, views()))
    answer = recommend(shop, served, ListRequest(WHO, placement="best_sellers"), NOW)
    told = {one.item_id: one.reasons[0] for one in answer.items}
    assert (told["grill"].code, told["grill"].text) == (code, text)


def test_what_nobody_ever_bought_is_not_said_to_be_bought_by_customers_like_the_customer(shop, bundle):
    shop.append_rows("order_lines", KINDS["customers_like_you"].rows["order_lines"])
    told = {item_id: code for item_id, code, _ in reasons(recommend(shop, bundle, ListRequest(WHO), NOW))}
    assert (told["shirt-blue"], told["grill"]) == ("customers_like_you", "in_range")


def test_of_an_item_to_rerank_is_said_what_is_known_of_it(shop, bundle):
    def said() -> str:
        return rerank(shop, bundle, ListRequest(WHO), ["moon", "milk"], NOW).items[-1].reasons[0].code

    assert said() == "unknown_item"
    shop.upsert("items", {"item_id": "moon"})
    assert said() == "not_scored"


def test_every_reason_is_documented_and_tested_by_what_it_stands_on():
    tested = {kind.code for kind in KINDS.values()} | OF_THE_SHOP | OF_THE_LIST | OF_ATTRIBUTES
    assert tested == set(REASON_CODES)
    source = "".join(path.read_text() for path in Path(recommender.__file__).parent.glob("*.py"))
    named = set(re.findall(r'ItemReason\(\s*"(\w+)"', source)) | {code for code, _ in _LED_BY_ITEM.values()}
    assert named <= set(REASON_CODES)
