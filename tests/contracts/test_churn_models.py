"""What every registered churn model promises."""

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import DataError, NotEnoughData, NotFitted
from recommender.models import CHURN_MODELS, create, model_class

pytestmark = pytest.mark.parametrize("name", sorted(CHURN_MODELS))
ROWS = 600


ORDER_COLUMNS = ["order_day_count", "age_at_last_order_days", "days_since_first_order", "days_since_last_order"]


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(7)
    silence = np.floor(rng.exponential(30.0, ROWS))
    count = 2.0 + rng.poisson(6.0, ROWS)
    age = count + silence + rng.integers(30, 200, ROWS)
    plan = rng.choice(["month", "year"], ROWS)
    tickets = rng.poisson(1.0, ROWS).astype("float64")
    log_odds = 0.06 * (silence - 40.0) + np.where(plan == "month", 1.0, -1.0) + 0.3 * tickets
    churned = rng.random(ROWS) < 1.0 / (1.0 + np.exp(-log_odds))
    features = pd.DataFrame(
        {
            **dict(zip(ORDER_COLUMNS, [count, age - silence, age, silence], strict=True)),
            "plan": plan,
            "ticket_count": tickets,
        },
        index=pd.Index([f"c{number}" for number in range(ROWS)], dtype="string", name="customer_id"),
    )
    features.loc[features.index[::7], "ticket_count"] = np.nan
    features.loc[features.index[::11], "plan"] = None
    return features, pd.Series(churned, index=features.index)


@pytest.fixture(scope="module")
def fitted(examples):
    return {name: create(name, seed=3).fit(*examples) for name in CHURN_MODELS}


def test_probabilities_lie_between_0_and_1_and_keep_the_index(name, fitted, examples):
    probabilities = fitted[name].predict_proba(examples[0])
    assert probabilities.between(0.0, 1.0).all()
    assert probabilities.index.equals(examples[0].index)


def test_it_ranks_those_who_left_above_those_who_stayed(name, fitted, examples):
    probabilities = fitted[name].predict_proba(examples[0])
    assert probabilities[examples[1]].mean() > probabilities[~examples[1]].mean() + 0.05


def test_the_same_seed_gives_the_same_answer(name, fitted, examples):
    again = create(name, seed=3).fit(*examples).predict_proba(examples[0])
    pd.testing.assert_series_equal(again, fitted[name].predict_proba(examples[0]), check_exact=True)


def test_shuffled_rows_give_the_same_answer(name, fitted, examples):
    order = np.random.default_rng(1).permutation(ROWS)
    shuffled = create(name, seed=3).fit(examples[0].iloc[order], examples[1].iloc[order])
    pd.testing.assert_series_equal(
        shuffled.predict_proba(examples[0]), fitted[name].predict_proba(examples[0]), check_exact=True
    )


def test_the_order_of_the_columns_does_not_matter_when_predicting(name, fitted, examples):
    turned = examples[0][["ticket_count", "plan", *ORDER_COLUMNS[::-1]]].assign(unheard_of=1.0)
    pd.testing.assert_series_equal(fitted[name].predict_proba(turned), fitted[name].predict_proba(examples[0]))


def test_it_survives_saving(name, fitted, examples, tmp_path):
    joblib.dump(fitted[name].state(), tmp_path / "state")
    loaded = model_class(name).from_state(joblib.load(tmp_path / "state", mmap_mode="r"))
    pd.testing.assert_series_equal(
        loaded.predict_proba(examples[0]), fitted[name].predict_proba(examples[0]), check_exact=True
    )
    pd.testing.assert_frame_equal(loaded.contributions(examples[0]), fitted[name].contributions(examples[0]))


def test_contributions_and_base_sum_to_the_log_odds(name, fitted, examples):
    model = fitted[name]
    probabilities = model.predict_proba(examples[0])
    parts = model.contributions(examples[0])
    assert parts.columns.tolist() == examples[0].columns.tolist()
    assert parts.index.equals(examples[0].index)
    summed = parts.sum(axis=1) + model.base_log_odds
    np.testing.assert_allclose(summed, np.log(probabilities / (1.0 - probabilities)), atol=1e-9)


