import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from recommender.errors import DataError
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import FeatureMatrix, InteractionMatrix
from tests.recommender.histories import CUTOFF, event_frame, matrix_of

EVENTS = (
    ("bob", "rice", 10, "order"),
    ("ann", "milk", 30, "order"),
    ("ann", "milk", 10, "order"),
    ("ann", "soap", 10, "view"),
)


def test_weights_are_summed_per_customer_and_item():
    np.testing.assert_allclose(matrix_of(*EVENTS).counts().toarray(), [[2, 0, 0.1], [0, 1, 0]])


def test_old_events_count_less():
    decayed = matrix_of(*EVENTS).decayed(10).toarray()
    np.testing.assert_allclose(decayed, [[np.exp(-1) + np.exp(-3), 0, np.exp(-1) / 10], [0, np.exp(-1), 0]], rtol=1e-6)


def test_events_at_the_cutoff_are_not_known_yet():
    assert len(matrix_of(("ann", "milk", 0, "order"), ("ann", "milk", -1, "order"), ("ann", "rice", 1, "order"))) == 1


def test_an_order_line_that_stands_twice_is_one_event():
    assert len(matrix_of(("ann", "milk", 1, "order"), ("ann", "milk", 1, "order"))) == 1


def test_events_without_customer_or_item_are_left_out():
    events = event_frame(("ann", "milk", 1, "order"), ("bob", "milk", 1, "view"), ("ann", "rice", 1, "search"))
    events.loc[1, "customer_id"] = pd.NA
    events.loc[2, "item_id"] = pd.NA
    assert InteractionMatrix.from_events(events, cutoff=CUTOFF).customers.ids() == ["ann"]


def test_only_purchases_are_seen_where_there_are_any():
    np.testing.assert_array_equal(matrix_of(*EVENTS).seen().toarray(), [[1, 0, 0], [0, 1, 0]])


def test_what_was_looked_at_is_seen_where_nothing_was_bought():
    views = matrix_of(("ann", "milk", 1, "view"), ("ann", "hat", 1, "dislike"))
    np.testing.assert_array_equal(views.seen().toarray(), [[0, 1]])


def test_an_unnamed_kind_counts_as_a_view():
    assert matrix_of(("ann", "milk", 1, "shared")).counts()[0, 0] == pytest.approx(0.1)


def test_returns_take_back_and_never_below_nothing():
    assert matrix_of(("ann", "hat", 2, "order"), ("ann", "hat", 1, "return")).counts().nnz == 0
    assert matrix_of(("ann", "hat", 1, "return")).counts().nnz == 0


def test_pairs_of_different_length_are_refused():
    with pytest.raises(DataError, match="2 customers do not match 1 items"):
        InteractionMatrix.from_pairs(["ann", "bob"], ["milk"])


def test_a_part_of_the_customers_keeps_their_events_and_features():
    features = FeatureMatrix(("old", "new"), sparse.csr_matrix(np.array([[1.0, 0], [0, 1]], dtype=np.float32)))
    whole = matrix_of(*EVENTS)
    whole = InteractionMatrix(**{**whole.__dict__, "customer_features": features})
    bob = whole.of_customers(np.array([1]))
    assert bob.customers.ids() == ["bob"]
    assert bob.customer_features.values.toarray().tolist() == [[0, 1]]
    ranged = whole.by_customer().of_range(1, 2)
    np.testing.assert_array_equal(ranged.counts().toarray(), bob.counts().toarray())
    assert ranged.customer_features.values.toarray().tolist() == [[0, 1]]
    assert ranged.customers.ids() == ["bob"]


def test_the_order_of_events_does_not_show_in_the_sums():
    rng = np.random.default_rng(1)
    rows = [("ann", "milk", float(days), "order") for days in rng.permutation(300) + 1]
    assert matrix_of(*rows).decayed(50)[0, 0] == matrix_of(*sorted(rows)).decayed(50)[0, 0]


def test_an_index_may_hold_more_than_the_events():
    matrix = InteractionMatrix.from_events(
        event_frame(*EVENTS), cutoff=CUTOFF, customers=IdIndex(["ann", "zoe"]), items=IdIndex(["milk", "wine"])
    )
    np.testing.assert_allclose(matrix.counts().toarray(), [[2, 0], [0, 0]])


def test_whether_the_shop_has_orders_is_decided_by_the_whole_and_kept_by_its_parts():
    whole = matrix_of(("ann", "milk", 40, "order"), ("ann", "rice", 40, "view"), ("bob", "rye", 3, "view"))
    looker = whole.of_customers(np.array([1]))
    assert looker.seen().nnz == 0
    assert whole.of_range(1, 2).seen().nnz == 0
    assert not whole.of_events(~whole.is_order).is_purchase().any()
    assert matrix_of(("bob", "rye", 3, "view")).seen().nnz == 1
