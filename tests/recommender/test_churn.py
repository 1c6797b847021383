import threading

import numpy as np
import pandas as pd
import pytest

from recommender.errors import DataError
from recommender.models.boosted_trees import TreeSettings
from recommender.models.churn import ChurnModel
from recommender.models.logistic import fit_logistic, fit_platt
from recommender.models.tabular import Encoding

SMALL_TREES = TreeSettings(tree_count=30)


def examples(rows=600, seed=1, slope=1.0, base=0.0):
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=rows)
    churned = rng.random(rows) < 1.0 / (1.0 + np.exp(-(slope * signal + base)))
    features = pd.DataFrame({"signal": signal, "plan": rng.choice(["month", "year"], rows)})
    features.index = pd.Index([f"c{number}" for number in range(rows)], dtype="string", name="customer_id")
    return features, pd.Series(churned, index=features.index)


@pytest.mark.parametrize("share", [False, True])
def test_one_outcome_only_gives_the_base_rate(share):
    features, _ = examples(30)
    model = ChurnModel().fit(features, pd.Series(share, index=features.index))
    probabilities = model.predict_proba(features)
    assert model.kind == "base_rate"
    assert probabilities.nunique() == 1
    # Half a row is added to each outcome.
    assert probabilities.iloc[0] == pytest.approx(30.5 / 31 if share else 0.5 / 31)
    assert (model.contributions(features) == 0.0).all(axis=None)


def test_thirty_customers_get_a_logistic_model_without_trees():
    model = ChurnModel().fit(*examples(30))
    assert model.kind == "logistic"


def test_a_weight_of_two_counts_as_two_rows():
    features, churned = examples(40)
    weights = np.where(churned, 2.0, 1.0)
    twice = pd.concat([features, features[churned]]), pd.concat([churned, churned[churned]])
    once = Encoding.learn(features)
    weighed = fit_logistic(once.design(once.numbers(features)), churned.to_numpy(), l2=1.0, weights=weights)
    repeated = fit_logistic(once.design(once.numbers(twice[0])), twice[1].to_numpy(), l2=1.0)
    np.testing.assert_allclose(weighed[0], repeated[0], atol=1e-5)
    assert weighed[1] == pytest.approx(repeated[1], abs=1e-5)


def test_logistic_regression_of_a_table_of_four_is_the_log_odds_ratio():
    # 1 of 4 leave without the mark, 3 of 4 with it: intercept log(1/3), coefficient log(9).
    design = np.repeat([0.0, 1.0], 4)[:, None]
    outcomes = np.array([1, 0, 0, 0, 1, 1, 1, 0], dtype=float)
    coefficients, intercept = fit_logistic(design, outcomes, l2=0.0)
    assert coefficients[0] == pytest.approx(np.log(9.0), abs=1e-5)
    assert intercept == pytest.approx(np.log(1 / 3), abs=1e-5)


def test_calibration_halves_scores_that_are_twice_too_sure():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=20_000)
    outcomes = (rng.random(20_000) < 1.0 / (1.0 + np.exp(-(0.5 * scores - 1.0)))).astype(float)
    slope, offset = fit_platt(scores, outcomes)
    assert slope == pytest.approx(0.5, abs=0.06)
    assert offset == pytest.approx(-1.0, abs=0.06)


def test_calibration_never_turns_the_order_round():
    scores = np.linspace(-3.0, 3.0, 1000)
    slope, offset = fit_platt(scores, (scores < 0).astype(float))
    assert slope == 0.1
    assert offset == pytest.approx(0.0, abs=1e-6)


def test_calibrating_on_a_window_where_more_leave_raises_the_level():
    model = ChurnModel(trees=SMALL_TREES).fit(*examples(base=-1.5))
    features, churned = examples(1500, seed=2, base=0.5)
    before = model.predict_proba(features).mean()
    model.calibrate(features, churned)
    assert before < 0.35
    assert model.predict_proba(features).mean() == pytest.approx(churned.mean(), abs=0.02)


