"""Moves between lifecycle states, counted by hand, and never from what came later."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from recommender.retention.definitions import NO_ORDER, SUBSCRIPTION_ENDED, ChurnDefinition
from recommender.retention.segments import STATES
from recommender.retention.transitions import (
    MONTHS_AT_MOST,
    ORIGINS,
    STATE_TABLES,
    month_by_month,
    month_cutoffs,
    transition_facts,
)
from recommender.tables import as_of

JANUARY, APRIL = datetime(2024, 1, 10, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC)
BY_ORDERS = ChurnDefinition(NO_ORDER, 28, 28)


def frame(table: str, *rows: tuple[object, ...]) -> pd.DataFrame:
    """Rows of the columns that states are told from."""
    columns = STATE_TABLES[table].columns
    return pd.DataFrame(
        {
            column.name: pd.Series([row[place] for row in rows], dtype="object" if not rows else None).astype(
                column.dtype
            )
            for place, column in enumerate(columns)
        }
    )


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


SHOP = {
    "customers": frame("customers", ("eve", at("2024-01-02")), ("dan", at("2024-02-15"))),
    "order_lines": frame(
        "order_lines",
        ("ann", "1", at("2024-01-10"), 1.0),
        ("bob", "2", at("2024-01-20"), 1.0),
        ("bob", "3", at("2024-02-20"), 1.0),
        ("dan", "4", at("2024-03-05"), 1.0),
    ),
    "subscriptions": frame("subscriptions"),
}


def moved(counts, origin: str, state: str) -> int:
    return int(counts[ORIGINS.index(origin), STATES.index(state)])


def test_months_begin_after_the_first_event_and_end_with_the_history():
    assert month_cutoffs(JANUARY, APRIL) == [datetime(2024, month, 1, tzinfo=UTC) for month in (2, 3, 4)]
    assert month_cutoffs(JANUARY, datetime(2024, 1, 31, tzinfo=UTC)) == []
    late = month_cutoffs(datetime(2010, 12, 1, tzinfo=UTC), APRIL)
    assert (len(late), late[0], late[-1]) == (MONTHS_AT_MOST, datetime(2023, 4, 1, tzinfo=UTC), APRIL)


def test_everybody_moves_once_a_month():
    february, march, april = month_by_month(SHOP, month_cutoffs(JANUARY, APRIL), BY_ORDERS)
    assert (moved(february, "unknown", "new"), moved(february, "unknown", "prospect")) == (2, 1)
    assert february.sum() == 3
    # ann lapsed, bob came back after 31 days of silence, eve only signed up, dan came and has not ordered
    assert moved(march, "new", "lapsed") == moved(march, "new", "won_back") == 1
    assert moved(march, "prospect", "prospect") == moved(march, "unknown", "prospect") == 1
    # bob's last order is 41 days old
    assert moved(april, "lapsed", "lapsed") == moved(april, "won_back", "lapsed") == 1
    assert moved(april, "prospect", "new") == moved(april, "prospect", "prospect") == 1
    assert march.sum() == april.sum() == 4


def test_later_rows_change_no_earlier_state():
    cutoffs = month_cutoffs(JANUARY, APRIL)
    earlier = {name: as_of(STATE_TABLES[name], rows, cutoffs[1]) for name, rows in SHOP.items()}
    whole, cut = (month_by_month(tables, cutoffs[:2], BY_ORDERS) for tables in (SHOP, earlier))
    assert (whole == cut).all()


def test_a_subscription_that_ends_later_still_runs():
    definition = ChurnDefinition(SUBSCRIPTION_ENDED, 28, 28)
    contract = frame("subscriptions", ("ann", at("2024-01-10"), at("2024-03-20"), 9.0))
    shop = {**SHOP, "customers": frame("customers"), "order_lines": frame("order_lines"), "subscriptions": contract}
    february, march, april = month_by_month(shop, month_cutoffs(JANUARY, APRIL), definition)
    assert moved(february, "unknown", "new") == moved(march, "new", "active") == moved(april, "active", "lapsed") == 1


def test_the_facts_hold_the_states_and_the_moves_between_them():
    cutoffs = month_cutoffs(JANUARY, APRIL)
    facts = transition_facts(month_by_month(SHOP, cutoffs, BY_ORDERS), cutoffs, BY_ORDERS)
    assert (facts["told_by"], facts["activity_days"]) == ("orders", 28)
    assert [one["at"] for one in facts["states"]] == [f"2024-0{month}-01T00:00:00Z" for month in (2, 3, 4)]
    assert facts["states"][-1]["customers"] == {
        **dict.fromkeys(STATES, 0),
        "lapsed": 2,
        "new": 1,
        "prospect": 1,
    }
    last = facts["transitions"][-1]
    assert (last["from_at"], last["to_at"]) == ("2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z")
    assert last["customers"]["won_back"]["lapsed"] == 1


def test_a_shop_without_history_has_no_moves():
    empty = {name: frame(name) for name in STATE_TABLES}
    assert month_by_month(empty, [], BY_ORDERS).shape == (0, len(ORIGINS), len(STATES))
    assert month_by_month(empty, [APRIL], BY_ORDERS).sum() == 0
