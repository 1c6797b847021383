import numpy as np

from recommender.models.popularity import DecayedPopularity
from tests.recommender.histories import matrix_of, strangers

ORDERS = matrix_of(
    ("ann", "milk", 10, "order"),
    ("bob", "milk", 20, "order"),
    ("bob", "rice", 10, "order"),
    ("bob", "soap", 10, "view"),
    items="milk rice soap wine",
)


def test_every_purchase_counts_by_its_age():
    scores = DecayedPopularity(tau_days=10).fit(ORDERS).score(ORDERS)
    expected = [np.exp(-1) + np.exp(-2), np.exp(-1), 0.1 * np.exp(-1), 0.0]
    np.testing.assert_allclose(scores, [expected, expected], rtol=1e-6)


def test_an_unknown_customer_gets_what_everybody_buys():
    model = DecayedPopularity().fit(ORDERS)
    np.testing.assert_array_equal(model.score(strangers(ORDERS, "zoe")), model.score(ORDERS)[:1])


def test_an_item_that_comes_back_more_than_it_is_bought_scores_nothing():
    model = DecayedPopularity().fit(
        matrix_of(("ann", "hat", 5, "order"), ("bob", "hat", 5, "return"), ("bob", "hat", 4, "return"))
    )
    assert model.item_scores_.tolist() == [0.0]
