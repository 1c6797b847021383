"""Scores tell the consent to marketing that the store holds now, however it came there; on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from recommender.customer_answers import RiskFilter
from recommender.event_store import EventStore
from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore
from tests.recommender.test_score_store import ids, score

LISTED = RiskFilter(consent_marketing=True)


@pytest.fixture
def scores(store: EventStore) -> ScoreStore:
    return ScoreStore(store.engine)


def customer(customer_id: str, consent: bool) -> dict[str, object]:
    return {"customer_id": customer_id, "consent_marketing": consent}


def test_a_consent_withdrawn_and_given_again_counts_from_the_next_look(store: EventStore, scores: ScoreStore) -> None:
    scores.replace_all([score("ann", 0.5), score("bob", 0.5, definition="slow"), score("bob", 0.25)])
    for consent, expected in ((False, ["ann"]), (True, ["ann", "bob"]), (False, ["ann"])):
        store.upsert("customers", customer("bob", consent))
        assert ids(scores.page(LISTED)[0]) == expected
        assert [row.consent_marketing for row in (scores.get("bob"), scores.get("bob", "slow")) if row] == [consent] * 2


def test_a_refusal_that_is_ingested_counts_at_once(store: EventStore, scores: ScoreStore) -> None:
    scores.replace_all([score("ann", 0.5), score("bob", 0.5)])
    store.append_rows("customers", [customer("ann", False), customer("bob", True)])
    assert ids(scores.page(LISTED)[0]) == ["bob"]


def test_a_scoring_from_older_rows_takes_over_what_the_store_holds(store: EventStore, scores: ScoreStore) -> None:
    store.append_rows("customers", [customer("ann", False), customer("bob", True)])
    scores.replace_all([score("ann", 0.5), score("bob", 0.5, consent_marketing=False), score("cy", 0.5)])
    assert ids(scores.page(LISTED)[0]) == ["bob", "cy"]


def test_a_consent_withdrawn_while_the_scores_are_made_counts(store: EventStore, scores: ScoreStore) -> None:
    def rows() -> Iterator[ScoreRow]:
        yield score("ann", 0.5)
        store.upsert("customers", customer("ann", False))
        yield score("bob", 0.5)

    scores.replace_all(rows())
    assert ids(scores.page(LISTED)[0]) == ["bob"]
