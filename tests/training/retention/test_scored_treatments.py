"""What a scoring says to do about each customer of the small shop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from recommender.bundle import ModelBundle
from recommender.frame_validation import validate_frame
from recommender.retention.risk_scoring import score_rows
from recommender.retention.treatment_settings import policy_from, policy_of, policy_to_settings
from recommender.retention.treatments import HELD_OUT, NO_ACTION, SERVICE_RECOVERY, TreatmentPolicy
from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore
from recommender.touchpoints import TABLES
from tests import small_shop
from tests.training.conftest import TrainedShop
from training.examples import known_before

AS_OF = small_shop.END


def rows_of(shop: TrainedShop, bundle: ModelBundle, **more: pd.DataFrame) -> dict[str, ScoreRow]:
    """The rows of all customers at the end of the shop, with the rows of further tables."""
    found = {}
    for bucket in range(shop.history.buckets):
        tables = known_before(shop.history, bucket, AS_OF) | more
        ids = pd.Index(tables["order_lines"]["customer_id"].unique(), dtype="string", name="customer_id")
        found |= {row.customer_id: row for row in score_rows(tables, ids, bundle, AS_OF)}
    return found


def with_policy(bundle: ModelBundle, **settings: object) -> ModelBundle:
    return replace(bundle, facts={**bundle.facts, "treatments": policy_to_settings(policy_from(settings))})


@pytest.fixture
def risky(trained_shop: TrainedShop) -> ModelBundle:
    """The bundle, asked about those too who left 60 days ago; they ordered every 8 days, so their risk is high."""
    bundle = trained_shop.artifacts.load()
    churn = bundle.facts["churn"]
    longer = {**churn, "definition": {**churn["definition"], "activity_days": 100}}
    return replace(bundle, facts={**bundle.facts, "churn": longer})


def test_the_manifest_keeps_the_policy_of_the_training(trained_shop):
    assert policy_of(trained_shop.artifacts.manifest()) == TreatmentPolicy()


def test_who_is_held_out_is_named_and_not_treated_and_the_score_is_told_all_the_same(trained_shop, risky):
    rows = rows_of(trained_shop, with_policy(risky, holdout_share=0.5))
    policy = TreatmentPolicy(holdout_share=0.5)
    held = [row for row in rows.values() if row.is_holdout]
    assert {row.customer_id for row in held} == {one for one in rows if policy.holds_out(one)}
    assert {(row.treatment, row.action) for row in held} == {(None, HELD_OUT)}
    assert all(row.churn_probability is not None for row in held)
    assert any(row.suggested_treatment for row in held)
    assert all(row.treatment == row.suggested_treatment for row in rows.values() if not row.is_holdout)


def test_who_left_is_treated_and_who_stays_is_left_alone(trained_shop, risky):
    rows = rows_of(trained_shop, with_policy(risky, holdout_share=0))
    gone = [small_shop.customer_id(number) for number in range(small_shop.CUSTOMERS) if small_shop.has_left(number)]
    assert all(rows[one].treatment for one in gone)
    staying = [row for row in rows.values() if row.band == "low"]
    assert {(row.treatment, row.action) for row in staying} == {(None, NO_ACTION)}


def test_an_open_severe_ticket_puts_service_recovery_before_everything(trained_shop, risky):
    ticket = {"ticket_id": "t1", "customer_id": "c000", "opened_at": AS_OF - timedelta(days=3), "severity": "Critical"}
    tickets = validate_frame(TABLES["tickets"], pd.DataFrame([ticket]), now=AS_OF).rows
    bundle = with_policy(risky, holdout_share=0)
    assert rows_of(trained_shop, bundle)["c000"].treatment != SERVICE_RECOVERY
    assert rows_of(trained_shop, bundle, tickets=tickets)["c000"].treatment == SERVICE_RECOVERY


def test_without_consent_to_marketing_a_customer_gets_no_offer(trained_shop, risky):
    refused = pd.DataFrame([{"customer_id": "c000", "consent_marketing": False}])
    customers = validate_frame(TABLES["customers"], refused, now=AS_OF).rows
    row = rows_of(trained_shop, with_policy(risky, holdout_share=0), customers=customers)["c000"]
    assert (row.band, row.treatment, row.consent_marketing) == ("high", None, False)


def test_scores_come_back_from_the_store_with_their_treatment(trained_shop):
    rows = rows_of(trained_shop, trained_shop.artifacts.load())
    stored = ScoreStore(trained_shop.store.engine).get("c001")
    assert stored is not None
    assert stored.is_holdout == rows["c001"].is_holdout
    assert stored.suggested_treatment == rows["c001"].suggested_treatment
