"""Answers that start from items, sessions and intervals, in a shop of known habits."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from recommender import item_answers, item_candidates
from recommender.event_store import open_event_store
from recommender.identifiers import IdIndex
from recommender.item_lists import Candidate, reason_for
from recommender.live_history import Event
from recommender.periods import Period
from tests.recommender.histories import matrix_of
from tests.training import item_shop
from tests.training.item_shop import END, item_bundle, item_history, line, order_lines, views
from training.interactions import events_before
from training.item_evaluation import judge_on
from training.item_occasions import owned, positions_of, session_halves

NOW = END + timedelta(days=1)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return item_bundle(item_history(tmp_path_factory.mktemp("items"), order_lines(), views()))


@pytest.fixture
def shop(sqlite_url):
    opened = open_event_store(sqlite_url, clock=lambda: NOW)
    opened.append_rows("items", item_shop.items())
    opened.append_rows("order_lines", order_lines())
    yield opened
    opened.close()


@pytest.fixture
def ask(shop, bundle):
    """Any of the answers over that shop."""

    def answer(name, *arguments, limit=5, served=bundle, **keywords):
        keywords = keywords if name == "customers_for" else {"now": NOW, **keywords}
        return getattr(item_answers, name)(shop, served, *arguments, limit=limit, **keywords)

    return answer


def ids(answer, strategy=None):
    """The items of an answer, those of one strategy where it is named."""
    return [item.item_id for item in answer.items if strategy in (None, item.strategy)]


def places(bundle, *item_ids):
    return [bundle.items.position(one) for one in item_ids]


def test_what_goes_into_a_basket_is_told_and_not_what_is_in_every_basket(ask):
    answer = ask("bought_together", ["sausage"])
    assert (answer.strategy, answer.fallback) == ("bought_together", None)
    assert ids(answer, "bought_together") == ids(answer)[:1] == ["bun"]
    assert answer.items[0].reasons[0].text == "Bought together with Sausage"
    assert answer.items[0].reasons[0].evidence_item_id == "sausage"


def test_several_seeds_are_combined_and_none_of_them_is_shown(ask):
    assert set(ids(ask("bought_together", ["sausage", "soap"]), "bought_together")) == {"bun", "sponge"}
    answer = ask("bought_together", ["sausage", "bun", "no such item"])
    assert {"sausage", "bun"}.isdisjoint(ids(answer))


def test_taking_the_shared_baskets_away_takes_the_pair_and_its_reason_away(tmp_path):
    apart = [
        {**one, "ordered_at": one["ordered_at"] - timedelta(hours=5), "order_id": f"{one['order_id']}-b"}
        if one["item_id"] == "bun"
        else one
        for one in order_lines()
    ]
    without = item_bundle(item_history(tmp_path / "history", apart, views()))
    assert "bun" not in [one.item_id for one in item_candidates.bought_together(without, places(without, "sausage"))]


def test_an_item_in_no_shared_basket_is_answered_by_what_is_like_it_labelled(ask):
    answer = ask("bought_together", ["milk"])
    assert (answer.fallback, answer.strategy) == ("similar_items", "similar_items")
    assert len(answer.items) > 0
    assert "nothing is known for bought_together" in answer.warnings[0]


def test_an_unknown_item_gets_what_is_popular_and_a_new_one_the_best_of_its_category(ask, shop):
    for name, item in (("similar", "nothing\x00"), ("bought_together", ["nobody knows"])):
        answer = ask(name, item)
        assert answer.fallback == "popular_items"
        assert answer.warnings[0] == f"nothing is known for {answer.warnings[0].split()[4]} the list is popular_items"
        assert ids(answer)[0] == "milk"
    shop.upsert("items", {"item_id": "flannel", "category": "home > bath"})
    answer = ask("similar", "flannel")
    assert (answer.fallback, set(ids(answer)[:2])) == ("category_best_sellers", {"soap", "sponge"})
    assert [item.strategy for item in answer.items] == ["category_best_sellers"] * 2 + ["popular_items"] * 3
    assert answer.items[0].reasons[0].text == "6 customers bought this in the last 28 days"
    assert answer.warnings[1:] == ("3 places are filled with popular items",)


def test_a_list_that_is_too_short_is_filled_with_what_is_popular_labelled(ask, shop):
    shop.upsert("items", {"item_id": "bun", "category": "food > bread", "is_available": False})
    answer = ask("similar", "soap", limit=9)
    assert (answer.strategy, answer.fallback) == ("similar_items", None)
    ways = [item.strategy for item in answer.items]
    assert ways == sorted(ways, key=["similar_items", "popular_items"].index)
    told = {item.item_id: item.reasons[0].text for item in answer.items if item.strategy == "popular_items"}
    assert told["sausage"] == "6 customers bought this in the last 28 days"
    assert told["tea"] == told["grill"] == "From the range of the shop"
    # All that can be sold, of the two shirts one.
    assert sorted({*ids(answer), "soap", "bun"} - {"shirt-red", "shirt-blue"}) == sorted(
        set(item_shop.ITEMS) - {"shirt-red", "shirt-blue"}
    )
    assert len(ids(answer)) == len(set(ids(answer))) == 7


def test_the_places_that_were_filled_are_counted_in_a_warning(ask):
    answer = ask("bought_together", ["sausage"], limit=4)
    fillers = [item.strategy for item in answer.items[1:]]
    assert answer.warnings == tuple(
        f"{fillers.count(one)} place{'s are' if fillers.count(one) > 1 else ' is'} filled "
        + ("with popular items" if one == "popular_items" else f"by {one}")
        for one in dict.fromkeys(fillers)
    )
    assert ask("bought_together", ["sausage"], limit=1).warnings == ()


def test_a_category_is_not_filled_with_what_lies_outside_it(ask):
    assert set(ids(ask("popular", "home > bath", limit=50))) == {"soap", "sponge"}


def test_best_sellers_of_a_category_cover_those_below_it(ask):
    assert ids(ask("popular", "food"))[:1] == ["milk"]
    assert set(ids(ask("popular", "home > bath"))) == {"soap", "sponge"}
    assert ask("popular", "home > bath").fallback is None
    nowhere = ask("popular", "home > ba")
    assert (nowhere.fallback, ids(nowhere)[0]) == ("popular_items", "milk")


def test_what_moved_to_another_category_since_is_no_longer_in_the_old_one(ask, shop):
    shop.upsert("items", {"item_id": "soap", "category": "gifts"})
    assert set(ids(ask("popular", "home > bath"))) == {"sponge"}


def test_new_arrivals_begin_with_what_came_last(ask):
    answer = ask("new_arrivals")
    assert (answer.strategy, answer.fallback, ids(answer)[0]) == ("new_arrivals", None, "tea")
    assert answer.items[0].reasons[0].code == "new_arrival"


def test_where_nothing_sells_more_than_before_nothing_is_said_to(ask):
    answer = ask("trending", limit=3)
    assert "trending" not in {one.reasons[0].code for one in answer.items}
    assert answer.fallback == "popular_items"


def test_what_more_customers_buy_than_before_is_trending(tmp_path):
    rising = [line(f"r{number}", "bun", 1.0) for number in range(12)]
    risen = item_bundle(item_history(tmp_path, [*order_lines(), *rising], views()))
    found = item_candidates.trending(risen)
    assert [one.item_id for one in found] == ["bun"]
    assert reason_for(found[0], {}).code == "trending"


def test_what_cannot_be_sold_is_never_shown_and_the_next_way_is_taken(ask, shop):
    shop.upsert("items", {"item_id": "bun", "category": "food > bread", "is_available": False})
    answer = ask("bought_together", ["sausage"])
    assert "bun" not in ids(answer)
    assert answer.fallback is not None
    for name, row in item_shop.ITEMS.items():
        shop.upsert("items", {"item_id": name, **row, "is_available": False})
    for name, arguments in (("trending", ()), ("new_arrivals", ()), ("popular", (None,))):
        nothing = ask(name, *arguments)
        assert (nothing.items, nothing.warnings) == ((), ("nothing that can be sold is known",))
    assert ask("similar", "milk").warnings == ("nothing else that can be sold is known",)


def test_what_can_be_sold_is_told_by_the_clock_and_not_by_the_training(ask, shop):
    soon, long_ago = END + timedelta(days=1), END - timedelta(days=1)
    shop.upsert("items", {"item_id": "bun", "category": "food > bread", "available_until": soon})
    shop.upsert("items", {"item_id": "soap", "category": "home > bath", "available_from": soon})
    for name, arguments in (("popular", (None,)), ("bought_together", (["sausage"],)), ("similar", ("sausage",))):
        shown = ids(ask(name, *arguments, limit=100))
        assert "bun" not in shown
        assert "soap" in shown
    shown = ids(ask("popular", None, limit=100, now=long_ago))
    assert "bun" in shown
    assert "soap" not in shown


def test_of_a_product_group_one_item_is_shown_and_none_beside_its_variant(ask):
    everything = ids(ask("popular", None, limit=100))
    assert len({"shirt-red", "shirt-blue"} & set(everything)) == 1
    assert "shirt-blue" not in ids(ask("similar", "shirt-red"))
    assert "shirt-blue" not in ids(ask("bought_together", ["shirt-red"]))


def test_customers_for_an_item_are_those_whose_lists_hold_it_highest(ask):
    answer = ask("customers_for", "bun", limit=4)
    assert (answer.strategy, answer.fallback) == ("customers_for_item", None)
    assert all(int(one.customer_id[1:]) % 2 == 0 for one in answer.customers)
    assert [one.rank for one in answer.customers] == [1, 2, 3, 4]


def test_who_did_not_agree_or_was_erased_is_not_among_the_customers(ask, shop):
    first, second = (one.customer_id for one in ask("customers_for", "bun", limit=2).customers)
    shop.upsert("customers", {"customer_id": first, "consent_personalization": False})
    shop.erase(second)
    assert {first, second}.isdisjoint(one.customer_id for one in ask("customers_for", "bun", limit=100).customers)


def test_an_item_that_nobody_knows_is_told_to_customers_of_others_labelled(ask, shop):
    shop.upsert("items", {"item_id": "flannel", "category": "home > bath"})
    answer = ask("customers_for", "flannel", limit=3)
    assert (answer.fallback, len(answer.customers), len(answer.warnings)) == ("customers_of_category", 3, 1)
    assert ask("customers_for", "never heard of").fallback == "customers_of_popular_items"
    empty = ask("customers_for", "bun", served=None)
    assert (empty.customers, empty.fallback, len(empty.warnings)) == ((), "nobody", 1)


def test_without_a_model_every_list_says_that_it_is_what_was_ordered_last(ask):
    for name, arguments in (("trending", ()), ("bought_together", (["bun"],)), ("popular", ("food",))):
        answer = ask(name, *arguments, served=None)
        assert answer.fallback is not None
        assert "no model is served yet" in answer.warnings[0]
        assert len(answer.items) > 0


def test_visitors_without_a_name_teach_what_comes_next(bundle):
    grill = Event("grill", END, "view")
    found = item_candidates.next_in_session(bundle, [grill])
    assert [one.item_id for one in found] == ["charcoal"]
    assert reason_for(found[0], {}).text == "Often follows grill"
    assert item_candidates.next_in_session(bundle, [Event("unheard of", END, "view")]) == []
    assert item_candidates.next_in_session(bundle, []) == []


def test_the_last_event_of_a_session_counts_most(bundle):
    walk = [Event(one, END, "view") for one in ("sausage", "soap")]
    forward, backward = (
        [one.item_id for one in item_candidates.next_in_session(bundle, events) if one.item_id in ("bun", "sponge")]
        for events in (walk, walk[::-1])
    )
    assert (forward, backward) == (["sponge", "bun"], ["bun", "sponge"])


def test_of_what_the_same_customers_buy_the_own_category_is_most_similar(tmp_path):
    lines = [line(f"c{n}", item, 5.0) for n in range(60) for item in ("soap", "bun", "sponge")]
    lines += [line(f"d{n}", "milk", 5.0) for n in range(60)]
    trained = item_bundle(item_history(tmp_path / "history", lines, []))
    found = item_candidates.similar(trained, places(trained, "soap"))
    assert [one.item_id for one in found][:2] == ["sponge", "bun"]
    assert found[0].score == pytest.approx(1.5**2 * found[1].score)


def test_a_best_seller_expected_in_the_basket_is_shown_as_what_it_is(tmp_path):
    lines = [line(f"c{n}", item, 5.0) for n in range(9) for item in ("sausage", "bun", "milk", "soap")]
    lines += [line(f"d{n}", "sponge", 5.0) for n in range(9)] + [line("x", item, 5.0) for item in ("grill", "charcoal")]
    small = item_bundle(item_history(tmp_path / "history", lines, []))
    found = {one.item_id: reason_for(one, {}) for one in item_candidates.bought_together(small, places(small, "grill"))}
    assert found["charcoal"].text == "Bought together with grill"
    assert (found["milk"].code, found["milk"].evidence_item_id) == ("popular", None)


def test_what_is_due_is_told_with_its_rhythm(bundle):
    position = bundle.customers.position("c03")
    found = {one.item_id: one for one in item_candidates.due_again(bundle, position)}
    assert set(found) == {"soap", "sponge", "milk"}
    assert reason_for(found["milk"], {}).text == "You bought this 6 times, the last time 6 days ago"
    events = [Event(row["item_id"], row["ordered_at"], "order") for row in order_lines() if row["customer_id"] == "c03"]
    due = {
        one.item_id: one
        for one in item_candidates.due_again_from_events(bundle, "c03", events, END + timedelta(days=5))
    }
    assert reason_for(due["milk"], {}).text == "You buy this about every 10 days; the last time was 11 days ago"


def test_a_rhythm_is_the_customers_own_from_two_intervals_on_and_before_that_what_is_usual(bundle):
    def said(*days_ago: float) -> str:
        events = [Event("milk", END - timedelta(days=ago), "order") for ago in days_ago]
        return reason_for(item_candidates.due_again_from_events(bundle, "new", events, END)[0], {}).text

    assert said(90, 60, 30) == "You buy this about every 30 days; the last time was 30 days ago"
    usual = "Customers who buy this again do so after about 10 days; you last bought it 30 days ago"
    assert said(150, 30) == usual
    assert said(30) == usual


def test_what_nobody_bought_again_has_no_usual_rhythm_though_others_of_its_kind_have_one(bundle):
    events = [Event("shirt-red", END - timedelta(days=300), "order")]
    shirt = item_candidates.due_again_from_events(bundle, "new", events, END)[0]
    assert (shirt.interval_days, reason_for(shirt, {}).code) == (None, "bought_before")


def test_what_is_not_used_up_takes_no_place_among_what_is_due(tmp_path, monkeypatch):
    monkeypatch.setitem(item_shop.ITEMS, "sponge", {"category": "home > bath", "is_replenishable": False})
    lasting = item_bundle(item_history(tmp_path, order_lines(), views()))
    found = item_candidates.due_again(lasting, lasting.customers.position("c03"))
    assert {one.item_id for one in found} == {"soap", "milk"}


def test_due_again_from_events_agrees_with_the_slates_and_follows_a_purchase(bundle):
    events = [Event(row["item_id"], row["ordered_at"], "order") for row in order_lines() if row["customer_id"] == "c03"]
    events = sorted(events, key=lambda event: event.at)
    stored = item_candidates.due_again(bundle, bundle.customers.position("c03"))
    live = item_candidates.due_again_from_events(bundle, "c03", events, END)
    assert [one.item_id for one in live] == [one.item_id for one in stored]
    assert np.allclose([one.score for one in live], [one.score for one in stored], atol=1e-5)
    bought = [*events, Event("milk", END + timedelta(days=1), "order")]
    after = item_candidates.due_again_from_events(bundle, "c03", bought, END + timedelta(days=1))
    assert next(one for one in after if one.item_id == "milk").last_age_days == 0
    fewer = item_candidates.due_again_from_events(bundle, "c03", [e for e in events if e.item_id != "milk"], END)
    assert "milk" not in [one.item_id for one in fewer]


def test_a_catalogue_of_one_item_trains_and_says_what_it_lacks(tmp_path, sqlite_store):
    lines = [line(f"c{number}", "milk", 5.0 + number) for number in range(4)]
    history = item_history(tmp_path / "history", lines * 2, [], only="milk")
    sqlite_store.append_rows("order_lines", lines)
    lonely = item_bundle(history)
    assert item_candidates.bought_together(lonely, places(lonely, "milk")) == []
    alone = item_answers.similar(sqlite_store, lonely, "milk", limit=3, now=NOW)
    assert (alone.items, alone.warnings) == ((), ("nothing else that can be sold is known",))
    assert ids(item_answers.popular(sqlite_store, lonely, None, limit=3, now=NOW)) == ["milk"]
    assert item_candidates.due_again(lonely, 0) == []


def test_every_answer_is_judged_beside_popularity_and_plain_counts(bundle, tmp_path):
    later = [line(f"c{number:02}", item, -5.0) for number in range(12) for item in item_shop.BASKETS[number % 2]]
    history = item_history(tmp_path / "history", [*order_lines(), *later], views())
    events = events_before(history, END + timedelta(days=28))
    matrix = item_shop.interactions_before(history, END)
    orders = events[events["kind"] == "order"].assign(session_id=None)
    figures = judge_on(bundle, matrix, events, owned(orders), k=10, seed=0)
    names = {"bought_together_same_basket", "bought_together", "similar", "session", "buy_again"}
    assert set(figures) == {*names, "similar_same_category"}
    for one in (figures[name] for name in names):
        assert one["observations"] == 12
        assert one["hit"]["ours"]["customers"] == 12
        assert {"popularity", "co_purchase_counts", "gain_over_popularity"} <= set(one["hit"])
    assert figures["buy_again"]["hit"]["ours"]["mean"] == 1.0
    assert figures["buy_again"]["due_date"]["pairs"] == 36
    assert figures["buy_again"]["due_date"]["median_absolute_days"]["median"] < 3
    nothing = judge_on(bundle, matrix, events[events["at"] < END], owned(orders[orders["at"] < END]), k=10, seed=0)
    assert nothing["session"] is None


def test_sessions_of_one_customer_are_known_to_be_the_customers(bundle):
    def row(item_id, minutes, session_id, customer_id):
        at = pd.Timestamp(END) + pd.Timedelta(minutes=minutes)
        return {"item_id": item_id, "at": at, "session_id": session_id, "customer_id": customer_id}

    events = pd.DataFrame(
        [
            *(row("grill", 0, "s1", None), row("charcoal", 1, "s1", "ann")),
            *(row("soap", 0, "s2", "ann"), row("sponge", 1, "s2", "ann")),
            *(row("soap", 9, None, "ann"), row("milk", 10, None, "ann")),
            *(row("soap", 0, "s3", None), row("milk", 1, "s3", None)),
        ]
    )
    matrix = matrix_of(("ann", "soap", 1, "order"), items=" ".join(bundle.items.ids()))
    found = session_halves(owned(events), matrix, Period.after(END, 28), seed=0)
    # By owner: the day of ann, then the sessions; one of them is nobody's.
    assert found.clusters.tolist() == [0, 0, 0, 1]


def test_an_item_outside_the_catalogue_stands_nowhere_in_it():
    items = IdIndex(["milk", "soap"])
    listed = [Candidate(one, 1.0, "similar_items") for one in ("soap", "no such item", "milk")]
    assert positions_of(items, listed) == [1, -1, 0]
