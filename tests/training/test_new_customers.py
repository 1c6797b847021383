"""A new customer's list gets better with all that becomes known: attributes that tell, a session, a first order."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recommender.bundle import PROFILE, ModelBundle
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


def rows(*, attributes_tell: bool = True) -> dict[str, list[dict[str, Any]]]:
    """Everybody orders six times, two items of the own taste and sometimes milk, and browses once.

    The region is part of the taste; where attributes do not tell, the customers row names a region drawn by lot.
    """
    rng = rng_for(0, "new customers")
    lines, interactions = [], []
    for number in range(CUSTOMERS):
        own = items_of(*taste_of(number))
        interactions += viewed(number, list(rng.permutation(own)[:4]))
        for visit in range(6):
            chosen = [*rng.permutation(own)[:2], *(["milk"] if rng.random() < 0.4 else [])]
            lines += [order(number, item, 2 + number % 9 + 14 * visit) for item in chosen]
    every = ["milk", *(item for number in range(REGIONS * TASTES) for item in items_of(*taste_of(number)))]
    drawn = rng_for(0, "regions").integers(REGIONS, size=CUSTOMERS + NEWCOMERS)
    customers = [
        {"customer_id": f"c{number}", "region": f"region {taste_of(number)[0] if attributes_tell else drawn[number]}"}
        for number in range(CUSTOMERS + NEWCOMERS)
    ]
    return {
        "items": [{"item_id": item, "title": item} for item in every],
        "customers": customers,
        "order_lines": lines,
        "interactions": interactions,
    }


def opened(home: Path, tables: dict[str, list[dict[str, Any]]], **settings: Any) -> tuple[EventStore, ModelBundle]:
    """A store with the tables, and a bundle trained on them."""
    store = open_event_store(f"sqlite:///{home / 'store.sqlite'}", clock=lambda: END)
    history = History.create(home / "history", buckets=1)
    for name, found in tables.items():
        store.append_rows(name, found)
        history.add(name, validate_frame(TABLES[name], pd.DataFrame(found), now=END).rows)
    asked = replace(read_settings(generators=[], panel_cutoffs=1), **settings)
    return store, train(history, asked, as_of=END, seed=0, steps=silent).bundle


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory):
    """A store with everything, and a bundle trained on it; of the newcomers there are only attributes."""
    store, bundle = opened(tmp_path_factory.mktemp("newcomers"), rows())
    yield store, bundle
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


def test_attributes_that_tell_nothing_leave_a_new_customer_with_what_is_popular_and_say_so(tmp_path):
    store, bundle = opened(tmp_path, rows(attributes_tell=False), recommenders={"popularity": {}})
    with closing(store):
        assert PROFILE not in bundle.models
        assert bundle.facts["answers"]["profile"]["shipped"] == "popularity"
        known, nobody = (
            recommend(store, bundle, ListRequest(who, limit=LIST), END) for who in (f"c{CUSTOMERS}", "nobody")
        )
    assert (known.customer_known, nobody.customer_known) == (True, False)
    assert (known.fallback, nobody.fallback) == ("popular_items", "popular_items")
    assert [one.item_id for one in known.items] == [one.item_id for one in nobody.items]
