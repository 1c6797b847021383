from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from recommender.errors import SettingError
from recommender.frame_validation import validate_frame
from recommender.tables import as_of
from recommender.touchpoints import TABLES
from training.cli import main
from training.synthetic import DEFAULT_UNTIL, Plan, synthesize
from training.synthetic.leaving import CAUSES

SMALL = Plan(customers=400, seed=3, items=300)
LARGE = Plan(customers=4_500, seed=11, items=400)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    synthesize(SMALL, folder)
    return folder


@pytest.fixture(scope="module")
def validated(small):
    return {name: validate_frame(table, read(small, name), now=DEFAULT_UNTIL) for name, table in TABLES.items()}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    synthesize(LARGE, folder)
    return folder


@pytest.fixture(scope="module")
def drawn(large):
    """Randomised and confounded assignments of the large company with class, spend and orders in 28 days."""
    assignments = read(large, "assignments").merge(truth(large, "uplifts"), on=["customer_id", "offer_id"])
    orders = read(large, "order_lines", ["order_id", "customer_id", "ordered_at", "amount"])
    lines = assignments[["assignment_id", "customer_id", "assigned_at"]].merge(orders, on="customer_id")
    after = lines["ordered_at"] - lines["assigned_at"]
    within = (after >= timedelta(0)) & (after < timedelta(days=28))
    bought = lines[within].groupby("assignment_id")["order_id"].nunique()
    before = lines[after < timedelta(0)].groupby("assignment_id")["amount"].sum()
    ids = assignments["assignment_id"]
    return assignments.assign(
        orders=ids.map(bought).fillna(0),
        spend=ids.map(before).fillna(0.0),
        is_treated=assignments["arm"] == "treatment",
    )


def read(folder, name, columns=None):
    return pd.read_parquet(folder / name, columns=columns)


def truth(folder, name):
    return pd.read_parquet(folder / "truth" / f"{name}.parquet")


def fingerprints(folder):
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.parquet")}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_passes_validation_and_keys_are_unique(validated, name):
    assert validated[name].rejections == []
    assert len(validated[name].rows) > 0
    assert not validated[name].rows.duplicated(list(TABLES[name].key)).any()


@pytest.mark.parametrize("name", TABLES)
def test_tables_hold_what_was_known_at_the_end_and_nothing_else(validated, name):
    rows = validated[name].rows.reset_index(drop=True)
    plans = [column.name for column in TABLES[name].instant_columns if column.is_plan]
    known = as_of(TABLES[name], rows, DEFAULT_UNTIL)
    pd.testing.assert_frame_equal(known.drop(columns=plans), rows.drop(columns=plans))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(small, tmp_path):
    synthesize(SMALL, tmp_path / "again")
    synthesize(Plan(customers=400, seed=4, items=300), tmp_path / "other")
    assert fingerprints(tmp_path / "again") == fingerprints(small)
    other = fingerprints(tmp_path / "other")
    assert all(other[path] != mark for path, mark in fingerprints(small).items() if not path.startswith("offers"))


def test_whole_blocks_are_the_same_in_a_larger_company_and_share_no_key(tmp_path):
    synthesize(Plan(customers=200, seed=5, items=100, block_size=200), tmp_path / "smaller")
    synthesize(Plan(customers=300, seed=5, items=100, block_size=200), tmp_path / "larger")
    smaller, larger = fingerprints(tmp_path / "smaller"), fingerprints(tmp_path / "larger")
    parts = {path: mark for path, mark in smaller.items() if not path.startswith("truth")}
    assert {path: larger[path] for path in parts} == parts
    assert len(read(tmp_path / "larger", "customers")) == 300
    for name, table in TABLES.items():
        assert not read(tmp_path / "larger", name).duplicated(list(table.key)).any()


def test_another_end_moves_every_instant(small, tmp_path):
    until = datetime(2024, 6, 1, tzinfo=UTC)
    synthesize(Plan(customers=400, seed=3, items=300, until=until), tmp_path)
    moved, usual = read(tmp_path, "order_lines"), read(small, "order_lines")
    assert moved["ordered_at"].max() < until
    assert set(usual["ordered_at"] - moved["ordered_at"]) == {DEFAULT_UNTIL - until}


def test_nothing_happens_before_a_customer_signed_up(small):
    signed_up = read(small, "customers").set_index("customer_id")["signed_up_at"]
    for name, table in TABLES.items():
        for column in [column for column in table.customer_columns if name != "customers"]:
            rows = read(small, name).dropna(subset=[column])
            assert (rows[table.exists_from] >= rows[column].map(signed_up)).all(), name


