import math

from recommender.touchpoints.referrals import REFERRAL_BLOCK, REFERRALS
from tests.recommender.rows import features_of, rows_of


def test_referrals_count_for_the_customer_who_made_them():
    rows = rows_of(
        REFERRALS,
        {"referral_id": "f1", "referrer_id": "ann", "referred_id": "bob", "referred_at": 30.5, "reward": 5.0},
        {"referral_id": "f2", "referrer_id": "ann", "referred_id": "cy", "referred_at": 20.5},
    )
    features = features_of(REFERRAL_BLOCK, rows)
    assert features["referral_count"].to_dict() == {"ann": 2.0, "bob": 0.0}
    assert features["referral_reward_amount"].to_dict() == {"ann": 5.0, "bob": 0.0}
    assert features.loc["ann", "days_since_last_referral"] == 20.5
    assert math.isnan(features.loc["bob", "days_since_last_referral"])
