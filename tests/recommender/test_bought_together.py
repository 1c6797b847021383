"""Items of the same baskets: what goes together beyond chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import NotEnoughData, NotFitted
from recommender.models import create, restore
from recommender.models.bought_together import BoughtTogether, baskets_of
from tests.recommender.histories import matrix_of, strangers

BUN, MILK, SAUSAGE, SOAP = range(4)


def barbecue():
    """Sausages come with buns; milk is in every basket; soap is bought alone with milk."""
    rows = []
    for number in range(12):
        goods = ("bun", "sausage", "milk") if number < 6 else ("soap", "milk")
        rows += [(f"c{number}", item, float(number + 1), "order") for item in goods]
    return matrix_of(*rows)


def names(matrix, positions):
    return [matrix.items[int(one)] for one in positions]


def test_what_stands_in_every_basket_goes_with_nothing_in_particular():
    matrix = barbecue()
    model = BoughtTogether().fit(matrix)
    assert names(matrix, model.neighbours_of(SAUSAGE, 5)[0]) == ["bun"]
    assert names(matrix, model.neighbours_of(BUN, 5)[0]) == ["sausage"]


def test_without_the_baskets_that_show_it_a_pair_is_gone():
    rows = [(f"c{n}", item, 1.0, "order") for n in range(6) for item in ("bun", "sausage")]
    rows += [(f"d{n}", "milk", 1.0, "order") for n in range(6)]
    together = matrix_of(*rows)
    apart = matrix_of(*((who, item, 1.0 if item == "bun" else 9.0, kind) for who, item, _, kind in rows))
    assert len(BoughtTogether().fit(together).neighbours_of(BUN, 5)[0]) == 1
    assert len(BoughtTogether().fit(apart).neighbours_of(BUN, 5)[0]) == 0


def test_a_pair_that_met_once_may_be_luck_and_comes_last():
    rows = [(f"c{number}", item, 1.0, "order") for number in range(9) for item in ("bun", "milk")]
    matrix = matrix_of(*rows, ("x", "bun", 3.0, "order"), ("x", "soap", 3.0, "order"), ("y", "rye", 1.0, "order"))
    assert names(matrix, BoughtTogether().fit(matrix).neighbours_of(BUN, 5)[0]) == ["milk", "soap"]


def test_an_item_of_few_baskets_is_expected_among_what_full_baskets_hold_and_that_is_kept_apart():
    full = [(f"c{n}", item, 1.0, "order") for n in range(6) for item in ("bun", "ham", "milk", "rye")]
    alone = [(f"d{n}", "soap", 1.0, "order") for n in range(6)]
    matrix = matrix_of(*full, *alone, ("x", "cup", 1.0, "order"), ("x", "tea", 1.0, "order"))
    model = BoughtTogether(shrinkage=20.0).fit(matrix)
    tea = matrix.items.position("tea")
    assert names(matrix, model.neighbours_of(tea, 9)[0]) == ["cup"]
    positions, scores = model.expected_of(tea, 9)
    assert names(matrix, positions) == ["bun", "ham", "milk", "rye"]
    # 18 of the other lines in the baskets of 32 lines are in a full one, shrunk from the one basket of tea.
    assert scores == pytest.approx([20 / 21 * 18 / 32] * 4)
    assert len(model.expected_of(matrix.items.position("bun"), 9)[0]) == 0


def test_two_orders_of_one_customer_are_two_baskets():
    matrix = matrix_of(("ann", "bun", 5, "order"), ("ann", "milk", 5, "order"), ("ann", "soap", 2, "order"))
    assert np.array_equal(baskets_of(matrix, 200).toarray(), [[0, 0, 1], [1, 1, 0]])


def test_equal_lines_of_a_basket_count_once_and_a_return_does_not_count():
    matrix = matrix_of(
        ("ann", "bun", 5, "order"), ("ann", "bun", 5, "order"), ("ann", "milk", 5, "return"), ("ann", "milk", 5, "view")
    )
    assert np.array_equal(baskets_of(matrix, 200).toarray(), [[1, 0]])


def test_a_basket_of_everything_is_left_out_for_it_says_nothing_of_a_pair():
    robot = [("robot", f"i{number}", 1.0, "order") for number in range(30)]
    people = [(f"c{n}", item, 2.0, "order") for n in range(5) for item in ("i0", "i1")]
    others = [(f"d{n}", "i2", 2.0, "order") for n in range(5)]
    matrix = matrix_of(*robot, *people, *others)
    model = BoughtTogether(largest_basket=20).fit(matrix)
    assert model.neighbours_of(0, 30)[0].tolist() == [1]
    assert len(model.neighbours_of(2, 30)[0]) == 0


def test_where_everybody_bought_everything_no_pair_is_better_than_chance():
    matrix = matrix_of(*((f"c{n}", item, 1.0, "order") for n in range(8) for item in ("a", "b", "c")))
    model = BoughtTogether().fit(matrix)
    assert all(len(model.neighbours_of(item, 5)[0]) == 0 for item in range(3))


def test_a_catalogue_of_one_item_has_no_pairs():
    model = BoughtTogether().fit(matrix_of(("ann", "cd", 1, "order"), ("bob", "cd", 2, "order")))
    assert len(model.neighbours_of(0, 5)[0]) == 0


def test_without_purchases_and_before_the_fit_it_says_what_is_missing():
    with pytest.raises(NotEnoughData, match="BoughtTogether needs at least one purchase"):
        BoughtTogether().fit(strangers(barbecue(), "nobody"))
    with pytest.raises(NotFitted):
        BoughtTogether().neighbours_of(0, 5)
    with pytest.raises(NotFitted):
        BoughtTogether().expected_of(0, 5)
    with pytest.raises(NotFitted):
        BoughtTogether().state()


def test_it_survives_being_kept():
    model = create("bought_together", largest_basket=50).fit(barbecue())
    again = restore("bought_together", model.state())
    assert again.largest_basket == 50
    assert again.neighbours_of(BUN, 3)[0].tolist() == model.neighbours_of(BUN, 3)[0].tolist()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz"), st.integers(1, 3)), min_size=1), st.randoms()
)
def test_the_order_and_the_repetition_of_events_change_nothing(rows, random):
    events = [(who, item, float(day), "order") for who, item, day in rows]
    shuffled = [*events, events[0]]
    random.shuffle(shuffled)
    one, other = (BoughtTogether().fit(matrix_of(*given_rows)).together_ for given_rows in (events, shuffled))
    assert np.allclose(one.toarray(), other.toarray())
    assert not one.diagonal().any()
