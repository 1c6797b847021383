import math
import re

import pytest

from tests import small_shop
from training.progress import silent
from training.retention.scoring import scored_customers


@pytest.fixture(scope="module")
def rows(trained_shop):
    bundle = trained_shop.artifacts.load()
    return list(scored_customers(trained_shop.history, bundle, as_of=small_shop.END, steps=silent))


def test_base_reasons_and_the_rest_sum_to_the_log_odds_of_the_score(rows):
    scored = [row for row in rows if row.churn_probability is not None]
    assert scored
    for row in scored:
        summed = row.base_log_odds + sum(reason.contribution for reason in row.reasons) + row.other_log_odds
        assert summed == pytest.approx(math.log(row.churn_probability / (1 - row.churn_probability)), abs=1e-6)


def test_who_is_not_asked_about_has_no_parts_of_a_score(rows):
    lapsed = [row for row in rows if not row.in_population]
    assert lapsed
    assert {(row.base_log_odds, row.other_log_odds) for row in lapsed} == {(None, None)}


def test_the_days_of_a_sentence_are_those_up_to_the_instant_of_the_scoring(rows):
    signed_up = small_shop.tables()["customers"].set_index("customer_id")["signed_up_at"]
    length = re.compile(r"A customer for (?:only )?(\d+) days")
    matched = [(row, length.fullmatch(reason.text)) for row in rows for reason in row.reasons]
    told = [(row, int(found[1])) for row, found in matched if found]
    assert told
    for row, days in told:
        assert days == pytest.approx((row.as_of - signed_up[row.customer_id]).total_seconds() / 86_400, abs=0.5)
