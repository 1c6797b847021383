"""A new customer's list gets better with all that becomes known: attributes, then a session, then a first order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recommender.event_store import EventStore, open_event_store
from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.list_answers import recommend
from recommender.list_requests import ListRequest, RecentEvent
from recommender.metrics import paired_interval
from recommender.periods import instant
from recommender.randomness import rng_for
from recommender.touchpoints import TABLES
from training.pipeline import train
from training.progress import silent
from training.settings import read_settings

END = instant("2024-03-01")
REGIONS, TASTES, CUSTOMERS, NEWCOMERS, LIST = 2, 3, 240, 60, 4
# Of each taste in each region; everybody buys milk, too.
ITEMS = 5


def taste_of(number: int) -> tuple[int, int]:
    return number % REGIONS, number // REGIONS % TASTES


def items_of(region: int, taste: int) -> list[str]:
    return [f"r{region}t{taste}i{item}" for item in range(ITEMS)]


def order(number: int, item_id: str, days_ago: float) -> dict[str, Any]:
    at = END - timedelta(days=days_ago)
    return {"order_id": f"c{number}-{days_ago}", "customer_id": f"c{number}", "item_id": item_id, "ordered_at": at}


def viewed(number: int, items: list[str]) -> list[dict[str, Any]]:
    """A session in which a customer looks at some items, one a minute."""
    at = END - timedelta(days=40)
    return [
        {"event_id": f"v{number}-{item}", "kind": "view", "occurred_at": at + timedelta(minutes=minute),
         "session_id": f"s{number}", "customer_id": f"c{number}", "item_id": item}
        for minute, item in enumerate(items)
    ]  # fmt: skip


def rows() -> dict[str, list[dict[str, Any]]]:
    """Everybody orders six times, two items of the own taste and sometimes milk, and browses once."""
    rng = rng_for(0, "new customers")
    lines, interactions = [], []
    for number in range(CUSTOMERS):
        own = items_of(*taste_of(number))
        interactions += viewed(number, list(rng.permutation(own)[:4]))
        for visit in range(6):
            chosen = [*rng.permutation(own)[:2], *(["milk"] if rng.random() < 0.4 else [])]
            lines += [order(number, item, 2 + number % 9 + 14 * visit) for item in chosen]
    every = ["milk", *(item for number in range(REGIONS * TASTES) for item in items_of(*taste_of(number)))]
    customers = [
        {"customer_id": f"c{number}", "region": f"region {taste_of(number)[0]}"}
        for number in range(CUSTOMERS + NEWCOMERS)
    ]
    return {
        "items": [{"item_id": item, "title": item} for item in every],
        "customers": customers,
        "order_lines": lines,
        "interactions": interactions,
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory):
    """A store with everything, and a bundle trained on it; of the newcomers there are only attributes."""
    home = tmp_path_factory.mktemp("newcomers")
    store = open_event_store(f"sqlite:///{home / 'store.sqlite'}", clock=lambda: END)
    history = History.create(home / "history", buckets=1)
    for name, found in rows().items():
        store.append_rows(name, found)
        history.add(name, validate_frame(TABLES[name], pd.DataFrame(found), now=END).rows)
    settings = read_settings(generators=[], panel_cutoffs=1)
    yield store, train(history, settings, as_of=END, seed=0, steps=silent).bundle
    store.close()


def share_of_taste(store: EventStore, bundle, **known: Any) -> np.ndarray:
    """For each newcomer the share of the list that is of the own region and taste."""
    shares = []
    for number in range(CUSTOMERS, CUSTOMERS + NEWCOMERS):
        own = set(items_of(*taste_of(number)))
        who = known.get("who", "c{}").format(number)
        seen = sorted(own)[: known.get("seen", 0)]
        recent = tuple(RecentEvent(item, known.get("kind", "view"), END) for item in seen)
        request = ListRequest(who, placement=known.get("placement", "home"), limit=LIST, recent_events=recent)
        listed = {one.item_id for one in recommend(store, bundle, request, END).items}
        shares.append(len(listed & own) / LIST)
    return np.array(shares)


def test_each_thing_that_becomes_known_makes_a_new_customers_list_better_than_popularity(shop):
    store, bundle = shop
    popular = share_of_taste(store, bundle, who="nobody {}")
    steps = {
        "attributes": share_of_taste(store, bundle),
        "session": share_of_taste(store, bundle, who="nobody {}", placement="session", seen=1),
        "first order": share_of_taste(store, bundle, placement="discover", seen=2, kind="order"),
    }
    for name, shares in steps.items():
        gain = paired_interval(shares, popular, seed=0)
        assert gain.low > 0, (name, gain)
    assert steps["session"].mean() > steps["attributes"].mean()
