import math

from recommender.touchpoints.offer_features import OFFER_BLOCK
from recommender.touchpoints.offers import ASSIGNMENTS, REDEMPTIONS
from tests.recommender.rows import features_of, rows_of


def drawn(assignment_id, offer_id, days, arm="treatment"):
    return {
        "assignment_id": assignment_id,
        "offer_id": offer_id,
        "customer_id": "ann",
        "assigned_at": days,
        "arm": arm,
    }


def used(redemption_id, offer_id, days, cost=2.0, customer_id="ann"):
    return {
        "redemption_id": redemption_id,
        "offer_id": offer_id,
        "customer_id": customer_id,
        "redeemed_at": days,
        "cost": cost,
    }


def test_redemptions_are_a_share_of_the_different_offers_made():
    made = rows_of(
        ASSIGNMENTS,
        drawn("d1", "ten", 200.0),
        drawn("d2", "ten", 80.0),
        drawn("d3", "gift", 60.5),
        drawn("d4", "tea", 1.0),
    )
    redeemed = rows_of(REDEMPTIONS, used("r1", "ten", 195.0), used("r2", "ten", 75.5), used("r3", "other", 9.5))
    ann = features_of(OFFER_BLOCK, made, redeemed).loc["ann"]
    assert ann["offer_treatment_count"] == 4
    assert ann["offer_treatment_90d_count"] == 3
    assert ann["offer_redemption_count"] == 3
    assert ann["offer_redemption_90d_count"] == 2
    assert ann["offer_redemption_cost_amount"] == 6.0
    assert ann["offer_redemption_share"] == 1 / 3
    assert ann["days_since_last_treatment"] == 1.0
    assert ann["days_since_last_redemption"] == 9.5


def test_a_draw_into_control_is_no_offer():
    made = rows_of(ASSIGNMENTS, drawn("d1", "ten", 20.0, "control"))
    ann = features_of(OFFER_BLOCK, made, REDEMPTIONS.empty()).loc["ann"]
    assert ann["offer_treatment_count"] == 0
    assert math.isnan(ann["offer_redemption_share"])


def test_redemptions_without_a_known_assignment_still_count():
    redeemed = rows_of(REDEMPTIONS, used("r1", "ten", 5.0, None, "bob"))
    bob = features_of(OFFER_BLOCK, rows_of(ASSIGNMENTS, drawn("d1", "ten", 20.0)), redeemed).loc["bob"]
    assert bob["offer_treatment_count"] == 0
    assert bob["offer_redemption_count"] == 1
    assert bob["offer_redemption_cost_amount"] == 0
    assert math.isnan(bob["offer_redemption_share"])
