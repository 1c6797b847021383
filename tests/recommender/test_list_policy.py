"""What a list keeps to, whatever the candidates: examples with answers known by hand, and properties of all lists."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.item_lists import Candidate
from recommender.list_policy import ListPolicy, Move, Rows, choose, moved, relevant, rotated

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def candidates(*item_ids: str, strategy: str = "for_you") -> list[Candidate]:
    return [Candidate(item_id, 1.0 - place / 10, strategy) for place, item_id in enumerate(item_ids)]


def chosen(policy: ListPolicy, *tiers: list[Candidate], new=(), rows=None) -> list[Candidate]:
    known = rows or {}
    return choose(policy, iter(tiers), new, Rows(lambda ids: {one: known[one] for one in ids if one in known}))


def ids(listed: list[Candidate]) -> str:
    return "".join(one.item_id for one in listed)


def policy(limit: int = 3, **settings) -> ListPolicy:
    return ListPolicy(limit=limit, at=NOON, **settings)


def test_the_floor_is_a_share_of_the_best_score():
    scored = [Candidate("a", 4.0, "s"), Candidate("b", 2.0, "s"), Candidate("c", 1.9, "s")]
    assert ids(relevant(scored, 0.5)) == "ab"
    assert ids(relevant(scored, 0.0)) == "abc"


def test_the_floor_holds_for_scores_below_zero_too():
    scored = [Candidate("a", 1.0, "s"), Candidate("b", -1.0, "s"), Candidate("c", -3.0, "s")]
    assert ids(relevant(scored, 0.5)) == "ab"
    assert ids(relevant([Candidate("a", 0.0, "s")], 1.0)) == "a"


def test_what_was_shown_moves_down_and_further_the_more_often():
    assert ids(rotated(candidates(*"abcde"), {"a": 1.0}, 0.5)) == "bacde"
    assert ids(rotated(candidates(*"abcde"), {"a": 9.0}, 0.5)) == "bcdae"
    assert ids(rotated(candidates(*"abcde"), {"a": 1.0}, 0.0)) == "abcde"


def test_a_full_boost_goes_first_and_a_full_bury_last():
    def names(wanted: str):
        return lambda item_id, row: item_id == wanted

    assert ids(moved(candidates(*"abcde"), [Move(names("d"), 1.0)], {})) == "adbce"
    assert ids(moved(candidates(*"abcde"), [Move(names("b"), -1.0)], {})) == "acdbe"
    assert ids(moved(candidates(*"abcde"), [Move(names("e"), 0.5)], {})) == "abced"


def test_a_list_that_is_too_short_is_filled_by_the_next_strategy():
    assert ids(chosen(policy(4), candidates(*"ab"), candidates(*"bcde"))) == "abcd"


def test_a_list_that_is_not_to_be_filled_asks_the_next_strategy_only_if_it_is_empty():
    own = policy(4, is_filled=False)
    assert ids(chosen(own, candidates(*"ab"), candidates(*"cd"))) == "ab"
    assert ids(chosen(own, [], candidates(*"cd"))) == "cd"
    assert ids(chosen(replace(own, excluded=frozenset("ab")), candidates(*"ab"), candidates(*"cd"))) == "cd"


@pytest.mark.parametrize("strategy", ["buy_again", "due_again"])
def test_what_is_not_used_up_is_not_offered_to_be_bought_again(strategy):
    rows = {"a": {"is_replenishable": False}, "b": {"is_replenishable": True}, "c": {"is_replenishable": None}}
    again = candidates(*"abcd", strategy=strategy)
    assert ids(chosen(policy(4), again, rows=rows)) == "bcd"
    assert ids(chosen(policy(4), again, candidates("a"), rows=rows)) == "bcda"


def test_bought_items_keep_to_what_the_share_of_new_ones_leaves():
    own = policy(4, new_share=0.5, bought=frozenset("abcd"))
    assert ids(chosen(own, candidates(*"abcdxyz"))) == "abxy"
    assert ids(chosen(own, candidates(*"abcdx"))) == "abx"


def test_pins_stand_at_their_places_and_two_of_one_place_follow_each_other():
    assert ids(chosen(policy(4, pins=((2, "p"),)), candidates(*"abc"))) == "apbc"
    assert ids(chosen(policy(4, pins=((1, "p"), (1, "q"))), candidates(*"abc"))) == "pqab"
    assert ids(chosen(policy(4, pins=((4, "p"),)), candidates("a"))) == "ap"
    assert ids(chosen(policy(2, pins=((3, "p"),)), candidates(*"abc"))) == "ab"
    assert ids(chosen(policy(2, pins=((1, "b"),)), candidates(*"abc"))) == "ba"


def test_a_pin_that_must_not_be_shown_is_not_shown():
    assert ids(chosen(policy(2, pins=((1, "p"),), excluded=frozenset("p")), candidates(*"abc"))) == "ab"
    sold_out = {"p": {"item_id": "p", "is_available": False}}
    assert ids(chosen(policy(2, pins=((1, "p"),)), candidates(*"abc"), rows=sold_out)) == "ab"


SHIRTS = {"r": {"product_group_id": "shirt"}, "b": {"product_group_id": "shirt"}, "h": {"product_group_id": "r"}}


def test_only_the_best_item_of_a_product_group_is_kept_and_a_group_named_like_an_item_does_not_hide_it():
    assert ids(chosen(policy(4), candidates(*"rbh"), rows=SHIRTS)) == "rh"


def test_an_item_that_cannot_be_sold_leaves_its_group_to_the_next():
    rows = {**SHIRTS, "r": {"product_group_id": "shirt", "is_available": False}}
    assert ids(chosen(policy(4), candidates(*"rb"), rows=rows)) == "b"


def test_neither_an_item_of_the_page_nor_another_variant_of_it_is_shown():
    assert ids(chosen(policy(4, beside=("r", "x")), candidates(*"xrbh"), rows=SHIRTS)) == "h"


def test_a_pin_takes_the_place_of_its_product_group():
    rows = {one: {"item_id": one, "product_group_id": "g"} for one in "pa"}
    assert ids(chosen(policy(3, pins=((1, "p"),)), candidates(*"abc"), rows=rows)) == "pbc"


def test_new_items_are_drawn_with_the_probability_that_they_carry():
    own = policy(10, exploration_share=0.2)
    new = candidates(*"VWXYZ", strategy="new_arrivals")
    counts = dict.fromkeys("VWXYZ", 0)
    for seed in range(500):
        shown = chosen(replace(own, seed=str(seed)), candidates(*"abcdefghijkl"), new=new)
        drawn = [one for one in shown if one.item_id in counts]
        assert [one.propensity for one in drawn] == [0.4, 0.4]
        assert ids([one for one in shown if one.item_id not in counts]) == "abcdefgh"
        for one in drawn:
            counts[one.item_id] += 1
    # Five standard deviations of a binomial count of 500 draws at 0.4 are 55.
    assert all(abs(count - 200) < 55 for count in counts.values())


def test_the_same_seed_draws_the_same_and_places_without_new_items_are_given_back():
    own = policy(5, exploration_share=0.4, seed="r1")
    new = candidates(*"VWXYZ")
    assert chosen(own, candidates(*"abcdef"), new=new) == chosen(own, candidates(*"abcdef"), new=new)
    assert ids(chosen(own, candidates(*"abcdef"), new=candidates("a"))) == "abcde"


def test_rows_are_read_once_and_only_as_far_as_they_are_needed():
    asked: list[str] = []

    def read(item_ids):
        asked.extend(item_ids)
        return {}

    many = [Candidate(str(number), -number, "s") for number in range(1_000)]
    assert len(choose(policy(5), iter([many]), (), Rows(read))) == 5
    assert len(asked) == len(set(asked)) == 15


ITEMS = "abcdefghij"
SHARES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0])
SOME = st.frozensets(st.sampled_from(ITEMS), max_size=4)
LISTED = st.lists(
    st.builds(Candidate, st.sampled_from(ITEMS), st.floats(-2, 2), st.just("s")), unique_by=lambda one: one.item_id
)
ROWS = st.dictionaries(
    st.sampled_from(ITEMS),
    st.fixed_dictionaries(
        {
            "is_available": st.sampled_from([None, True, False]),
            "product_group_id": st.sampled_from([None, "g", "h"]),
            "category": st.sampled_from([None, "x > y", "x > z", "w"]),
        }
    ),
)
POLICIES = st.builds(
    lambda names, **given: ListPolicy(
        at=NOON, moves=tuple(Move(lambda i, _: i in names, w) for w in (0.5, -1)), **given
    ),
    SOME,
    limit=st.integers(1, 8),
    seed=st.sampled_from("xyz"),
    is_filled=st.booleans(),
    diversity=SHARES,
    min_relevance=SHARES,
    new_share=SHARES,
    exploration_share=SHARES,
    rotation=SHARES,
    excluded=SOME,
    bought=SOME,
    shown=st.dictionaries(st.sampled_from(ITEMS), st.floats(0, 3)),
    pins=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(ITEMS)), max_size=3).map(tuple),
)


@given(POLICIES, st.lists(LISTED, max_size=3), LISTED, ROWS)
def test_every_list_keeps_to_its_policy(own, tiers, new, rows):
    listed = chosen(own, *tiers, new=new, rows=rows)
    shown = [one.item_id for one in listed]
    assert len(shown) == len(set(shown)) <= own.limit
    assert own.excluded.isdisjoint(shown)
    assert all(rows.get(one, {}).get("is_available") is not False for one in shown)
    groups = [rows[one]["product_group_id"] for one in shown if one in rows and rows[one]["product_group_id"]]
    assert len(groups) == len(set(groups))
    others = {one for one in shown if one in own.bought}
    assert len(others) <= max(own.limit - math.ceil(round(own.new_share * own.limit, 9)), 0)
    assert all(0 < one.propensity <= 1 for one in listed)
    pinned = {one.item_id for one in listed if one.strategy == "pinned"}
    for position in {position for position, item_id in own.pins if item_id in pinned}:
        wanted = [item_id for at, item_id in own.pins if at == position and item_id in pinned]
        alone = len(own.pins) == len({at for at, _ in own.pins}) == len({item_id for _, item_id in own.pins})
        place = shown.index(wanted[0])
        # Where nothing is left to fill the gap before it, a pinned item moves up, and only pinned ones follow.
        assert not alone or place == position - 1 or (place < position and pinned.issuperset(shown[place:]))
    above = {one.item_id for tier in tiers for one in relevant(tier, own.min_relevance)}
    assert set(shown) <= above | pinned | {one.item_id for one in new}


@pytest.mark.parametrize("limit", [1, 5])
def test_without_candidates_the_list_is_empty(limit):
    assert chosen(policy(limit)) == []
    assert chosen(policy(limit), [], []) == []
