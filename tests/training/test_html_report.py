"""The page of a training and of a backtest: complete, valid, closed in itself."""

from __future__ import annotations

import copy
import json
from html.parser import HTMLParser

import pytest

from tests.training.conftest import TrainedShop
from training.html_report import html_report
from training.report_parts import Cell, cell, measure_of

VOID = {"meta", "br", "hr", "img", "input", "link", "use", "path", "line"}
LOADING = {"src", "href", "srcset", "data", "poster", "action", "xlink:href"}


class Page(HTMLParser):
    """Tags that are open, all ids, all addresses and all text of a page; raises where tags do not balance."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.note(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.note(tag, attributes)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def note(self, tag, attributes):
        self.tags.add(tag)
        self.ids += [value for name, value in attributes if name == "id"]
        self.addresses += [value for name, value in attributes if name in LOADING]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def manifest(trained_shop: TrainedShop) -> dict:
    return trained_shop.artifacts.manifest()


@pytest.fixture(scope="module")
def judged(answers) -> dict:
    return json.loads((answers / "metrics.json").read_text())


@pytest.fixture(params=["manifest", "judged"])
def facts(request) -> dict:
    return request.getfixturevalue(request.param)


def test_tags_balance_ids_are_distinct_and_nothing_is_loaded_from_elsewhere(facts):
    page = html_report(facts)
    parsed = Page(page)
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    assert all(address.startswith("#") for address in parsed.addresses)
    assert {address[1:] for address in parsed.addresses} <= set(parsed.ids)
    assert parsed.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page


def test_every_shipped_answer_is_named_with_its_instant_and_its_horizon(facts):
    text = Page(html_report(facts)).text
    for name in facts["shipped"].values():
        assert name in text
    for expected in ("What to show", "never bought", "What a customer is worth", "28 days", "baseline", "Left out"):
        assert expected in text
    assert (facts.get("cutoff") or facts["as_of"]) in text


def test_both_targets_all_slices_and_what_lies_beyond_accuracy_are_shown(facts):
    text = Page(html_report(facts)).text
    for expected in ("next basket", "repeat items", "new items", "cold items", "light customers", "heavy customers",
                     "customers with few baskets", "coverage", "novelty", "diversity", "popularity percentile",
                     "overlap", "what was bought"):  # fmt: skip
        assert expected in text


def test_one_answer_has_one_page(facts):
    assert html_report(facts) == html_report(copy.deepcopy(facts))


FIGURE = {"mean": 0.5, "low": 0.4, "high": 0.6, "customers": 9}
ITEM_ANSWERS = {
    "session": None,
    "buy_again": {
        "observations": 1234,
        "hit": {"ours": FIGURE, "popularity": FIGURE, "gain_over_popularity": {**FIGURE, "mean": 0.0321}},
        "ndcg": {"ours": FIGURE, "popularity": FIGURE, "gain_over_popularity": FIGURE},
        "due_date": {
            "pairs": 77,
            "customers": 66,
            "median_absolute_days": {"median": 3.25, "low": 3.0, "high": 3.5},
            "item_median_interval_absolute_days": {"median": 4.5, "low": 4.0, "high": 5.0},
            "gain_days": FIGURE,
        },
    },
}


def test_answers_about_items_stand_beside_popularity_with_the_error_of_the_due_date(judged):
    text = Page(html_report({**judged, "item_answers": ITEM_ANSWERS})).text
    for expected in ("1,234 occasions", "hit (share of occasions)", "+0.0321", "3.25 [3.00, 3.50]",
                     "66 customers, 77 items bought again"):  # fmt: skip
        assert expected in text
    assert "Not judged, because nothing of the kind happened: Next in a session." in text


def test_a_gain_in_squared_error_beside_an_rmse_says_its_unit(manifest):
    """The root of 400 is 20; the gain of 44 is not one in account currency."""
    mse = {"mean": -400.0, "low": -441.0, "high": -361.0, "customers": 9}
    gained = {"mean": 44.0, "low": 40.0, "high": 48.0, "customers": 9}
    choice = {
        **{"shipped": "two_part", "baseline": "past_rate", "is_baseline": False},
        "models": {name: {"negative_squared_error": mse} for name in ("two_part", "past_rate")},
        "gains_over_baseline": {"two_part": gained},
    }
    shipped = {**manifest["shipped"], "value": "two_part"}
    text = Page(html_report({**manifest, "shipped": shipped, "answers": {"value": choice}})).text
    assert "+44.0000 [+40.0000, +48.0000] in squared error (account currency squared)" in text
    assert "gain in squared error (account currency squared), paired" in text
    assert "20.00 [19.00, 21.00]" in text


def test_text_of_others_stays_text(manifest):
    evil = '<script>alert(1)</script> & "quoted" $x$ $'
    facts = {
        **manifest,
        "left_out": {evil: evil},
        "item_answers": {evil: {"observations": 9, "hit": {"ours": FIGURE}}},
        "ranker": {"gains": {evil: 0.7, "käse_漢字": 0.3}},
        "score_is_probability": True,
    }
    parsed = Page(html_report(facts))
    assert "script" not in parsed.tags
    assert parsed.text.count(evil) >= 3
    assert "0.5000" in parsed.text


def test_a_bundle_that_could_not_be_judged_has_a_page_too(manifest):
    bare = {**manifest, "answers": {}, "lists": {}, "churn": {"kind": "everybody_alike", "missing": "no cutoff"}}
    text = Page(html_report(bare)).text
    assert "not judged: too little is known" in text
    assert "everybody_alike, because no cutoff" in text


def test_a_backtest_without_a_later_row_says_so(judged):
    dropped = {"recommendations", "churn", "value", "times"}
    bare = {**{name: one for name, one in judged.items() if name not in dropped}, "judged": False}
    assert "not judged: nothing is known at or after the cutoff" in Page(html_report(bare)).text


def test_the_curve_is_judged_day_by_day_and_the_next_order_beside_simple_ways_to_tell_it(judged):
    text = Page(html_report(judged)).text
    for shown in (
        "7 days, shipped",
        "28 days, BG/NBD",
        "last order + own mean interval",
        "between earliest and latest",
    ):
        assert shown in text
    assert "Who stays away for how long" not in Page(html_report({**judged, "times": None})).text


def test_calibration_is_drawn_where_scores_are_probabilities(judged):
    bins = [{"predicted": 0.1, "happened": 0.2, "count": 5.0}, {"predicted": 0.6, "happened": 0.5, "count": 5.0}]
    facts = copy.deepcopy(judged)
    for slate in ("all", "new"):
        facts["recommendations"][slate].pop("calibration", None)
    assert "Purchase probability" not in html_report(facts)
    facts["recommendations"]["new"]["calibration"] = bins
    assert "Purchase probability of the shipped list" in Page(html_report(facts)).text


def test_numbers_that_are_not_known_are_dashes_and_turned_bounds_keep_their_order():
    assert cell({"mean": None, "low": None, "high": None}, measure_of("ndcg")) == Cell("–")
    squared = {"mean": -4.0, "low": -9.0, "high": -1.0}
    assert cell(squared, measure_of("negative_squared_error")) == Cell("2.00", "[1.00, 3.00]")
    assert cell(0.25, measure_of("coverage")) == Cell("25.0%")
