"""What earlier scorings said, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from recommender import score_history
from recommender.customer_answers import BandMove, ScorePoint
from recommender.errors import SettingError
from recommender.event_store import EventStore
from recommender.score_history import ScoreHistory, kept
from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore
from recommender.store_schema import SCORE_HISTORY
from tests.recommender.test_score_store import score

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def row(customer_id: str, probability: float | None, as_of: datetime, **more: object) -> ScoreRow:
    band = None if probability is None else "high" if probability >= 0.5 else "low"
    return replace(score(customer_id, probability, **{"band": band, **more}), as_of=as_of)


@pytest.fixture
def scores(store: EventStore) -> ScoreStore:
    return ScoreStore(store.engine)


@pytest.fixture
def history(store: EventStore) -> ScoreHistory:
    return ScoreHistory(store.engine)


def test_each_scoring_adds_a_point_for_whom_it_has_a_probability(scores: ScoreStore, history: ScoreHistory) -> None:
    scores.replace_all([row("ann", 0.25, FIRST), row("bob", None, FIRST)])
    scores.replace_all([row("ann", 0.75, FIRST + DAY), row("ann", 0.5, FIRST + DAY, definition="slow")])
    assert history.of_customer("ann") == (ScorePoint(FIRST, 0.25, "low"), ScorePoint(FIRST + DAY, 0.75, "high"))
    assert history.of_customer("ann", "slow") == (ScorePoint(FIRST + DAY, 0.5, "high"),)
    assert [history.of_customer(one) for one in ("bob", "nobody", "a\x00")] == [(), (), ()]


def test_scoring_twice_as_of_one_instant_leaves_the_second(scores: ScoreStore, history: ScoreHistory) -> None:
    scores.replace_all([row("ann", 0.25, FIRST), row("bob", 0.75, FIRST)])
    scores.replace_all([row("ann", 0.5, FIRST)])
    assert history.of_customer("ann") == (ScorePoint(FIRST, 0.5, "high"),)
    assert history.of_customer("bob") == ()


def test_a_long_scoring_is_copied_in_parts(
    scores: ScoreStore, history: ScoreHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_history, "CHUNK_ROWS", 2)
    for _ in range(2):
        scores.replace_all([row(f"c{number}", 0.5, FIRST) for number in range(5)])
    assert [len(history.of_customer(f"c{number}")) for number in range(5)] == [1] * 5


def test_the_history_tells_what_was_suggested_to_who_is_held_out(store: EventStore, scores: ScoreStore) -> None:
    scores.replace_all([row("ann", 0.5, FIRST, suggested_treatment="call", is_holdout=True)])
    with store.engine.connect() as connection:
        told = connection.execute(sa.select(SCORE_HISTORY.c.treatment, SCORE_HISTORY.c.is_holdout)).one()
    assert tuple(told) == ("call", True)


def test_the_history_goes_with_the_customer(store: EventStore, scores: ScoreStore, history: ScoreHistory) -> None:
    scores.replace_all([row("ann", 0.25, FIRST), row("bob", 0.75, FIRST)])
    store.upsert("customers", {"customer_id": "bob", "consent_personalization": False})
    assert store.erase("ann")["score_history"] == 1
    assert history.of_customer("ann") == history.of_customer("bob") == ()


def test_every_scoring_of_a_hundred_days_is_kept_and_before_them_the_last_of_each_week() -> None:
    # 2024-03-04 is a Monday.
    monday = datetime(2024, 3, 4, tzinfo=UTC)
    days = [monday + DAY * number for number in range(500)]
    newest = days[-1]
    told = kept(days)
    assert {one for one in days if newest - one <= 100 * DAY} <= told
    older = sorted(one for one in told if newest - one > 100 * DAY)
    assert {one.weekday() for one in older} == {6}
    assert newest - older[0] <= 400 * DAY
    assert len(told) == 101 + 43
    assert kept([]) == set()


def test_what_is_too_old_is_deleted_by_the_next_scoring(scores: ScoreStore, history: ScoreHistory) -> None:
    for as_of in (FIRST, FIRST + 401 * DAY):
        scores.replace_all([row("ann", 0.5, as_of)])
    assert [point.as_of for point in history.of_customer("ann")] == [FIRST + 401 * DAY]


def test_the_scoring_at_an_instant_is_the_last_one_before(scores: ScoreStore, history: ScoreHistory) -> None:
    for as_of in (FIRST, FIRST + 7 * DAY):
        scores.replace_all([row("ann", 0.5, as_of)])
    found = [history.scoring_at(FIRST + days * DAY) for days in (0, 3, 7, 100)]
    assert found == [FIRST, FIRST, FIRST + 7 * DAY, FIRST + 7 * DAY]
    with pytest.raises(SettingError, match=r"'churn' at or before .*; the first that is kept is as of 2024-03"):
        history.scoring_at(FIRST - DAY)
    with pytest.raises(SettingError, match=r"no customer was scored by 'other' at or before .*; there is none yet"):
        history.scoring_at(FIRST, "other")


def test_moves_count_who_went_where_and_who_came_and_left(scores: ScoreStore, history: ScoreHistory) -> None:
    scores.replace_all([row("ann", 0.25, FIRST), row("bob", 0.75, FIRST), row("cy", 0.25, FIRST)])
    later = FIRST + DAY
    scores.replace_all(
        [row("ann", 0.5, later), row("cy", 0.25, later), row("dan", 0.75, later), row("bob", None, later)]
    )
    told = history.moves(FIRST)
    assert (told.definition, told.since, told.as_of) == ("churn", FIRST, later)
    assert told.moves == (
        BandMove(None, "high", 1, 0.0, 7.5),
        BandMove("high", None, 1, 7.5, 0.0),
        BandMove("low", "high", 1, 2.5, 5.0),
        BandMove("low", "low", 1, 2.5, 2.5),
    )
