"""What each strategy goes by, in a shop of known habits, on each kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from recommender.answers import Recommendations
from recommender.list_answers import recommend
from recommender.list_requests import ListRequest, RecentEvent
from recommender.placement_rules import Rule
from recommender.placements import DEFAULT_PLACEMENTS, placements_to_settings
from tests.training import item_shop
from tests.training.item_shop import END, item_bundle, item_history, line, order_lines, views

NOW = END + timedelta(days=1)
WHO = "new here"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return item_bundle(item_history(tmp_path_factory.mktemp("strategies"), order_lines(), views()))


@pytest.fixture
def shop(store):
    """The catalogue, without any customer yet."""
    store.append_rows("items", item_shop.items())
    return store


@pytest.fixture
def ask(shop, bundle):
    def answer(placement: str, *, served=bundle, **request) -> Recommendations:
        return recommend(shop, served, ListRequest(WHO, placement=placement, **request), NOW)

    return answer


def buy(shop, *lines: tuple[str, float], **values) -> None:
    """Orders of an item so many days before the end."""
    rows = [{**line(WHO, item_id, days), **values} for item_id, days in lines]
    assert shop.append_rows("order_lines", rows).accepted == len(rows)


def view(shop, item_id: str, days_ago: float, kind: str = "view") -> None:
    at = END - timedelta(days=days_ago)
    row = {"event_id": f"{item_id}-{kind}", "kind": kind, "occurred_at": at, "customer_id": WHO, "item_id": item_id}
    assert shop.append_rows("interactions", [row]).accepted == 1


def found_by(answer: Recommendations, strategy: str) -> dict[str, str | None]:
    """The items that a strategy found, with their evidence."""
    return {one.item_id: one.reasons[0].evidence_item_id for one in answer.items if one.strategy == strategy}


def ids(answer: Recommendations) -> list[str]:
    return [one.item_id for one in answer.items]


def test_more_like_the_last_goes_by_the_last_order_whatever_was_looked_at_since(shop, ask):
    buy(shop, ("sausage", 20), ("soap", 10))
    view(shop, "sausage", 1)
    answer = ask("more_like_last")
    assert (answer.strategy, answer.fallback) == ("similar_to_last", None)
    assert ids(answer)[0] == "sponge"
    assert set(found_by(answer, "similar_items").values()) == {"soap"}


def test_more_like_the_last_goes_by_the_last_event_where_nothing_was_bought_and_not_by_what_was_refused(shop, ask):
    view(shop, "soap", 3)
    view(shop, "sausage", 2)
    view(shop, "bun", 1, kind="dislike")
    assert set(found_by(ask("more_like_last"), "similar_items").values()) == {"sausage"}


def test_a_basket_is_completed_from_the_page_else_from_the_cart_else_from_the_last_order(shop, ask):
    assert found_by(ask("cart"), "bought_together") == {}
    buy(shop, ("soap", 30), ("sausage", 10))
    assert found_by(ask("cart"), "bought_together") == {"bun": "sausage"}
    view(shop, "soap", 1, kind="cart_add")
    assert found_by(ask("cart"), "bought_together") == {"sponge": "soap"}
    assert found_by(ask("cart", context_items=("sausage",)), "bought_together") == {"bun": "sausage"}
    view(shop, "soap", 0.5, kind="cart_remove")
    assert found_by(ask("cart"), "bought_together") == {"bun": "sausage"}


def test_all_items_of_the_last_order_count_and_none_of_an_earlier_one(shop, ask):
    buy(shop, ("sausage", 10), ("soap", 10))
    assert found_by(ask("post_purchase"), "bought_together") == {"bun": "sausage", "sponge": "soap"}
    buy(shop, ("grill", 5))
    assert found_by(ask("post_purchase"), "bought_together") == {}


def price(shop, **prices: float) -> None:
    for item_id, now in prices.items():
        assert shop.upsert("items", {"item_id": item_id, "price": now}) is None


def test_on_sale_is_what_costs_less_than_was_paid_for_one_piece_the_last_time(shop, ask):
    buy(shop, ("milk", 30), amount=9.0)
    buy(shop, ("milk", 10), ("bun", 10), ("soap", 10), ("tea", 10), amount=4.0)
    buy(shop, ("sausage", 10.5), amount=10.0, quantity=5)
    price(shop, milk=3.0, bun=1.0, soap=4.0, sausage=2.0, sponge=0.5)
    answer = ask("on_sale")
    assert (answer.strategy, answer.fallback) == ("on_sale_for_you", None)
    # A quarter and three quarters less; soap and sausage cost as much as before, tea has no price.
    assert [(one.item_id, one.score) for one in answer.items] == [("bun", 0.75), ("milk", 0.25)]
    assert answer.items[0].reasons[0].text == "Now 1.00; the last time you paid 4.00"


def test_a_price_of_nothing_is_no_sale_and_without_consent_there_is_none(shop, ask):
    buy(shop, ("milk", 10), ("bun", 10), amount=4.0)
    price(shop, milk=0.0, bun=2.0)
    assert ids(ask("on_sale")) == ["bun"]
    shop.upsert("customers", {"customer_id": WHO, "consent_personalization": False})
    answer = ask("on_sale")
    assert (answer.fallback, found_by(answer, "on_sale_for_you")) == ("popular_items", {})


DUE, JUST_BOUGHT = (50.0, 40.0, 30.0, 20.0), (31.0, 21.0, 11.0, 1.0)


@pytest.mark.parametrize(
    ("days", "is_replenishable", "is_shown"),
    [(DUE, True, True), (JUST_BOUGHT, True, False), (DUE, False, False), (DUE, None, False)],
)
def test_what_was_bought_comes_back_only_when_it_is_used_up_and_due(shop, ask, days, is_replenishable, is_shown):
    shop.upsert("items", {"item_id": "milk", "is_replenishable": is_replenishable})
    buy(shop, *(("milk", one) for one in days))
    assert ("milk" in ids(ask("post_purchase"))) is is_shown
    assert "milk" in ids(ask("home"))


def test_what_is_due_is_bought_again_before_what_was_bought_within_its_rhythm(shop, ask):
    """Everybody buys both every 10 days: the milk of 2 days ago is likelier to be bought again, the soap is due."""
    buy(shop, ("milk", 32), ("milk", 22), ("milk", 12), ("milk", 2), ("soap", 40))
    answer = ask("buy_again")
    assert [(one.item_id, one.reasons[0].code) for one in answer.items] == [
        ("soap", "due_again"),
        ("milk", "bought_before"),
    ]
    assert answer.items[0].score < answer.items[1].score
    # What may not be shown leaves its place to what is due all the same.
    buy(shop, ("bun", 41), ("bun", 31), ("bun", 21), ("bun", 1))
    shop.upsert("items", {"item_id": "bun", "category": "food > bread", "is_available": False})
    assert ids(ask("buy_again", limit=2)) == ["soap", "milk"]


def test_a_placement_may_keep_out_what_was_bought_even_when_it_is_due(shop, ask, bundle):
    strict = replace(DEFAULT_PLACEMENTS["post_purchase"], reoffers_when_due=False)
    settings = {"placements": placements_to_settings({"post_purchase": strict})}
    shop.upsert("items", {"item_id": "milk", "is_replenishable": True})
    buy(shop, *(("milk", one) for one in DUE))
    assert "milk" in ids(ask("post_purchase"))
    assert "milk" not in ids(ask("post_purchase", served=replace(bundle, facts=settings)))


def test_a_pin_holds_for_its_time_and_in_its_context_and_says_so(ask, bundle):
    pin = Rule("pin", item_id="tea", valid_from=NOW - timedelta(days=1), valid_until=NOW, context={"channel": "app"})

    def first(rule, channel="app"):
        settings = placements_to_settings({"home": replace(DEFAULT_PLACEMENTS["home"], rules=(rule,))})
        served = replace(bundle, facts={"placements": settings})
        item = ask("home", served=served, context={"channel": channel}).items[0]
        return item.item_id, item.reasons[0].code

    assert first(replace(pin, valid_until=NOW + timedelta(seconds=1))) == ("tea", "pinned")
    over, elsewhere = first(pin), first(replace(pin, valid_until=None), channel="web")
    assert over == elsewhere == ("milk", "popular")


def test_what_was_seen_in_this_visit_leads_to_what_comes_next(ask):
    answer = ask("session", recent_events=(RecentEvent("grill"),))
    assert found_by(answer, "next_in_session") == {"charcoal": "grill"}
    assert found_by(ask("session"), "next_in_session") == {}
