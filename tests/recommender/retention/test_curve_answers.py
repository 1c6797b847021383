from dataclasses import fields
from datetime import timedelta
from itertools import product

import numpy as np
import pandas as pd
import pytest

from recommender.event_store import open_event_store
from recommender.models.survival_curves import NODES, SurvivalCurves
from recommender.periods import instant
from recommender.retention.curve_answers import advanced
from recommender.retention.order_times import ORDER_TIMES
from recommender.retention.told_curves import NEXT_ORDER_SHARES
from recommender.score_rows import ScoreRow
from tests.conftest import NOW

SCORED = instant("2024-03-01")
# Half is left after a week, a quarter after two, an eighth after four; a horizon of 14 days.
SILENT = ((7, 0.5), (14, 0.25), (28, 0.125))
ENDED = ((7, 0.5), (14, 0.75), (28, 0.875))


class TwoDays:
    """Half of all order within two days of their last order, whoever they are."""

    learned_days = 91

    def curves(self, numbers: np.ndarray) -> SurvivalCurves:
        return SurvivalCurves.of(NODES, np.tile(0.5 ** (NODES / 2.0), (len(numbers), 1)))


@pytest.fixture
def store(tmp_path):
    opened = open_event_store(f"sqlite:///{tmp_path / 'store.sqlite'}", clock=lambda: NOW)
    opened.append("order_lines", orders("ann", "2024-02-10", "2024-02-20"))
    yield opened
    opened.close()


def orders(customer_id, *days):
    rows = [
        {"order_id": f"{customer_id}-{day}", "item_id": "tea", "customer_id": customer_id, "ordered_at": instant(day)}
        for day in days
    ]
    return pd.DataFrame(rows)


def viewed(customer_id, day):
    who = {"event_id": f"view-{customer_id}-{day}", "customer_id": customer_id}
    return pd.DataFrame([{**who, "kind": "view", "occurred_at": instant(day), "item_id": "tea"}])


def row(**told):
    nothing = {one.name: None for one in fields(ScoreRow)}
    basics = {"customer_id": "ann", "as_of": SCORED, "horizon_days": 14, "churn_probability": 0.25, "reasons": ()}
    return ScoreRow(**{**nothing, **basics, "last_order_at": instant("2024-02-20"), **told})


def test_without_an_event_since_the_scoring_the_row_is_as_scored(store):
    scored = row(churn_curve=SILENT)
    assert advanced(scored, store, {ORDER_TIMES: TwoDays()}) == (scored, SCORED)


def test_a_week_of_silence_later_the_dates_are_told_from_then(store):
    store.append("interactions", viewed("ann", "2024-03-08"))
    told, as_of = advanced(row(churn_curve=SILENT, churn_curve_learned_days=28), store, {})
    assert as_of == instant("2024-03-08")
    # a week of what was learned has passed, and an instant
    assert told.churn_curve_learned_days == 20
    # of those left after a week, half are left after two: a week from now
    assert told.expected_next_order_at - instant("2024-03-15") < timedelta(seconds=2)
    assert dict(told.churn_curve)[7] == pytest.approx(0.5, abs=1e-6)
    assert told.churn_probability == 0.25


def test_an_order_since_the_scoring_begins_a_new_count(store):
    store.append("order_lines", orders("ann", "2024-03-06"))
    told, as_of = advanced(row(churn_curve=SILENT), store, {ORDER_TIMES: TwoDays()})
    assert as_of == instant("2024-03-06")
    assert told.last_order_at == instant("2024-03-06")
    # 10, then 15 days
    assert told.order_interval_days == pytest.approx(12.5, abs=0.6)
    assert told.expected_next_order_at - instant("2024-03-08") < timedelta(seconds=2)
    assert dict(told.churn_curve)[14] == pytest.approx(0.5**7)
    assert told.churn_curve_learned_days == 91


def test_an_order_at_the_instant_of_the_scoring_came_after_it(store):
    store.append("order_lines", orders("ann", "2024-03-01"))
    told, _ = advanced(row(churn_curve=SILENT), store, {ORDER_TIMES: TwoDays()})
    assert told.last_order_at == SCORED


def test_a_contract_goes_on_while_its_customer_orders(store):
    store.append("order_lines", orders("ann", "2024-03-08"))
    told, _ = advanced(row(churn_curve=ENDED), store, {ORDER_TIMES: TwoDays()})
    assert dict(told.churn_curve)[7] == pytest.approx(0.5, abs=1e-6)
    assert told.expected_next_order_at - instant("2024-03-10") < timedelta(seconds=2)


def test_who_has_lapsed_gets_a_date_from_the_orders_and_still_no_curve(store):
    store.append("order_lines", orders("ann", "2024-03-06"))
    told, _ = advanced(row(churn_curve=None), store, {ORDER_TIMES: TwoDays()})
    assert told.churn_curve is None
    assert told.expected_next_order_at > instant("2024-03-06")


def test_an_order_and_no_model_of_a_bundle_leave_no_date_that_could_be_past(store):
    store.append("order_lines", orders("ann", "2024-03-06"))
    scored = row(churn_curve=SILENT, expected_next_order_at=instant("2024-03-05"))
    told, _ = advanced(scored, store, {})
    assert [getattr(told, name) for name in NEXT_ORDER_SHARES] == [None] * 3
    assert told.churn_curve is None


def test_one_who_only_looks_has_no_date(store):
    store.append("interactions", viewed("bob", "2024-03-08"))
    told, as_of = advanced(row(customer_id="bob"), store, {ORDER_TIMES: TwoDays()})
    assert as_of == instant("2024-03-08")
    assert told.expected_next_order_at is None


def test_no_date_lies_before_the_answer(store):
    histories = [(), ("2024-02-20",), ("2024-02-20", "2024-03-02"), ("2024-03-01",), ("2024-05-01",)]
    looks = ["2023-06-01", "2024-03-01", "2024-03-05", "2024-05-20"]
    for number, (ordered, looked, curve) in enumerate(product(histories, looks, [None, SILENT, ENDED])):
        customer_id = f"c{number}"
        if ordered:
            store.append("order_lines", orders(customer_id, *ordered))
        store.append("interactions", viewed(customer_id, looked))
        told, as_of = advanced(row(customer_id=customer_id, churn_curve=curve), store, {ORDER_TIMES: TwoDays()})
        assert as_of == max(SCORED, *map(instant, (*ordered, looked)))
        dates = [getattr(told, name) for name in NEXT_ORDER_SHARES]
        assert all(date > as_of for date in dates if date is not None)
