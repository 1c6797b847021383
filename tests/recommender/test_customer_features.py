import math

from recommender.touchpoints.customers import CUSTOMER_BLOCK, CUSTOMERS
from tests.recommender.rows import features_of, rows_of


def test_age_and_time_as_a_customer_are_those_at_the_cutoff():
    rows = rows_of(CUSTOMERS, {"customer_id": "ann", "birth_year": 1980, "signed_up_at": 30.5})
    ann = features_of(CUSTOMER_BLOCK, rows).loc["ann"]
    assert ann["age_years"] == 2024 - 1980
    assert ann["days_since_sign_up"] == 30.5


def test_what_a_customer_did_not_say_is_unknown():
    ann = features_of(CUSTOMER_BLOCK, rows_of(CUSTOMERS, {"customer_id": "ann"})).loc["ann"]
    assert math.isnan(ann["age_years"])
    assert math.isnan(ann["days_since_sign_up"])


def test_consent_makes_no_feature_because_nobody_knows_since_when_it_holds():
    rows = rows_of(CUSTOMERS, {"customer_id": "ann", "consent_marketing": True}, {"customer_id": "bob"})
    withdrawn = rows.assign(consent_marketing=False)
    assert features_of(CUSTOMER_BLOCK, rows).equals(features_of(CUSTOMER_BLOCK, withdrawn))
