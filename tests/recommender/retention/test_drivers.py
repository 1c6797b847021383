from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recommender.customer_answers import RiskReason
from recommender.retention.driver_store import DriverStore
from recommender.retention.drivers import DriverTally, drivers_of
from recommender.score_rows import ScoreRow
from recommender.store_engine import open_engine

NOW = datetime(2024, 3, 1, tzinfo=UTC)
MONTH_AGO = NOW - timedelta(days=27)
LATE = RiskReason("late_deliveries", "2 late orders", "service", "up", 0.5)
SILENT = RiskReason("no_order", "No order for 43 days; usually every 12", "offer", "up", 1.5)
CALM = RiskReason("unresolved_tickets", "No open ticket", "service", "down", -0.5)
ROW = ScoreRow(
    customer_id="ann",
    model_version="v1",
    as_of=NOW,
    in_population=True,
    churn_probability=0.5,
    horizon_days=28,
    population="an order in the 56 days before",
    band="high",
    predicted_value=80.0,
    historic_value=0.0,
    expected_loss=40.0,
    lever="service",
    action="Call",
    reasons=(LATE, SILENT, CALM),
    segment="regular",
    region="north",
    order_count=3,
    last_order_at=None,
)
BOB = replace(ROW, customer_id="bob", expected_loss=8.0, reasons=(SILENT,), region="south")
LAPSED = replace(ROW, customer_id="eve", churn_probability=None, expected_loss=None, reasons=())


@pytest.fixture
def store(store_url: str) -> Iterator[DriverStore]:
    engine = open_engine(store_url)
    yield DriverStore(engine)
    engine.dispose()


def keep(store, *rows):
    tally = DriverTally()
    assert list(tally.counting(rows)) == list(rows)
    store.put(tally.counts())


def test_the_loss_of_a_customer_is_divided_over_what_raises_the_risk(store):
    keep(store, ROW, BOB, LAPSED)
    found = drivers_of(store, "churn")
    assert (found.as_of, found.customer_count, found.expected_loss) == (NOW, 2, 48.0)
    told = [(one.code, one.customer_count, one.customer_share, one.expected_loss) for one in found.drivers]
    assert told == [("no_order", 2, 1.0, 30.0 + 8.0), ("late_deliveries", 1, 0.5, 10.0)]
    assert found.drivers[1].mean_contribution == 0.5
    assert (found.drivers[1].lever, found.drivers[1].meaning) == ("service", "orders that came late or have not come")


def test_without_a_scoring_of_a_month_before_nothing_is_compared(store):
    keep(store, replace(ROW, as_of=NOW - timedelta(days=3)))
    keep(store, ROW)
    found = drivers_of(store, "churn")
    assert found.compared_with is None
    assert {(one.customer_share_before, one.customer_share_change) for one in found.drivers} == {(None, None)}


def test_what_grew_is_told_beside_the_scoring_of_about_a_month_before(store):
    before = [replace(one, as_of=MONTH_AGO, reasons=(SILENT,)) for one in (ROW, BOB)]
    keep(store, *before)
    keep(store, ROW, BOB)
    found = drivers_of(store, "churn")
    assert found.compared_with == MONTH_AGO
    silent, late = found.drivers
    assert (late.customer_share_before, late.customer_share_change, late.expected_loss_before) == (0.0, 0.5, 0.0)
    assert (silent.customer_share_before, silent.customer_share_change, silent.expected_loss_before) == (1.0, 0.0, 48.0)


def test_a_segment_or_a_region_has_its_own_counts(store):
    keep(store, ROW, BOB)
    south = drivers_of(store, "churn", "region", "south")
    assert [(one.code, one.customer_share) for one in south.drivers] == [("no_order", 1.0)]
    assert drivers_of(store, "churn", "segment", "regular").customer_count == 2
    assert drivers_of(store, "churn", "segment", "nobody").drivers == ()


def test_a_scoring_again_of_the_same_instant_replaces_its_counts(store):
    keep(store, ROW, BOB)
    keep(store, BOB)
    assert drivers_of(store, "churn").customer_count == 1


def test_before_the_first_scoring_there_is_nothing(store):
    found = drivers_of(store, "churn")
    assert (found.as_of, found.customer_count, found.drivers) == (None, 0, ())
    assert drivers_of(store, "\0").drivers == ()
