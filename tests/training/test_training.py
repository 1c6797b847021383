"""A whole training on the small shop: what is chosen, what is laid down, that it can be repeated."""

from __future__ import annotations

import copy
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from recommender.errors import NotEnoughData
from recommender.history import History
from tests import small_shop
from tests.training.conftest import TrainedShop
from training.html_report import html_report
from training.pipeline import train
from training.progress import silent
from training.report import report_text
from training.retention.scoring import scored_customers
from training.settings import read_settings


def test_the_staple_of_every_customer_comes_first(trained_shop: TrainedShop):
    bundle = trained_shop.artifacts.load()
    first = {
        bundle.customers[row]: bundle.items[int(bundle.slates["all"].positions[row, 0])]
        for row in range(len(bundle.customers))
    }
    staying = [number for number in range(small_shop.CUSTOMERS) if not small_shop.has_left(number)]
    assert all(first[small_shop.customer_id(number)] == small_shop.staple_of(number) for number in staying)


def test_new_items_come_from_the_customers_own_department_and_were_never_bought(trained_shop: TrainedShop):
    bundle = trained_shop.artifacts.load()
    lines = small_shop.tables()["order_lines"]
    bought = lines.groupby("customer_id")["item_id"].agg(set)
    for number in (1, 2, 33):
        position = bundle.customers.position(small_shop.customer_id(number))
        items = [bundle.items[int(one)] for one in bundle.slates["new"].positions[position, :5]]
        assert {item[0] for item in items} == {"ab"[number % 2]}
        assert not bought[small_shop.customer_id(number)].intersection(items)


def test_personal_answers_are_chosen_where_they_are_better_than_the_same_for_everybody(trained_shop: TrainedShop):
    choices = trained_shop.training.choices
    assert choices["all"].shipped == "personal_frequency"
    assert choices["new"].shipped in {"item_similarity", "lightfm_hybrid"}
    assert choices["new"].gains[choices["new"].shipped].low > 0


def test_a_ranker_learns_from_past_windows_is_judged_beside_the_others_and_told_in_the_manifest(
    trained_shop: TrainedShop,
):
    generators = ["popularity", "personal_frequency", "item_similarity"]
    settings = read_settings(ranking_cutoffs=2, panel_cutoffs=1, generators=generators)
    training = train(
        trained_shop.history, settings, as_of=small_shop.END, seed=0, steps=silent, also_fit=("two_stage",)
    )
    assert "two_stage" in training.choices["all"].judged
    facts = training.bundle.facts
    assert sum(facts["ranker"]["gains"].values()) == pytest.approx(1.0)
    shipped = {slate: training.lists.shipped[slate] == "two_stage" for slate in ("all", "new")}
    assert facts["score_is_probability"] == shipped
    for slate in filter(shipped.get, shipped):
        assert np.nanmax(training.bundle.slates[slate].scores) <= 1
    assert "The ranker" in html_report({**facts, "as_of": "2024-03-01T00:00:00Z", "horizon_days": 28, "version": "v"})


def test_no_more_customers_than_set_choose_between_recommenders(trained_shop: TrainedShop):
    settings = read_settings(
        generators=[], panel_cutoffs=1, judged_customers=20, recommenders={"popularity": {}, "personal_frequency": {}}
    )
    training = train(trained_shop.history, settings, as_of=small_shop.END, seed=0, steps=silent)
    assert len(trained_shop.training.choices["all"].judged["popularity"].measures["ndcg"]) > 20
    assert len(training.choices["all"].judged["popularity"].measures["ndcg"]) == 20


def test_without_a_ranker_the_manifest_tells_of_none(trained_shop: TrainedShop):
    assert {"ranker", "score_is_probability"}.isdisjoint(trained_shop.training.bundle.facts)


def test_who_stopped_is_outside_the_population_and_who_comes_stays(trained_shop: TrainedShop):
    rows = {
        row.customer_id: row
        for row in scored_customers(
            trained_shop.history, trained_shop.artifacts.load(), as_of=small_shop.END, steps=silent
        )
    }
    assert len(rows) == small_shop.CUSTOMERS
    assert not rows["c000"].in_population
    assert rows["c000"].churn_probability is None
    assert [reason.code for reason in rows["c000"].reasons] == ["lapsed"]
    assert rows["c001"].in_population
    assert rows["c001"].churn_probability < 0.05
    # Whoever stayed ordered 30 times, who left 22 or 23 times.
    assert (rows["c000"].segment, rows["c000"].rfm[:2], rows["c001"].rfm[1]) == ("lapsed", "11", "3")
    assert (rows["c001"].segment, rows["c001"].region) == ("active", "north")


def test_two_trainings_with_one_seed_are_equal_byte_for_byte(trained_shop: TrainedShop):
    again = train(trained_shop.history, trained_shop.settings, as_of=small_shop.END, seed=0, steps=silent)
    assert trained_shop.artifacts.save(again.bundle) == trained_shop.artifacts.current()