def test_items_are_bought_only_while_they_are_available(large):
    items = read(large, "items").set_index("item_id")
    lines = read(large, "order_lines", ["item_id", "ordered_at"]).join(items, on="item_id")
    assert not (lines["ordered_at"] < lines["available_from"]).any()
    assert not (lines["ordered_at"] >= lines["available_until"]).any()
    assert items["available_from"].notna().any()
    assert items["available_until"].notna().any()


def test_who_left_orders_and_browses_no_more(large):
    left = truth(large, "customers").set_index("customer_id")["left_at"]
    for name, instant in (("order_lines", "ordered_at"), ("contacts", "sent_at"), ("assignments", "assigned_at")):
        rows = read(large, name, ["customer_id", instant])
        assert not (rows[instant] >= rows["customer_id"].map(left)).any(), name
    browsed = read(large, "interactions", ["customer_id", "kind", "occurred_at"]).query("kind != 'rating'")
    assert not (browsed["occurred_at"] >= browsed["customer_id"].map(left) + timedelta(hours=2)).any()
    assert 0.25 < left.notna().mean() < 0.5


@pytest.mark.parametrize("cause", CAUSES)
def test_who_suffers_most_from_a_cause_leaves_more_often(large, cause):
    hazards = truth(large, "hazards")
    left = hazards["customer_id"].map(truth(large, "customers").set_index("customer_id")["left_at"])
    leaves = (left >= hazards["at"]) & (left < hazards["at"] + timedelta(days=28))
    # Established customers with the same total of all other causes are compared, by tenths of it.
    others = sum(hazards[name] for name in CAUSES if name != cause)
    level = pd.qcut(others, 10, labels=False)
    high = hazards[cause] >= np.maximum(hazards[cause].quantile(0.85), 0.2)
    rates = leaves.groupby([level, high]).mean().unstack()
    assert (rates[True] - rates[False]).mean() > 0.005


def test_a_third_of_the_leaving_hazard_is_unexplained(large):
    hazards = truth(large, "hazards")
    explained = hazards[list(CAUSES)].sum(axis=1)
    by_week = pd.DataFrame({"at": hazards["at"], "explained": explained, "unexplained": hazards["unexplained"]})
    variances = by_week.groupby("at")[["explained", "unexplained"]].var()
    share = variances["unexplained"].mean() / variances.sum(axis=1).mean()
    assert share == pytest.approx(0.3, abs=0.03)


def test_the_hazard_is_calibrated(large):
    hazards = truth(large, "hazards")
    left = hazards["customer_id"].map(truth(large, "customers").set_index("customer_id")["left_at"])
    leaves = left == hazards["at"] + timedelta(days=7)
    assert leaves.mean() == pytest.approx(hazards["hazard"].mean(), rel=0.15)


