"""Cohorts and repurchase curves that can be counted with a pencil."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from recommender.retention.cohorts import add_counts, cohort_counts, cohort_facts, whole_orders
from recommender.retention.repurchase import kaplan_meier, repurchase_curves, waiting_counts
from recommender.touchpoints import TABLES


def lines(*rows: tuple[str, str, float | None]) -> pd.DataFrame:
    """Order lines of one order each: customer, instant, amount."""
    return pd.DataFrame(
        {
            "order_id": pd.array([str(place) for place in range(len(rows))], dtype="string"),
            "customer_id": pd.array([row[0] for row in rows], dtype="string"),
            "ordered_at": pd.array([pd.Timestamp(row[1], tz="UTC") for row in rows], dtype="datetime64[us, UTC]"),
            "amount": pd.array([row[2] for row in rows], dtype="float64"),
        }
    )


SHOP = lines(
    ("ann", "2024-01-05", 10.0),
    ("ann", "2024-01-20", 5.0),
    ("ann", "2024-02-03", 7.0),
    ("bob", "2024-01-31T23:59:59", 20.0),
    ("bob", "2024-03-01T00:00:00", 30.0),
    ("cy", "2024-02-10", None),
)
APRIL = datetime(2024, 4, 1, tzinfo=UTC)


def test_a_cohort_is_followed_by_calendar_months():
    facts = cohort_facts(cohort_counts(whole_orders(SHOP)), APRIL)
    assert facts == [
        {"cohort": "2024-01", "customers": 2, "ordered": [2, 1, 1], "amount": [35.0, 7.0, 30.0]},
        {"cohort": "2024-02", "customers": 1, "ordered": [1, 0], "amount": [0.0, 0.0]},
    ]


def test_a_month_that_goes_on_is_not_told():
    facts = cohort_facts(cohort_counts(whole_orders(SHOP)), datetime(2024, 3, 31, 23, tzinfo=UTC))
    assert [one["ordered"] for one in facts] == [[2, 1], [1]]


def test_counts_of_buckets_add_up_to_those_of_all():
    orders = whole_orders(SHOP)
    parts = [cohort_counts(orders[orders["customer_id"] == one]) for one in ("ann", "bob", "cy")]
    pd.testing.assert_frame_equal(add_counts(parts), cohort_counts(orders))


def test_lines_of_one_order_are_one_order_and_an_id_belongs_to_its_customer():
    shared = SHOP.assign(order_id=pd.array(["1", "1", "2", "1", "2", "1"], dtype="string"))
    orders = whole_orders(shared)
    assert len(orders) == 5
    assert orders["amount"].tolist() == [15.0, 7.0, 20.0, 30.0, 0.0]


def test_without_orders_there_are_no_cohorts_and_empty_curves():
    orders = whole_orders(TABLES["order_lines"].empty())
    assert cohort_facts(cohort_counts(orders), APRIL) == []
    curves = repurchase_curves(waiting_counts(orders, APRIL))
    assert [(one["customers"], one["days"], one["median_days"]) for one in curves] == [(0, [], None)] * 4


def test_the_second_order_comes_within_so_many_days_of_the_first():
    # ann after 15 days, bob after 29 days and a second; cy was watched for 51 days without one
    second = repurchase_curves(waiting_counts(whole_orders(SHOP), APRIL))[0]
    share = dict(zip(second["days"], second["share"], strict=True))
    assert [share[day] for day in (14, 21, 28, 35)] == [0.0, 0.3333, 0.3333, 0.6667]
    assert (second["customers"], second["median_days"], max(second["days"])) == (3, 30, 49)


def test_who_is_watched_for_a_short_time_counts_so_long():
    # five customers: orders after 1 and 3 days, two lost from sight on day 2, one watched to the end
    happened, unseen = np.array([0, 1, 0, 1, 0]), np.array([0, 0, 2, 0, 1])
    share, low, high = kaplan_meier(happened, unseen)
    assert share == pytest.approx([0, 0.2, 0.2, 1 - 0.8 * 0.5, 1 - 0.8 * 0.5])
    assert all(low <= share)
    assert all(share <= high)


def test_intervals_are_those_of_a_published_example():
    # Remission of 21 patients on 6-mercaptopurine (Freireich 1963, in Collett 2003, table 2.2): S(10) = .7529, and
    # Greenwood's error .0963, which is exp(+-.4374) on the scale of log(-log)
    happened, unseen = np.zeros(36, int), np.zeros(36, int)
    for day, count in ((6, 3), (7, 1), (10, 1), (13, 1), (16, 1), (22, 1), (23, 1)):
        happened[day] = count
    for day, count in ((6, 1), (9, 1), (10, 1), (11, 1), (17, 1), (19, 1), (20, 1), (25, 1), (32, 2), (34, 1), (35, 1)):
        unseen[day] = count
    share, low, high = kaplan_meier(happened, unseen)
    assert 1 - share[[6, 7, 10, 13, 16, 22, 23]] == pytest.approx(
        [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5
    )
    assert (1 - high[10], 1 - low[10]) == pytest.approx((0.5032, 0.8894), abs=5e-4)


def test_all_orders_at_one_instant_are_made_within_no_day():
    one_day = lines(*[("ann", "2024-01-05", 1.0)] * 3)
    second, third, fourth, _ = repurchase_curves(waiting_counts(whole_orders(one_day), APRIL))
    assert (second["share"][0], second["median_days"]) == (1.0, 0)
    assert (third["share"][0], fourth["share"][0]) == (1.0, 0.0)
    # it stays so for all days, and nobody was watched for a year without the fourth
    assert (second["days"][-1], set(second["share"])) == (365, {1.0})
    assert (fourth["days"][-1], set(fourth["share"])) == (84, {0.0})
