"""What leaving means: every outcome and population on rows whose answers are seen by eye."""

from __future__ import annotations

import pandas as pd
import pytest

from recommender.errors import SettingError
from recommender.frame_validation import validate_frame
from recommender.periods import instant
from recommender.retention.definitions import ChurnDefinition
from recommender.tables import as_of
from recommender.touchpoints import TABLES

CUTOFF = instant("2024-03-01")
NOW = instant("2024-12-31")


def table(name: str, *rows: dict) -> pd.DataFrame:
    return validate_frame(TABLES[name], pd.DataFrame(list(rows)), now=NOW).rows


def lines(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Order lines from customer, day and amount."""
    return table(
        "order_lines",
        *(
            {
                "order_id": f"o{number}",
                "item_id": "milk",
                "customer_id": customer,
                "ordered_at": f"{day}T12:00:00Z",
                "amount": amount,
            }
            for number, (customer, day, amount) in enumerate(rows)
        ),
    )


def contracts(*rows: tuple[str, str, str | None, str | None]) -> pd.DataFrame:
    """Subscriptions from customer, first day, day of the end and its reason."""
    return table(
        "subscriptions",
        *(
            {
                "subscription_id": f"s{number}",
                "customer_id": customer,
                "started_at": f"{start}T00:00:00Z",
                "ended_at": end and f"{end}T00:00:00Z",
                "end_reason": reason,
            }
            for number, (customer, start, end, reason) in enumerate(rows)
        ),
    )


def outcomes(definition: ChurnDefinition, tables: dict[str, pd.DataFrame]) -> dict[str, bool]:
    known = {name: as_of(TABLES[name], rows, CUTOFF) for name, rows in tables.items()}
    return definition.happened(tables, definition.population(known, CUTOFF), CUTOFF).to_dict()


def test_no_order_is_asked_of_recent_customers_or_of_everybody_who_ever_ordered():
    tables = {
        "order_lines": lines(
            ("ann", "2024-02-20", 5.0),
            ("ann", "2024-03-10", 5.0),
            ("bob", "2024-02-25", 5.0),
            ("cid", "2022-01-01", 5.0),
            ("dan", "2024-03-02", 5.0),
        )
    }
    recent = ChurnDefinition("no_order", horizon_days=28, activity_days=56)
    assert outcomes(recent, tables) == {"ann": False, "bob": True}
    ever = ChurnDefinition("no_order", horizon_days=28, activity_days=56, asked_of="any_order")
    assert outcomes(ever, tables) == {"ann": False, "bob": True, "cid": True}


def test_a_spend_drop_is_measured_against_the_same_length_before_the_cutoff():
    tables = {
        "order_lines": lines(
            ("ann", "2024-02-20", 100.0),
            ("ann", "2024-03-10", 50.0),
            ("bob", "2024-02-20", 100.0),
            ("bob", "2024-03-10", 49.0),
            ("cid", "2024-01-20", 100.0),
            ("dan", "2024-02-20", 100.0),
            ("eve", "2024-02-20", 100.0),
            ("eve", "2024-03-10", 90.0),
            ("fay", "2024-02-20", 100.0),
            ("fay", "2024-03-10", 30.0),
        ),
        "returns": table(
            "returns",
            {
                "return_id": "r1",
                "customer_id": "dan",
                "item_id": "milk",
                "returned_at": "2024-02-28T00:00:00Z",
                "amount": 120.0,
            },
            {
                "return_id": "r2",
                "customer_id": "eve",
                "item_id": "milk",
                "returned_at": "2024-03-12T00:00:00Z",
                "amount": 80.0,
            },
        ),
    }
    drop = ChurnDefinition("spend_drop", horizon_days=28, activity_days=56)
    # Cid spent nothing in the 28 days before, Dan was paid back more than he spent: neither can spend less.
    assert outcomes(drop, tables) == {"ann": False, "bob": True, "eve": True, "fay": True}
    deep = ChurnDefinition("spend_drop", horizon_days=28, activity_days=56, drop_share=0.75)
    assert outcomes(deep, tables) == {"ann": False, "bob": False, "eve": True, "fay": False}


def test_an_end_of_the_other_kind_is_neither_leaving_nor_staying():
    tables = {
        "subscriptions": contracts(
            ("ann", "2023-01-01", "2024-03-10", "Payment failed"),
            ("bob", "2023-01-01", "2024-03-10", "too expensive"),
            ("cid", "2023-01-01", "2024-03-10", None),
            ("dan", "2023-01-01", None, None),
            ("eve", "2023-01-01", "2024-03-10", "payment-failed"),
            ("eve", "2024-03-15", None, None),
            ("fay", "2023-01-01", "2024-06-01", "fraud"),
            ("gus", "2023-01-01", "2024-02-10", "fraud"),
        )
    }
    kept = {"dan": False, "eve": False, "fay": False}
    every = ChurnDefinition("subscription_ended", horizon_days=28, activity_days=56)
    assert outcomes(every, tables) == {"ann": True, "bob": True, "cid": True, **kept}
    voluntary = ChurnDefinition("subscription_ended", horizon_days=28, activity_days=56, ends="voluntary")
    assert outcomes(voluntary, tables) == {"bob": True, "cid": True, **kept}
    involuntary = ChurnDefinition("subscription_ended", horizon_days=28, activity_days=56, ends="involuntary")
    assert outcomes(involuntary, tables) == {"ann": True, **kept}
    own_reasons = ChurnDefinition(
        "subscription_ended",
        horizon_days=28,
        activity_days=56,
        ends="involuntary",
        involuntary_reasons=("Too Expensive",),
    )
    assert outcomes(own_reasons, tables) == {"bob": True, **kept}


def test_the_last_end_of_two_contracts_tells_how_a_customer_left():
    tables = {
        "subscriptions": contracts(
            ("ann", "2023-01-01", "2024-03-05", "fraud"), ("ann", "2023-06-01", "2024-03-10", "moved away")
        )
    }
    voluntary = ChurnDefinition("subscription_ended", horizon_days=28, activity_days=56, ends="voluntary")
    assert outcomes(voluntary, tables) == {"ann": True}


def test_the_absence_of_a_kind_of_event_or_of_rows_is_asked_of_those_who_had_one_lately():
    def event(number: int, customer: str | None, kind: str, day: str) -> dict:
        base = {"event_id": f"e{number}", "kind": kind, "occurred_at": f"{day}T00:00:00Z", "item_id": "milk"}
        return {**base, "customer_id": customer, "session_id": "s"}

    tables = {
        "interactions": table(
            "interactions",
            event(1, "ann", "view", "2024-02-20"),
            event(2, "ann", "cart_add", "2024-03-05"),
            event(3, "bob", "view", "2024-02-20"),
            event(4, "bob", "view", "2024-03-05"),
            event(5, "cid", "cart_add", "2024-02-20"),
            event(6, None, "view", "2024-02-20"),
        )
    }
    views = ChurnDefinition("no_event", horizon_days=14, activity_days=56, event_kind="view")
    assert outcomes(views, tables) == {"ann": True, "bob": False}
    any_row = ChurnDefinition("no_rows", horizon_days=14, activity_days=56, event_table="interactions")
    assert outcomes(any_row, tables) == {"ann": False, "bob": False, "cid": True}


def test_no_order_may_be_asked_of_those_with_a_running_subscription():
    tables = {
        "order_lines": lines(("ann", "2024-03-05", 5.0), ("cid", "2024-02-20", 5.0)),
        "subscriptions": contracts(("ann", "2023-01-01", None, None), ("bob", "2023-01-01", None, None)),
    }
    asked = ChurnDefinition("no_order", horizon_days=28, activity_days=56, asked_of="running_subscription")
    assert outcomes(asked, tables) == {"ann": False, "bob": True}
    assert asked.tables == ("subscriptions", "order_lines")


def test_a_definition_says_in_words_whom_it_asks_about_what():
    drop = ChurnDefinition("spend_drop", horizon_days=28, activity_days=56, drop_share=0.4)
    assert drop.population_name == "an order in the 56 days before, and spend in the 28 days before"
    assert drop.outcome_name == "over 40% less spend than in the 28 days before"
    views = ChurnDefinition("no_event", horizon_days=14, activity_days=56, event_kind="view")
    assert (views.population_name, views.outcome_name) == ("a view in the 56 days before", "without a view for 14 days")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"outcome": "gone"}, "outcome is 'gone'; it must be one of no_order, spend_drop"),
        ({"horizon_days": 0}, "horizon_days is 0; it must be a whole number from 1"),
        ({"activity_days": 1.5}, "activity_days is 1.5"),
        ({"asked_of": "everybody"}, "asked_of is 'everybody'; it must be one of recent_order"),
        ({"asked_of": "recent_event"}, "goes with no_event and no_rows only"),
        ({"drop_share": 50}, "drop_share is 50; it must be a number between 0 and 1"),
        ({"ends": "voluntary"}, "ends is 'voluntary', which goes with subscription_ended only"),
        ({"outcome": "subscription_ended", "ends": "none"}, "ends is 'none'; it must be one of all, voluntary"),
        ({"involuntary_reasons": "fraud"}, "involuntary_reasons is 'fraud'; give a list of texts"),
        ({"outcome": "no_event"}, "no_event needs the kind of interaction"),
        ({"event_kind": "view"}, "event_kind is 'view', which goes with no_event only"),
        ({"outcome": "no_rows", "event_table": "items"}, "event_table is 'items'; it must be one of order_lines"),
        ({"name": "My churn"}, "its name must be a lower-case word"),
    ],
)
def test_a_definition_that_cannot_be_asked_is_refused_with_the_cure(given, said):
    with pytest.raises(SettingError, match=said):
        ChurnDefinition(**{"outcome": "no_order", "horizon_days": 28, "activity_days": 56, **given})
