from recommender.touchpoints.impressions import IMPRESSION_BLOCK, IMPRESSIONS
from tests.recommender.rows import features_of, rows_of


def shown(recommendation_id, rank, days, item_id=None, customer_id="ann", **others):
    return {
        "recommendation_id": recommendation_id,
        "rank": rank,
        "shown_at": days,
        "item_id": item_id,
        "customer_id": customer_id,
    } | others


def test_what_was_shown_is_counted_by_place_item_offer_and_answer():
    rows = rows_of(
        IMPRESSIONS,
        shown("r1", 1, 40.0, "tea"),
        shown("r2", 1, 10.0, "tea"),
        shown("r2", 2, 10.0, "rice"),
        shown("r3", 1, 5.5, "tea"),
        shown("r3", 2, 5.5, offer_id="ten"),
        shown("r4", 1, 1.0, "tea", None, session_id="s1"),
    )
    ann = features_of(IMPRESSION_BLOCK, rows).loc["ann"]
    assert ann["impression_count"] == 5
    assert ann["impression_28d_count"] == 4
    assert ann["impression_item_28d_count"] == 2
    assert ann["impression_offer_28d_count"] == 1
    assert ann["recommendation_28d_count"] == 2
    assert ann["days_since_last_impression"] == 5.5


def test_old_impressions_leave_the_recent_counts_at_0():
    ann = features_of(IMPRESSION_BLOCK, rows_of(IMPRESSIONS, shown("r1", 1, 28.0, "tea"))).loc["ann"]
    assert ann["impression_count"] == 1
    assert ann["impression_28d_count"] == 0
    assert ann["recommendation_28d_count"] == 0
