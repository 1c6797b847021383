import numpy as np

from recommender.interaction_matrix import InteractionMatrix
from recommender.models.trending import Trending
from tests.recommender.histories import matrix_of

# In the last week two customers buy tea and one buys milk, in the weeks before one bought tea and two milk, and one
# something that nobody buys any more. The week has three pairs of customer and item, the time before four.
EVENTS = matrix_of(
    ("ann", "tea", 1, "order"),
    ("ann", "tea", 2, "order"),
    ("bob", "tea", 3, "order"),
    ("bob", "milk", 3, "order"),
    ("ann", "tea", 20, "order"),
    ("ann", "milk", 20, "order"),
    ("bob", "milk", 30, "order"),
    ("bob", "wine", 30, "order"),
    ("bob", "hats", 90, "order"),
    items="hats milk tea wine",
)
HATS, MILK, TEA, WINE = range(4)


def test_customers_of_the_last_days_are_compared_with_those_expected():
    scores = Trending(recent_days=7, past_days=28, prior_customers=10).fit(EVENTS).score(EVENTS)
    ratios = [(1 + 10) / (2 * 3 / 4 + 10), (2 + 10) / (3 / 4 + 10), 10 / (3 / 4 + 10)]
    np.testing.assert_allclose(scores[0, [MILK, TEA, WINE]], np.log(ratios), rtol=1e-5)
    np.testing.assert_array_equal(scores[0], scores[1])


def test_what_was_met_in_neither_time_is_unknown():
    assert np.isnan(Trending().fit(EVENTS).score(EVENTS)[:, HATS]).all()


def test_what_two_customers_buy_is_less_of_a_trend_than_what_doubles():
    steady = [(f"c{one}", "bread", 20, "order") for one in range(80)]
    rising = [(f"c{one}", "sun cream", 20, "order") for one in range(20)]
    now = [(f"c{one}", "bread", 1, "order") for one in range(60)] + [
        (f"c{one}", "sun cream", 1, "order") for one in range(40)
    ]
    events = matrix_of(*steady, *rising, *now, ("c1", "kite", 1, "order"), ("c2", "kite", 2, "order"))
    bread, kite, cream = Trending().fit(events).score(events)[0]
    assert cream > kite > 0 > bread


def test_without_times_the_order_is_that_of_the_customers():
    pairs = InteractionMatrix.from_pairs(["ann", "bob", "ann", "ann"], ["milk", "milk", "rice", "rice"])
    milk, rice = Trending().fit(pairs).score(pairs)[0]
    assert milk > rice > 0


def test_days_are_counted_back_from_the_last_event():
    later = InteractionMatrix(
        EVENTS.customers,
        EVENTS.items,
        EVENTS.rows,
        EVENTS.columns,
        EVENTS.weights,
        EVENTS.age_days + 50,
        EVENTS.is_order,
    )
    np.testing.assert_array_equal(Trending().fit(later).score(EVENTS), Trending().fit(EVENTS).score(EVENTS))
