import numpy as np

from recommender.models.personal_frequency import DecayedPersonalFrequency
from tests.recommender.histories import matrix_of, strangers

ORDERS = matrix_of(
    ("ann", "milk", 120, "order"),
    ("ann", "milk", 240, "order"),
    ("ann", "rice", 360, "order"),
    ("bob", "soap", 120, "view"),
)


def test_own_purchases_are_summed_by_their_age():
    scores = DecayedPersonalFrequency(tau_days=120).fit(ORDERS).score(ORDERS)
    expected = [[np.exp(-1) + np.exp(-2), np.exp(-3), np.nan], [np.nan, np.nan, 0.1 * np.exp(-1)]]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_an_item_that_went_back_is_unknown_again():
    orders = matrix_of(("ann", "hat", 3, "order"), ("ann", "hat", 1, "return"), ("ann", "tie", 3, "order"))
    scores = DecayedPersonalFrequency().fit(orders).score(orders)
    assert np.isnan(scores[0, 0])
    assert scores[0, 1] > 0


def test_who_bought_nothing_gets_no_scores():
    scores = DecayedPersonalFrequency().fit(ORDERS).score(strangers(ORDERS, "zoe"))
    assert np.isnan(scores).all()


def test_a_customer_unknown_to_the_fit_is_scored_by_the_history_given():
    model = DecayedPersonalFrequency().fit(ORDERS)
    newcomer = matrix_of(("zoe", "soap", 120, "order"), items="milk rice soap")
    np.testing.assert_allclose(model.score(newcomer), [[np.nan, np.nan, np.exp(-1)]], rtol=1e-6)