def test_with_cutoffs_the_latest_decides_the_level():
    old, recent = examples(900, base=-1.5), examples(900, seed=2, base=0.5)
    features, churned = pd.concat([old[0], recent[0]]), pd.concat([old[1], recent[1]])
    cutoffs = pd.Series(pd.to_datetime(["2024-01-01"] * 900 + ["2024-03-01"] * 900, utc=True), index=features.index)
    model = ChurnModel(trees=SMALL_TREES).fit(features, churned, cutoffs=cutoffs)
    together = ChurnModel(trees=SMALL_TREES).fit(features, churned)
    assert model.predict_proba(recent[0]).mean() > together.predict_proba(recent[0]).mean() + 0.1


def test_a_text_of_numbers_is_read_as_numbers():
    features, churned = examples()
    texts = features.assign(signal=features["signal"].astype("string").where(features["signal"] < 2.5, " "))
    encoding = Encoding.learn(texts)
    assert encoding.columns[0].categories is None
    assert encoding.columns[0].has_missing
    assert ChurnModel(trees=SMALL_TREES).fit(texts, churned).predict_proba(texts).between(0, 1).all()


def test_an_identifier_tells_nothing():
    features, _ = examples()
    encoding = Encoding.learn(features.assign(number=features.index))
    assert encoding.columns[2].categories == ()


def test_the_design_of_a_frame_by_hand():
    features = pd.DataFrame({"spend": [0.0, np.e - 1.0, np.nan], "plan": ["a", "b", None], "note": ["x", "x", "x"]})
    encoding = Encoding.learn(features)
    design = encoding.design(encoding.numbers(features))
    # log(1 + spend) is 0 and 1: mean .5, deviation .5.
    expected = [[-1, 0, 1, 0, 0, 1], [1, 0, 0, 1, 0, 1], [0, 1, 0, 0, 1, 1]]
    np.testing.assert_allclose(design, expected, atol=1e-12)
    assert encoding.owners.tolist() == [0, 0, 1, 1, 1, 2]
    assert encoding.numbers(features)[:, 1].tolist()[:2] == [0.0, 1.0]


def test_many_threads_may_ask_at_once():
    features, churned = examples()
    fitted = ChurnModel(trees=SMALL_TREES).fit(features, churned)
    model = ChurnModel.from_state(fitted.state())
    expected, answers = fitted.predict_proba(features), []
    threads = [threading.Thread(target=lambda: answers.append(model.predict_proba(features))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(answer.equals(expected) for answer in answers)


def test_outcomes_that_do_not_belong_to_the_rows_are_refused():
    features, churned = examples()
    with pytest.raises(DataError, match="600 rows do not match 599 outcomes"):
        ChurnModel().fit(features, churned.iloc[1:])
    with pytest.raises(DataError, match="different indexes"):
        ChurnModel().fit(features, churned.sample(frac=1.0, random_state=0))
    with pytest.raises(DataError, match="neither true nor false"):
        ChurnModel().fit(features, churned.astype("float64").replace(1.0, np.nan))
    with pytest.raises(DataError, match="3 weights do not match 600 rows"):
        ChurnModel().fit(features, churned, weights=[1.0, 1.0, 1.0])


def test_two_columns_of_one_name_are_refused():
    features, churned = examples()
    with pytest.raises(DataError, match="several columns 'plan'"):
        ChurnModel().fit(pd.concat([features, features[["plan"]]], axis=1), churned)
    with pytest.raises(DataError, match="there is no column"):
        ChurnModel().fit(features[[]], churned)


def test_the_recipe_is_chosen_by_what_was_not_seen():
    rng = np.random.default_rng(4)
    features = pd.DataFrame({"first": rng.normal(size=1500), "second": rng.normal(size=1500)})
    features.index = pd.Index([f"c{number}" for number in range(1500)], dtype="string")
    alike = (features["first"] > 0) == (features["second"] > 0)
    # Only an interaction tells who leaves: a linear score knows nothing.
    noisy = pd.Series(rng.random(1500) < np.where(alike, 0.95, 0.05), index=features.index)
    assert ChurnModel().fit(features, noisy).recipe_.share == 1.0
    straight = pd.Series(rng.random(1500) < 1.0 / (1.0 + np.exp(-features["first"])), index=features.index)
    assert ChurnModel().fit(features, straight).recipe_.share == 0.5
