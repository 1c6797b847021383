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
    silence = re.compile(r"(?:Last order|No order for) (less than a day|\d+ day)")
    matched = [(row, silence.match(reason.text)) for row in rows for reason in row.reasons]
    told = [(row, found[1]) for row, found in matched if found]
    assert told, [reason.text for row in rows for reason in row.reasons][:20]
    for row, said in told:
        days = (row.as_of - row.last_order_at).total_seconds() / 86_400
        assert said == ("less than a day" if days < 0.5 else f"{days:.0f} day")
