import numpy as np

from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.baskets import Baskets, KnownCustomers
from tests.recommender.histories import matrix_of, strangers

EVENTS = matrix_of(
    ("ann", "milk", 9.2, "order"),
    ("ann", "rice", 9.7, "order"),
    ("ann", "milk", 3.1, "order"),
    ("ann", "milk", 3.4, "order"),
    ("ann", "rice", 1, "return"),
    ("bob", "soap", 3, "view"),
    items="milk rice soap",
)


def test_the_events_of_one_day_are_one_basket_that_holds_an_item_once():
    baskets = Baskets(EVENTS)
    assert baskets.owners.tolist() == [0, 0, 0, 1]
    assert baskets.numbers.tolist() == [0, 1, 2, 0]
    assert baskets.counts.tolist() == [3, 1]
    assert baskets.age_days.tolist() == [1, 3, 9, 3]
    expected = [[0, -1, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0.1]]
    np.testing.assert_allclose(baskets.contents.toarray(), expected, rtol=1e-6)


def test_without_times_a_history_is_one_basket():
    baskets = Baskets(InteractionMatrix.from_pairs(["ann", "ann"], ["milk", "rice"]))
    assert baskets.contents.toarray().tolist() == [[1, 1]]


def test_what_went_back_is_not_below_zero():
    combined = Baskets(EVENTS).combined(np.array([1.0, 1.0, 0.5, 1.0]))
    np.testing.assert_allclose(combined.toarray(), [[1.5, 0, 0], [0, 0, 0.1]], rtol=1e-6)


def test_who_has_no_events_has_no_baskets():
    baskets = Baskets(strangers(EVENTS, "zoe"))
    assert baskets.counts.tolist() == [0]
    assert baskets.combined(np.zeros(0)).shape == (1, 3)


def test_known_customers_are_drawn_among_those_who_have_something():
    vectors = Baskets(EVENTS).combined(np.array([1.0, 1.0, 1.0, 0.0]))
    known = KnownCustomers.drawn(EVENTS.customers, vectors, vectors, most=5, seed=0)
    assert known.customers.ids() == ["ann"]


def test_one_seed_draws_the_same_customers_and_no_more_than_asked():
    many = matrix_of(*[(f"c{number:02}", "milk", 1, "order") for number in range(20)])
    vectors = Baskets(many).combined(np.ones(20))
    first, second = (KnownCustomers.drawn(many.customers, vectors, vectors, most=7, seed=3) for _ in range(2))
    assert len(first.customers) == 7
    assert first.customers.ids() == second.customers.ids()


def test_products_say_who_is_the_same_customer():
    vectors = Baskets(EVENTS).combined(np.ones(4))
    known = KnownCustomers.drawn(EVENTS.customers, vectors, vectors, most=5, seed=0)
    ((found, is_self),) = known.products(IdIndex(["amy", "bob"]), vectors)
    np.testing.assert_allclose(found.toarray(), [[4, 0], [0, 0.01]], rtol=1e-6)
    assert is_self.tolist() == [False, True]
