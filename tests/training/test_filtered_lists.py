"""Filters in a catalogue that is larger than what a list looks through: what passes is found wherever it stands."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.list_answers import recommend
from recommender.list_requests import ListRequest
from recommender.strategies import FILTERED_DEPTH
from recommender.touchpoints import TABLES
from tests.training.item_shop import END, item_bundle, line

NOW = END + timedelta(days=1)
# Nobody bought these, and their ids stand behind all others: no list of the best reaches them.
RARE = {"zz1": {"attributes": {"size": "M"}}, "zz2": {"attributes": {"size": "L"}}, "zz3": {"is_available": False}}
ITEMS = [
    *(
        {"item_id": f"a{number:04}", "title": f"Thing {number}", "brand": "Own", "category": "things"}
        for number in range(FILTERED_DEPTH + 50)
    ),
    *({"item_id": item_id, "title": item_id, "brand": "Rare", **row} for item_id, row in RARE.items()),
]
LINES = [line(f"c{customer}", f"a{item:04}", 5.0 + customer) for customer in range(8) for item in range(customer, 9)]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    history = History.create(tmp_path_factory.mktemp("large"), buckets=1)
    for name, rows in (("items", ITEMS), ("order_lines", LINES)):
        history.add(name, validate_frame(TABLES[name], pd.DataFrame(rows), now=NOW).rows)
    return item_bundle(history)


@pytest.fixture
def ask(store, bundle):
    """The list of a request over a store of each kind."""
    store.append_rows("items", ITEMS)
    store.append_rows("order_lines", LINES)
    return lambda customer_id, text, **asked: recommend(
        store, bundle, ListRequest(customer_id, filter=text, **asked), NOW
    )


def ids(answer):
    return [item.item_id for item in answer.items]


def test_the_best_candidates_do_not_reach_what_passes(bundle):
    reached = bundle.popular.positions[0].tolist()
    assert not {bundle.items.position(item_id) for item_id in RARE} & set(reached)


def test_a_stranger_gets_all_that_passes_and_can_be_sold_labelled_as_everybody_s_list(ask):
    answer = ask(None, 'brand = "Rare"')
    assert (sorted(ids(answer)), answer.fallback, answer.warnings) == (["zz1", "zz2"], "popular_items", ())
    assert {item.reasons[0].code for item in answer.items} == {"passes_filter"}


def test_a_customer_gets_all_that_passes_as_the_own_list(ask):
    answer = ask("c1", 'brand = "Rare" or title = "Thing 3"')
    assert (answer.fallback, answer.warnings) == (None, ())
    assert [item.strategy for item in answer.items] == ["for_you"] * 3
    assert ids(answer)[0] == "a0003"
    assert [item.reasons[0].code for item in answer.items] == ["bought_before", "passes_filter", "passes_filter"]
    assert set(ids(ask("c1", 'brand = "Rare"', placement="discover"))) == {"zz1", "zz2"}


def test_what_passes_for_the_customer_alone_is_found(ask):
    assert ids(ask("c1", "attributes.size is not missing and attributes.size != customer.region")) == ["zz1", "zz2"]
    assert ids(ask("c1", 'not (brand != "Rare" or attributes.size = "M")')) == ["zz2"]


def test_where_nothing_passes_the_list_is_empty_and_says_why(ask):
    answer = ask("c1", 'brand = "rare"')
    assert answer.items == ()
    assert "passes the filter; widen it" in answer.warnings[-1]
