"""Pages of a list that are claimed at once, on each kind of database."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from recommender.kept_requests import (
    VALID_FOR,
    KeptRequest,
    age_of,
    claim_page,
    keep_requests,
    new_recommendation_id,
    shown_list,
)
from recommender.list_requests import ListRequest
from tests.conftest import NOW

SHOWN = NOW - timedelta(minutes=1)
REQUEST = ListRequest("ann", placement="home", limit=2)


def page(first_rank: int, *item_ids: str) -> list[dict[str, object]]:
    return [
        {"recommendation_id": "r1", "rank": rank, "shown_at": SHOWN, "customer_id": "ann", "item_id": item_id}
        for rank, item_id in enumerate(item_ids, first_rank)
    ]


@pytest.fixture
def listed(store):
    """A store in which one page of a list was shown."""
    store.append_rows("impressions", page(1, "tea", "milk"))
    keep_requests(store, [KeptRequest("r1", NOW, REQUEST)])
    return store


def shown(store):
    found = shown_list(store, "r1", NOW)
    return (*found.item_ids, found.next_rank)


def test_of_two_pages_of_one_state_the_first_is_recorded_and_the_other_one_not_at_all(listed):
    assert claim_page(listed, page(3, "bun")).accepted == 1
    assert claim_page(listed, page(3, "rice", "salt")) is None
    assert claim_page(listed, page(3, "bun")) is None
    assert shown(listed) == ("tea", "milk", "bun", 4)
    assert claim_page(listed, page(4, "rice", "salt")).accepted == 2
    assert shown(listed) == ("tea", "milk", "bun", "rice", "salt", 6)


def test_of_pages_claimed_at_the_same_time_one_is_recorded(listed):
    pages = [page(3, *(f"{number}-{place}" for place in range(1 + number % 3))) for number in range(8)]
    with ThreadPoolExecutor(8) as workers:
        won = [one for one in workers.map(lambda one: claim_page(listed, one), pages) if one is not None]
    assert len(won) == 1
    assert shown(listed)[-1] == 3 + won[0].accepted


def test_a_row_that_the_store_refuses_does_not_look_like_a_taken_rank(listed):
    result = claim_page(listed, page(3, "x" * 257, "bun"))
    assert (result.accepted, [one.column for one in result.rejections]) == (1, ["item_id"])


def test_a_kept_request_can_be_continued_for_half_an_hour(listed):
    assert shown_list(listed, "r1", NOW + VALID_FOR).kept.request == REQUEST
    assert shown_list(listed, "r1", NOW + VALID_FOR + timedelta(microseconds=1)) is None
    later = NOW + VALID_FOR + timedelta(seconds=1)
    keep_requests(listed, [KeptRequest("r2", later, REQUEST)])
    assert shown_list(listed, "r1", NOW) is None


def test_of_an_erased_customer_no_request_is_kept_and_those_of_others_are(listed):
    (shown,) = page(1, "tea")
    listed.append_rows("impressions", [{**shown, "recommendation_id": "r2", "customer_id": "bob"}])
    keep_requests(listed, [KeptRequest("r2", NOW, replace(REQUEST, customer_id="bob"))])
    listed.erase("ann")
    assert shown_list(listed, "r1", NOW) is None
    assert shown_list(listed, "r2", NOW).kept.request.customer_id == "bob"


def test_an_id_tells_when_it_was_made_and_is_no_other_list_s():
    made = [new_recommendation_id(NOW) for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert {age_of(one, NOW + timedelta(milliseconds=1_500)) for one in made} == {timedelta(seconds=1.5)}
    assert age_of(made[0], NOW - timedelta(seconds=1)) == timedelta(seconds=-1)
    assert (uuid.UUID(made[0]).version, uuid.UUID(made[0]).variant) == (7, uuid.RFC_4122)


@pytest.mark.parametrize("text", ["", "no-such-list", uuid.UUID(int=4, version=4).hex, "f" * 32, "\x00"])
def test_what_is_no_such_id_tells_no_instant(text):
    assert age_of(text, NOW) is None


def test_an_id_from_beyond_the_calendar_lies_in_the_future():
    assert age_of("f" * 12 + "7000" + "8" * 16, NOW) < timedelta(days=-365 * 8_000)