def test_rows_after_the_cutoff_change_nothing(trained_shop: TrainedShop, tmp_path):
    cutoff = small_shop.END - timedelta(days=70)
    earlier = History.create(tmp_path / "earlier", buckets=2)
    for name, frame in small_shop.valid_tables().items():
        kept = frame[frame["ordered_at"] < cutoff] if name == "order_lines" else frame
        earlier.add(name, kept)
    bundles = [
        train(history, trained_shop.settings, as_of=cutoff, seed=0, steps=silent).bundle
        for history in (trained_shop.history, earlier)
    ]
    for slate in ("all", "new"):
        assert np.array_equal(bundles[0].slates[slate].positions, bundles[1].slates[slate].positions)
        assert np.array_equal(bundles[0].slates[slate].scores, bundles[1].slates[slate].scores, equal_nan=True)
    assert bundles[0].facts["answers"] == bundles[1].facts["answers"]
    assert bundles[0].facts["data"] == bundles[1].facts["data"]


def test_the_report_names_every_answer_its_baseline_and_the_gate(trained_shop: TrainedShop):
    text = report_text(trained_shop.artifacts.manifest())
    for expected in ("What to show", "Who leaves", "What a customer is worth", "baseline", "gate: passed"):
        assert expected in text


def test_of_lists_that_nobody_could_judge_no_share_is_told(trained_shop: TrainedShop):
    facts = copy.deepcopy(trained_shop.artifacts.manifest())
    figures = facts["lists"]["all"]
    for one in (figures["shipped"]["overlap"], figures["shipped"]["head_share"], figures["truth"]["head_share"]):
        one["mean"] = None
    figures["shipped"]["coverage"] = 0.25
    assert "\n   shows 25.0% of the catalogue\n" in report_text({**facts, "lists": {"all": figures}})


def test_the_report_tells_of_the_next_basket_the_slices_and_what_is_shown(trained_shop: TrainedShop):
    text = report_text(trained_shop.artifacts.manifest())
    for expected in ("next basket: ndcg 0.", "light customers: ndcg", "% of the catalogue", "have best sellers"):
        assert expected in text


def test_the_manifest_has_the_figures_of_all_lists_on_both_targets(trained_shop: TrainedShop):
    lists = trained_shop.artifacts.manifest()["lists"]
    for slate in ("all", "new"):
        names = set(trained_shop.artifacts.manifest()["answers"][slate]["models"])
        assert set(lists[slate]["models"]) == set(lists[slate]["next_basket"]["models"]) == names
        assert lists[slate]["shipped"] == lists[slate]["models"][trained_shop.training.choices[slate].shipped]
    # the staple is one of the two items of every visit, and always on top
    assert lists["all"]["next_basket"]["shipped"]["mrr"]["mean"] == 1.0
    assert lists["all"]["slices"]["repeat items"]["recall"]["mean"] == 1.0


def test_the_manifest_tells_where_the_bundle_comes_from(trained_shop: TrainedShop):
    manifest = trained_shop.artifacts.manifest()
    assert manifest["as_of"] == "2024-03-01T00:00:00Z"
    assert manifest["data"]["interactions"] == len(small_shop.tables()["order_lines"])
    assert manifest["data"]["fingerprint"] == trained_shop.history.fingerprint(small_shop.END)
    assert {"numpy", "pandas", "lightfm", "python"} <= set(manifest["libraries"])
    assert set(manifest["answers"]["all"]["models"]["popularity"]["ndcg"]) == {"mean", "low", "high", "customers"}


def one_row_history(folder, **changes) -> History:
    history = History.create(folder, buckets=1)
    lines = small_shop.valid_tables()["order_lines"].head(1)
    history.add("order_lines", lines.assign(**changes))
    return history


def test_one_customer_with_one_item_gets_answers_that_say_what_they_rest_on(tmp_path, trained_shop: TrainedShop):
    ordered_at = pd.Timestamp(small_shop.END) - pd.Timedelta(days=9)
    history = one_row_history(tmp_path, ordered_at=ordered_at)
    training = train(history, trained_shop.settings, as_of=small_shop.END, seed=0, steps=silent)
    assert training.verdict.passed
    assert training.bundle.slates["all"].positions.tolist() == [[0]]
    assert training.bundle.slates["new"].positions.tolist() == [[-1]]
    facts = training.bundle.facts
    assert facts["churn"]["kind"] == "everybody_alike"
    assert "who leaves: everybody_alike, because no cutoff" in report_text({**facts, **SHOWN})


SHOWN = {"version": "v", "as_of": "2024-03-01T00:00:00Z", "horizon_days": 28}


def test_without_any_interaction_training_says_what_to_ingest(tmp_path, trained_shop: TrainedShop):
    history = History.create(tmp_path, buckets=1)
    with pytest.raises(NotEnoughData, match="ingest order_lines or interactions"):
        train(history, trained_shop.settings, as_of=small_shop.END, seed=0, steps=silent)


def test_the_number_of_buckets_changes_no_answer(trained_shop: TrainedShop, tmp_path):
    other = History.create(tmp_path, buckets=1)
    for name, frame in small_shop.valid_tables().items():
        other.add(name, frame)
    bundle = train(other, trained_shop.settings, as_of=small_shop.END, seed=0, steps=silent).bundle
    served = trained_shop.artifacts.load()
    assert np.array_equal(bundle.slates["all"].positions, served.slates["all"].positions)
