"""What the gate asks of lists: better than popularity in the slices that they serve, and not the same for everybody."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.test_selection import BETTER, WORSE, a_bundle
from training.gate import OVERLAP_MARGIN, judge, overlap_bound
from training.selection import choose

SERVED = {"shipped": {"all": "popularity", "new": "popularity"}}
PLAIN = a_bundle([[0, 1]])


def choice_of(answer: str, shipped: str = "own"):
    judged = {"popularity": WORSE, "own": BETTER if shipped == "own" else WORSE}
    return choose(answer, judged, baseline="popularity", seed=0)


def interval(mean: float, spread: float = 0.01, customers: int = 100) -> dict:
    return {"mean": mean, "low": mean - spread, "high": mean + spread, "customers": customers}


def figures(*, gain: dict | None = None, part="light customers", own=0.2, popular=1.0, histories=0.1, items=1000):
    slices = {part: {"models": {"own": {"gain_over_popularity": gain}}}} if gain else {}
    models = {"own": {"overlap": interval(own)}, "popularity": {"overlap": interval(popular)}}
    return {"models": models, "slices": slices, "histories": {"overlap": histories}, "items": items, "places": 10}


def objections(answer: str, found: dict, served=SERVED, shipped="own") -> tuple[str, ...]:
    return judge(PLAIN, {answer: choice_of(answer, shipped)}, served, lists={answer: found}, seed=0).objections


def test_lists_that_are_better_and_differ_pass():
    assert objections("all", figures(gain=interval(0.1))) == ()


def test_lists_that_are_worse_than_popularity_in_a_slice_they_serve_are_refused_by_its_name():
    (said,) = objections("all", figures(gain=interval(-0.05)))
    assert said == "all, light customers: own is worse than popularity by 0.0500"


@pytest.mark.parametrize(
    "gain", [interval(-0.05, spread=0.06), interval(-0.05, customers=49), interval(math.nan, math.nan)]
)
def test_a_slice_that_may_be_luck_or_has_fewer_than_50_customers_does_not_object(gain):
    assert objections("all", figures(gain=gain)) == ()


@pytest.mark.parametrize(("answer", "part"), [("all", "new items"), ("new", "cold items"), ("all", "cold items")])
def test_a_slice_that_the_answer_does_not_serve_does_not_object(answer, part):
    assert objections(answer, figures(gain=interval(-0.05), part=part)) == ()


def test_lists_that_are_nearly_the_same_for_everybody_are_refused():
    (said,) = objections("new", figures(own=0.97))
    # a tenth of the way from 1 to the overlap of the histories
    assert "two customers share 97.0% of the lists of own, more than 91.0%" in said


def test_five_items_or_customers_who_buy_the_same_do_not_object():
    assert objections("all", figures(own=1.0, items=5)) == ()
    assert objections("all", figures(own=1.0, histories=1.0)) == ()


def test_popularity_itself_claims_nothing_and_the_first_bundle_passes():
    bad = figures(gain=interval(-0.05), own=0.97)
    assert objections("all", bad, shipped="popularity") == ()
    assert objections("all", bad, served=None) == ()


def test_without_lists_or_popularity_the_bound_is_not_known():
    assert math.isnan(overlap_bound({**figures(), "models": {}}))
    assert objections("all", {**figures(own=0.97), "models": {"own": {"overlap": interval(0.97)}}}) == ()


shares = st.floats(0, 1)


@given(popular=shares, histories=shares, items=st.integers(1, 10_000))
def test_the_bound_is_never_above_popularity_nor_below_what_cannot_be_avoided(popular, histories, items):
    bound = overlap_bound(figures(popular=popular, histories=histories, items=items))
    unavoidable = max(histories, min(1.0, 10 / items))
    assert min(popular, unavoidable) - 1e-12 <= bound <= popular
    assert np.isclose(popular - bound, OVERLAP_MARGIN * max(0.0, popular - unavoidable))
