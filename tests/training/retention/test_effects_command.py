"""The command ``effects`` on a shop whose customers did what is typed here."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from recommender.customer_answers import MAIN_DEFINITION
from recommender.event_store import EventStore
from recommender.history import History
from recommender.periods import instant, to_microseconds
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.effect_answers import ANY_TREATMENT, NO_UNITS, RAISES, TOO_FEW, MeasuredEffects
from recommender.retention.effect_store import keep_effects, last_effects
from recommender.retention.suggestion_store import first_suggestions
from recommender.retention.treatment_settings import policy_from
from recommender.store_engine import writing
from recommender.store_schema import TREATMENT_SUGGESTIONS
from tests import small_shop
from tests.training.conftest import done, run
from tests.training.test_html_report import Page
from training.progress import silent
from training.retention.effect_measuring import measure_effects

SCORED = instant("2024-01-01")
END = instant("2024-02-01")
DEFINITION = ChurnDefinition("no_order", horizon_days=28, activity_days=56)
POLICY = policy_from({"holdout_share": 0.5, "ladder": {"offer": {"cost": 2.0}}})


@pytest.fixture
def store(sqlite_store: EventStore) -> EventStore:
    """An empty store."""
    return sqlite_store


def remember(store: EventStore, *suggested, share: float = 0.5) -> None:
    """First suggestions as ``(customer, days after SCORED, treatment, held out)``."""
    rows = [
        {
            "customer_id": customer_id,
            "definition": MAIN_DEFINITION,
            "experiment": POLICY.experiment,
            "treatment": treatment,
            "as_of": to_microseconds(SCORED + timedelta(days=days)),
            "is_holdout": is_holdout,
            "holdout_share": share,
        }
        for customer_id, days, treatment, is_holdout in suggested
    ]
    with writing(store.engine) as connection:
        connection.execute(sa.insert(TREATMENT_SUGGESTIONS), rows)


def ordered(store: EventStore, *orders) -> None:
    """Orders as ``(customer, days after SCORED, amount)``."""
    rows = [
        {
            "order_id": f"o{number}",
            "item_id": "i1",
            "customer_id": customer_id,
            "ordered_at": SCORED + timedelta(days=days),
            "amount": amount,
        }
        for number, (customer_id, days, amount) in enumerate(orders)
    ]
    assert store.append("order_lines", pd.DataFrame(rows)).rejections == []


def measured(store: EventStore, folder: Path, *, definition: ChurnDefinition = DEFINITION) -> dict:
    history = History.create(folder / "history", buckets=3)
    history.refresh(store)
    suggestions = first_suggestions(store.engine, MAIN_DEFINITION, POLICY.experiment, before=END)
    told = measure_effects(history, suggestions, POLICY, definition, as_of=END, steps=silent)
    return {one.treatment: one for one in told.effects} | {"left_out": told.left_out}


def test_orders_within_the_window_count_and_others_do_not(store, tmp_path):
    remember(
        store, *((who, 0, "offer", False) for who in ("in", "first", "late", "before")), ("held", 0, "offer", True)
    )
    ordered(store, ("in", 5, 30.0), ("first", 0, 10.0), ("late", 28, 99.0), ("before", -5, 50.0), ("held", 27.9, 20.0))
    effect = measured(store, tmp_path)["offer"]
    assert (effect.treated, effect.held_out) == (4, 1)
    assert (effect.retained_treated, effect.retained_held_out) == (0.5, 1.0)
    assert effect.verdict == TOO_FEW
    assert effect.revenue is None


def test_returns_are_taken_off_the_revenue_and_a_window_that_is_not_complete_waits(store, tmp_path):
    groups = {"t": False, "h": True}
    remember(store, *((f"{who}{n}", 0, "offer", held) for who, held in groups.items() for n in range(3)))
    remember(store, ("new", 10, "offer", False))
    ordered(store, *((f"{who}{n}", 3, 10.0) for who in groups for n in range(3)), ("new", 11, 500.0))
    back = {"return_id": "r1", "customer_id": "t0", "item_id": "i1", "returned_at": SCORED + timedelta(days=5)}
    assert store.append("returns", pd.DataFrame([{**back, "amount": 6.0}])).rejections == []
    told = measured(store, tmp_path)
    assert told["offer"].revenue.value == pytest.approx(-2.0)
    assert told["left_out"] == {"window_not_complete": 1, "no_outcome": 0, "other_holdout_share": 0}


def test_contacts_of_the_campaign_tell_who_was_reached_and_what_it_cost(store, tmp_path):
    remember(store, *((f"t{n}", 0, "offer", False) for n in range(4)), ("h0", 0, "offer", True))
    ordered(store, ("t0", 3, 10.0))
    contact = {"sent_at": SCORED + timedelta(days=1), "channel": "email"}
    sent = [("t0", "offer"), ("t1", "offer"), ("t2", "newsletter")]
    rows = [{**contact, "contact_id": who, "customer_id": who, "campaign": name} for who, name in sent]
    assert store.append("contacts", pd.DataFrame(rows)).rejections == []
    told = measured(store, tmp_path)
    assert (told["offer"].contacted_treated, told["offer"].contacted_held_out) == (0.5, 0.0)
    assert told["offer"].cost_per_customer == 1.0
    assert told[ANY_TREATMENT].cost_per_customer == 1.0


def test_a_known_effect_is_found_through_the_store(store, tmp_path):
    people = [(f"c{number}", number % 2 == 1) for number in range(1_000)]
    remember(store, *((who, 0, "offer", held) for who, held in people))
    # Of those treated 80 % order, of those held out 60 %.
    staying = [who for place, (who, held) in enumerate(people) if place // 2 % 10 < (6 if held else 8)]
    ordered(store, *((who, 4, 25.0) for who in staying))
    told = measured(store, tmp_path)
    for name in ("offer", ANY_TREATMENT):
        assert told[name].verdict == RAISES
        assert told[name].retention.value == pytest.approx(0.2)
        assert told[name].revenue.value == pytest.approx(5.0)
        assert told[name].cost_per_saved.value == pytest.approx(10.0)
    assert told["content"].verdict == NO_UNITS


def test_the_first_suggestion_of_all_counts_for_all_together_and_another_share_for_nothing(store, tmp_path):
    remember(store, ("ann", 0, "content", False), ("ann", 2, "offer", False), ("bob", 2, "offer", True))
    remember(store, ("cid", 0, "content", False), share=0.1)
    remember(store, ("cid", 1, "offer", False))
    ordered(store, ("ann", 1, 10.0), ("bob", 3, 20.0), ("cid", 3, 30.0))
    told = measured(store, tmp_path)
    assert {name: (told[name].treated, told[name].held_out) for name in ("any", "content", "offer")} == {
        "any": (1, 1),
        "content": (1, 0),
        "offer": (2, 1),
    }
    # Ann ordered after the content and before the offer.
    assert told["any"].retained_treated == 1.0
    assert told["offer"].retained_treated == 0.5
    assert told["left_out"]["other_holdout_share"] == 1


def test_whose_contract_ended_in_another_way_is_left_out(store, tmp_path):
    voluntary = ChurnDefinition("subscription_ended", horizon_days=28, activity_days=56, ends="voluntary")
    remember(store, *((who, 0, "offer", who == "held") for who in ("stays", "cancels", "fails", "held")))
    ends = {"cancels": "customer", "fails": voluntary.involuntary_reasons[0]}
    contracts = [
        {
            "subscription_id": who,
            "customer_id": who,
            "started_at": SCORED - timedelta(days=90),
            "ended_at": SCORED + timedelta(days=9) if who in ends else None,
            "end_reason": ends.get(who),
        }
        for who in ("stays", "cancels", "fails", "held")
    ]
    assert store.append("subscriptions", pd.DataFrame(contracts)).rejections == []
    told = measured(store, tmp_path, definition=voluntary)
    assert (told["offer"].treated, told["offer"].retained_treated, told["offer"].held_out) == (2, 0.5, 1)
    assert told["left_out"]["no_outcome"] == 1


def test_without_a_scoring_or_any_order_after_there_is_an_answer(store, tmp_path):
    ordered(store, ("ann", -5, 10.0))
    assert {one.verdict for name, one in measured(store, tmp_path / "1").items() if name != "left_out"} == {NO_UNITS}
    remember(store, *((f"c{number}", 0, "offer", number % 2 == 0) for number in range(40)))
    effect = measured(store, tmp_path / "2")["offer"]
    assert (effect.verdict, effect.retained_treated, effect.retained_held_out) == (TOO_FEW, 0.0, 0.0)


def test_what_was_measured_last_is_kept_and_nothing_before_it(store):
    assert last_effects(store.engine, MAIN_DEFINITION) is None
    for share in (0.1, 0.2):
        told = MeasuredEffects(MAIN_DEFINITION, 28, "retention", share, END)
        keep_effects(store.engine, told, as_of=END)
    assert last_effects(store.engine, MAIN_DEFINITION) == replace(told, holdout_share=0.2)
    assert last_effects(store.engine, "other") is None


def test_the_command_prints_writes_a_page_and_keeps_what_it_measured(home, tmp_path):
    out = tmp_path / "page"
    told = json.loads(done(home, "effects", "--json", "--out", str(out)))
    assert next(one["treatment"] for one in told["effects"]) == ANY_TREATMENT
    assert told["experiment"] == "retention"
    page = Page((out / "effects.html").read_text())
    assert page.open == []
    assert "nobody was meant for it whose window is complete" in page.text
    assert "effects of treatments as of" in done(home, "effects")
    refused = run(home, "effects", "--out", str(out))
    assert (refused.exit_code, "add --force" in refused.stderr) == (1, True)


def test_the_command_refuses_a_definition_that_was_not_trained(home):
    refused = run(home, "effects", "--definition", "spend")
    assert refused.exit_code == 1
    assert "there is no definition of churn 'spend'; there are: churn" in refused.stderr


def test_from_a_scoring_to_the_effects_of_what_it_suggested(tmp_path, shop_folder):
    config = tmp_path / "quick.toml"
    short = "horizon_days = 14\npanel_cutoffs = 2\npanel_step_days = 7\ngenerators = []\n"
    config.write_text(f"{short}[treatments]\nholdout_share = 0.5\n")
    scored_at = ["--as-of", "2024-02-05"]
    done(tmp_path, "ingest", str(shop_folder))
    done(tmp_path, "train", "--config", str(config), *scored_at)
    done(tmp_path, "score", *scored_at)
    told = json.loads(done(tmp_path, "effects", "--json"))
    together = told["effects"][0]
    # Who stopped ordering on 2024-01-01 orders no more, whatever is suggested.
    assert together["treated"] + together["held_out"] >= small_shop.CUSTOMERS // 6
    assert together["treated"] > 0
    assert together["held_out"] > 0
    assert together["retained_treated"] == together["retained_held_out"] == 0.0
    assert together["verdict"] == TOO_FEW
    assert told["left_out"] == {"window_not_complete": 0, "no_outcome": 0, "other_holdout_share": 0}
    waiting = json.loads(done(tmp_path, "effects", "--json", "--as-of", "2024-02-10"))
    assert waiting["left_out"]["window_not_complete"] == together["treated"] + together["held_out"]