def test_removing_the_evidence_lowers_the_score(name, fitted, examples):
    silent = examples[0].iloc[:1].assign(**dict(zip(ORDER_COLUMNS, [9.0, 60.0, 200.0, 140.0], strict=True)))
    active = silent.assign(age_at_last_order_days=199.0, days_since_last_order=1.0)
    model = fitted[name]
    assert model.predict_proba(active).iloc[0] < model.predict_proba(silent).iloc[0] - 0.2
    evidence = model.contributions(silent) - model.contributions(active)
    assert evidence[ORDER_COLUMNS].sum(axis=1).iloc[0] > 0.5


def test_unseen_categories_missing_and_infinite_numbers_get_a_probability(name, fitted, examples):
    strange = (
        examples[0]
        .iloc[:3]
        .assign(plan=["decade", None, ""], order_day_count=[np.inf, -np.inf, np.nan], ticket_count=[1e300, -1e300, 0.0])
    )
    assert fitted[name].predict_proba(strange).between(0.0, 1.0).all()
    assert np.isfinite(fitted[name].contributions(strange)).all(axis=None)


@pytest.mark.parametrize("rows", [1, 2, 30])
def test_few_rows_of_one_outcome_or_two_get_an_answer(name, examples, rows):
    features, churned = examples[0].iloc[:rows], examples[1].iloc[:rows]
    model = create(name).fit(features, churned)
    assert isinstance(model.kind, str)
    assert model.predict_proba(examples[0]).between(0.0, 1.0).all()


def test_no_row_asked_gives_no_row(name, fitted, examples):
    nobody = examples[0].iloc[:0]
    assert fitted[name].predict_proba(nobody).empty
    assert fitted[name].contributions(nobody).shape == (0, 6)


def test_a_column_without_any_value_does_no_harm(name, examples):
    features = examples[0].assign(never_filled=np.nan, constant=1.0, nothing=pd.Series(pd.NA, dtype="string"))
    model = create(name).fit(features, examples[1])
    assert model.predict_proba(features).between(0.0, 1.0).all()


def test_a_second_fit_forgets_the_first(name, examples):
    model = create(name, seed=3).fit(examples[0], ~examples[1]).fit(*examples)
    fresh = create(name, seed=3).fit(*examples)
    pd.testing.assert_series_equal(model.predict_proba(examples[0]), fresh.predict_proba(examples[0]))


def test_it_says_that_it_is_not_fitted(name, examples):
    with pytest.raises(NotFitted, match="is not fitted; call fit first"):
        create(name).predict_proba(examples[0])
    with pytest.raises(NotFitted):
        create(name).state()


def test_a_missing_column_is_named(name, fitted, examples):
    with pytest.raises(DataError, match=r"column 'order_day_count'.* is missing"):
        fitted[name].predict_proba(examples[0].drop(columns="order_day_count"))


def test_no_example_is_not_enough(name, examples):
    with pytest.raises(NotEnoughData, match="at least one example"):
        create(name).fit(examples[0].iloc[:0], examples[1].iloc[:0])


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.one_of(st.none(), st.floats()), st.one_of(st.none(), st.sampled_from("abc")), st.booleans()),
        min_size=1,
        max_size=40,
    )
)
def test_any_frame_of_numbers_and_texts_gets_probabilities(name, rows):
    numbers, texts, outcomes = zip(*rows, strict=True)
    features = pd.DataFrame({"number": pd.array(numbers, dtype="Float64"), "text": pd.Series(texts, dtype="object")})
    features = features.assign(**dict.fromkeys(ORDER_COLUMNS, features["number"]))
    features.index = features.index.astype(str)
    model = create(name).fit(features, pd.Series(outcomes, index=features.index))
    assert model.predict_proba(features).between(0.0, 1.0).all()
