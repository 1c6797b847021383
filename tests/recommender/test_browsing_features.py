import math

import pytest

from recommender.touchpoints.browsing import INTERACTIONS
from recommender.touchpoints.browsing_features import BROWSING_BLOCK
from tests.recommender.rows import features_of, rows_of


def event(event_id, kind, days, item_id=None, customer_id="ann", **others):
    return {"event_id": event_id, "kind": kind, "occurred_at": days, "item_id": item_id, "customer_id": customer_id} | (
        others
    )


@pytest.fixture
def ann():
    rows = rows_of(
        INTERACTIONS,
        event("e1", "view", 40.5, "tea"),
        event("e2", "view", 20.5, "tea"),
        event("e3", "view", 6.5, "tea"),
        event("e4", "view", 6.25, "rice"),
        event("e5", "search", 6.0),
        event("e6", "dislike", 40.25, "milk"),
        event("e7", "view", 1.0, "tea", customer_id=None, session_id="s1"),
    )
    return features_of(BROWSING_BLOCK, rows).loc["ann"]


def test_events_are_counted_by_kind_and_window(ann):
    assert ann["view_7d_count"] == 2
    assert ann["view_28d_count"] == 3
    assert ann["search_7d_count"] == 1
    assert ann["cart_add_28d_count"] == 0
    assert ann["dislike_count"] == 1
    assert ann["browsing_event_count"] == 6


def test_an_item_looked_at_twice_is_one_item(ann):
    assert ann["browsed_item_28d_count"] == 2


def test_silence_is_measured_by_the_own_rhythm(ann):
    # days with an event: 40, 20 and 6
    assert ann["days_since_last_browsing"] == 6.0
    assert ann["browsing_interval_mean_days"] == (20 + 14) / 2
    assert ann["browsing_silence_ratio"] == 6.0 / 17
    assert ann["browsing_day_28d_count"] == 2
    assert ann["browsing_trend_share"] == 2 / 3


def test_ratings_have_a_mean_and_a_last():
    rows = rows_of(
        INTERACTIONS,
        event("e1", "rating", 9.0, "tea", value=5.0),
        event("e2", "rating", 3.0, "rice", value=2.0),
        event("e3", "view", 1.0, "rice", value=99.0),
    )
    ann = features_of(BROWSING_BLOCK, rows).loc["ann"]
    assert ann["rating_mean_score"] == 3.5
    assert ann["rating_last_score"] == 2.0


def test_a_visitor_who_is_not_known_is_nobody():
    rows = rows_of(INTERACTIONS, event("e1", "view", 1.0, "tea", customer_id=None, session_id="s1"))
    features = features_of(BROWSING_BLOCK, rows)
    assert (features["view_7d_count"] == 0).all()
    assert math.isnan(features.loc["ann", "days_since_last_browsing"])
