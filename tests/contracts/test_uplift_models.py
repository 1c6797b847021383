"""What every registered uplift model promises."""

import joblib
import numpy as np
import pandas as pd
import pytest

from recommender.errors import DataError, NotEnoughData, NotFitted
from recommender.models import UPLIFT_MODELS, create, model_class

pytestmark = pytest.mark.parametrize("name", sorted(UPLIFT_MODELS))
ROWS = 1_500


@pytest.fixture(scope="module")
def trial():
    """Of the sleepy 20 % order without the offer and 60 % with it; of the others 70 % either way."""
    rng = np.random.default_rng(5)
    sleepy, treated = rng.random(ROWS) < 0.5, rng.random(ROWS) < 0.3
    rate = np.where(sleepy, np.where(treated, 0.6, 0.2), 0.7)
    features = pd.DataFrame(
        {
            "days_since_last_order": np.where(sleepy, 80.0, 8.0) + rng.integers(0, 8, ROWS),
            "noise": rng.normal(size=ROWS),
            "offer_kind": rng.choice(["gift", "percent"], ROWS),
        },
        index=pd.Index([f"c{number // 2}" for number in range(ROWS)], dtype="string", name="customer_id"),
    )
    features.loc[::9, "noise"] = np.nan
    given = {"treated": treated, "converted": rng.random(ROWS) < rate, "propensities": np.where(treated, 0.3, 0.7)}
    return features, {key: pd.Series(values, index=features.index) for key, values in given.items()}


@pytest.fixture(scope="module")
def fitted(trial):
    return {name: create(name, seed=3).fit(trial[0], **trial[1]) for name in UPLIFT_MODELS}


def mean_width(model, features):
    answer = model.predict(features)
    return (answer["uplift_high"] - answer["uplift_low"]).mean()


def test_it_finds_whom_the_offer_changes(name, fitted, trial):
    uplift = fitted[name].predict(trial[0])["uplift"].to_numpy()
    sleepy = (trial[0]["days_since_last_order"] > 40).to_numpy()
    assert uplift[sleepy].mean() == pytest.approx(0.4, abs=0.1)
    assert uplift[~sleepy].mean() == pytest.approx(0.0, abs=0.1)


def test_the_bounds_hold_the_estimate_and_the_truth(name, fitted, trial):
    answer = fitted[name].predict(trial[0])
    assert answer["uplift_low"].le(answer["uplift"]).all()
    assert answer["uplift"].le(answer["uplift_high"]).all()
    assert answer.abs().le(1.0).all(axis=None)
    truth = np.where(trial[0]["days_since_last_order"] > 40, 0.4, 0.0)
    held = (answer["uplift_low"].to_numpy() <= truth) & (truth <= answer["uplift_high"].to_numpy())
    assert held.mean() > 0.7


def test_fewer_customers_give_wider_bounds(name, fitted, trial):
    few = create(name, seed=3).fit(trial[0].iloc[:300], **{key: one.iloc[:300] for key, one in trial[1].items()})
    assert mean_width(few, trial[0]) > mean_width(fitted[name], trial[0])


def test_it_keeps_the_index_and_no_row_asked_gives_no_row(name, fitted, trial):
    assert fitted[name].predict(trial[0]).index.equals(trial[0].index)
    nothing = fitted[name].predict(trial[0].iloc[:0])
    assert nothing.columns.tolist() == ["uplift", "uplift_low", "uplift_high"]
    assert nothing.empty


def test_the_same_seed_and_shuffled_rows_give_the_same_answer(name, fitted, trial):
    order = np.random.default_rng(1).permutation(ROWS)
    again = create(name, seed=3).fit(trial[0].iloc[order], **{key: one.iloc[order] for key, one in trial[1].items()})
    pd.testing.assert_frame_equal(again.predict(trial[0]), fitted[name].predict(trial[0]), check_exact=True)


def test_it_survives_saving(name, fitted, trial, tmp_path):
    joblib.dump(fitted[name].state(), tmp_path / "state")
    loaded = model_class(name).from_state(joblib.load(tmp_path / "state", mmap_mode="r"))
    pd.testing.assert_frame_equal(loaded.predict(trial[0]), fitted[name].predict(trial[0]), check_exact=True)


def test_unequal_propensities_are_corrected(name):
    # Sleepy customers never order, the others always: treating only the latter would look like an effect.
    sleepy = np.arange(400) % 2 == 0
    treated = np.where(sleepy, np.arange(400) % 10 == 0, np.arange(400) % 10 != 1)
    own = np.where(treated, np.where(sleepy, 0.2, 0.8), np.where(sleepy, 0.8, 0.2))
    features = pd.DataFrame({"constant": np.ones(400)}, index=[f"c{number}" for number in range(400)])
    given = [pd.Series(one, index=features.index) for one in (treated, ~sleepy, own)]
    naive = create(name).fit(features, *given[:2]).predict(features)["uplift"].iloc[0]
    weighted = create(name).fit(features, *given).predict(features)["uplift"].iloc[0]
    assert naive > 0.5
    assert weighted == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("rows", [2, 3, 12])
def test_few_rows_get_a_wide_answer(name, rows):
    features = pd.DataFrame({"x": np.arange(rows, dtype="float64")}, index=[f"c{number}" for number in range(rows)])
    treated = pd.Series(np.arange(rows) % 2 == 0, index=features.index)
    answer = create(name).fit(features, treated, treated).predict(features)
    assert answer.notna().all(axis=None)
    assert (answer["uplift_high"] - answer["uplift_low"] > 0.2).all()


def test_one_arm_is_not_enough(name, trial):
    alone = pd.Series(True, index=trial[0].index)
    with pytest.raises(NotEnoughData, match="customers who were not; one arm is empty"):
        create(name).fit(trial[0], alone, trial[1]["converted"])


def test_a_propensity_of_0_is_refused(name, trial):
    never = pd.Series(0.0, index=trial[0].index)
    with pytest.raises(DataError, match="not above 0 and at most 1"):
        create(name).fit(trial[0], trial[1]["treated"], trial[1]["converted"], never)


def test_it_says_that_it_is_not_fitted(name, trial):
    with pytest.raises(NotFitted, match="call fit first"):
        create(name).predict(trial[0])
    with pytest.raises(NotFitted):
        create(name).state()