def test_shares_of_response_classes_are_as_declared(large):
    shares = truth(large, "uplifts")["response"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx(
        {"persuadable": 0.15, "negative": 0.05, "sure_thing": 0.3, "none": 0.5}, abs=0.001
    )


def test_treatment_changes_orders_as_the_truth_says(drawn):
    randomised = drawn[drawn["propensity"].notna()]
    buys = (randomised["orders"] > 0).groupby([randomised["response"], randomised["is_treated"]]).mean().unstack()
    effect = buys[True] - buys[False]
    true = randomised.groupby("response")["uplift"].mean()
    assert effect["persuadable"] > 0.2
    assert effect["negative"] < -0.2
    assert effect["none"] == pytest.approx(0, abs=0.03)
    assert effect["sure_thing"] == pytest.approx(0, abs=0.03)
    assert effect.to_dict() == pytest.approx(true.to_dict(), abs=0.08)


def test_arms_of_randomised_offers_are_balanced_and_those_of_confounded_offers_are_not(drawn):
    spend = drawn.groupby([drawn["propensity"].notna(), "is_treated"])["spend"].mean().unstack()
    assert spend.loc[True, True] == pytest.approx(spend.loc[True, False], rel=0.12)
    assert spend.loc[False, True] > 1.4 * spend.loc[False, False]


def test_propensities_are_those_of_the_arm_drawn(drawn):
    randomised = drawn[drawn["propensity"].notna()]
    assert set(drawn["arm"]) == {"treatment", "control"}
    share = randomised.groupby("offer_id")["is_treated"].mean()
    promised = randomised[randomised["is_treated"]].groupby("offer_id")["propensity"].first()
    assert share.to_dict() == pytest.approx(promised.to_dict(), abs=0.03)


def test_only_treated_customers_redeem_and_only_who_agreed_is_contacted(large, drawn):
    treated = set(zip(drawn["customer_id"], drawn["offer_id"], drawn["is_treated"], strict=True))
    used = read(large, "redemptions")
    assert {
        (customer, offer, True) for customer, offer in zip(used["customer_id"], used["offer_id"], strict=True)
    } <= treated
    customers = read(large, "customers").set_index("customer_id")
    assert read(large, "contacts")["customer_id"].map(customers["consent_marketing"]).all()
    assert 0.03 < 1 - customers["consent_personalization"].mean() < 0.1


def test_tickets_follow_what_caused_them(large):
    orders = read(large, "order_lines", ["order_id", "ordered_at", "promised_at"]).drop_duplicates("order_id")
    tickets = read(large, "tickets").merge(orders, on="order_id", how="left")
    delivery = tickets[tickets["topic"] == "delivery"]
    assert (delivery["opened_at"] >= delivery["promised_at"]).all()
    defect = tickets[tickets["topic"] == "defect"]
    assert (defect["opened_at"] > defect["ordered_at"]).all()
    assert (tickets["resolved_at"].dropna() >= tickets["first_replied_at"].loc[tickets["resolved_at"].notna()]).all()


def test_late_deliveries_lower_the_scores_that_follow(large):
    answers = read(large, "survey_responses").query("kind == 'csat'")
    orders = read(large, "order_lines", ["customer_id", "promised_at", "delivered_at"]).dropna()
    late = orders[orders["delivered_at"] > orders["promised_at"]]
    pairs = answers.merge(late, on="customer_id")
    waited = pairs["answered_at"] - pairs["delivered_at"]
    upset = pairs.loc[(waited > timedelta(0)) & (waited < timedelta(days=4)), "response_id"]
    is_upset = answers["response_id"].isin(upset)
    assert answers.loc[is_upset, "score"].mean() < answers.loc[~is_upset, "score"].mean() - 0.5


def test_activity_is_heavy_tailed_and_replenished_on_a_rhythm(large):
    lines = read(large, "order_lines", ["customer_id", "item_id", "ordered_at"])
    per_customer = lines["customer_id"].value_counts()
    assert per_customer.head(len(per_customer) // 10).sum() > 0.3 * len(lines)
    assert 40 < len(lines) / LARGE.customers < 60
    items = read(large, "items").set_index("item_id")
    lines = lines.join(items[["category", "is_replenishable"]], on="item_id")
    again = lines.duplicated(["customer_id", "item_id"]).groupby(lines["is_replenishable"]).mean()
    assert again[True] > again[False] + 0.15
    lines = lines[lines["is_replenishable"]].sort_values("ordered_at", kind="stable")
    gaps = lines.groupby(["customer_id", "item_id"])["ordered_at"].diff().dt.total_seconds() / 86_400
    weeks = gaps.groupby(lines["category"]).median() / 7
    assert weeks["care > skin > cream"] > 1.5 * weeks["food > dairy > milk"]


def test_what_happens_is_of_every_kind(large):
    kinds = set(read(large, "interactions", ["kind"])["kind"])
    assert kinds == {"view", "search", "cart_add", "cart_remove", "wishlist", "rating", "dislike"}
    assert read(large, "interactions", ["customer_id"])["customer_id"].isna().mean() > 0.02
    assert read(large, "order_lines", ["recommendation_id"])["recommendation_id"].notna().any()
    assert read(large, "subscriptions")["end_reason"].nunique() > 5
    assert read(large, "items")["price"].gt(0).all()


def test_the_command_writes_a_company_and_refuses_a_folder_that_is_not_empty(tmp_path):
    arguments = ["synthesize", "--customers", "30", "--seed", "1", "--items", "100", "--out", str(tmp_path / "company")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0
    assert "customers: 30 rows" in done.output
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 1
    assert "is not empty; choose another folder or add --force" in refused.stderr
    before = fingerprints(tmp_path / "company")
    assert CliRunner().invoke(main, [*arguments, "--force"]).exit_code == 0
    assert fingerprints(tmp_path / "company") == before


def test_one_customer_is_a_company(tmp_path):
    counts = synthesize(Plan(customers=1, seed=0, items=100), Path(tmp_path))
    assert counts["customers"] == 1
    assert set(counts) == set(TABLES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"customers": 0}, "0 customers cannot be simulated; ask for 1 to"),
        ({"items": 5}, "5 items are too few for a catalogue; ask for 100 or more"),
        ({"until": datetime(2026, 1, 1)}, "has no offset; give the end of the span in UTC"),
    ],
)
def test_a_plan_that_cannot_be_simulated_is_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        Plan(**{"customers": 10, "seed": 0, **settings})
