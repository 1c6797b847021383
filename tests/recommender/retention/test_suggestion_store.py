"""Whom the treatments were first meant for, on both databases."""

from __future__ import annotations

from datetime import timedelta

from recommender.customer_answers import MAIN_DEFINITION
from recommender.event_store import EventStore
from recommender.retention import suggestion_store
from recommender.retention.suggestion_store import first_suggestions, record_suggestions
from recommender.retention.treatments import TreatmentPolicy
from recommender.score_store import ScoreStore
from tests.conftest import NOW
from tests.recommender.test_score_store import AS_OF, score

POLICY = TreatmentPolicy(holdout_share=0.1)


def scored(store: EventStore, days: int, *rows, policy: TreatmentPolicy = POLICY) -> None:
    """A scoring of ``(customer, suggested treatment, held out)`` some days later."""
    as_of = AS_OF + timedelta(days=days)
    told = [
        score(who, 0.6, as_of=as_of, suggested_treatment=name, treatment=None if held else name, is_holdout=held)
        for who, name, held in rows
    ]
    ScoreStore(store.engine).replace_all(told)
    record_suggestions(store.engine, policy)


def found(store: EventStore, *, days: int = 100, experiment: str = POLICY.experiment) -> list:
    kept = first_suggestions(store.engine, MAIN_DEFINITION, experiment, before=AS_OF + timedelta(days=days))
    return [(one.customer_id, one.treatment, (one.as_of - AS_OF).days, one.is_holdout) for one in kept]


def test_the_first_suggestion_of_each_treatment_stands_also_for_who_is_held_out(store):
    scored(store, 0, ("ann", "content", False), ("bob", None, True), ("cid", None, False))
    scored(store, 7, ("ann", "content", False), ("bob", "offer", True), ("cid", None, False))
    scored(store, 9, ("ann", "offer", False), ("bob", "offer", True), ("cid", None, False))
    assert found(store) == [("ann", "content", 0, False), ("ann", "offer", 9, False), ("bob", "offer", 7, True)]
    assert found(store, days=9) == [("ann", "content", 0, False), ("bob", "offer", 7, True)]


def test_another_experiment_begins_anew_and_another_share_does_not(store):
    scored(store, 0, ("ann", "offer", False))
    scored(store, 1, ("ann", "offer", True), policy=TreatmentPolicy(holdout_share=0.5))
    scored(store, 2, ("ann", "offer", True), policy=TreatmentPolicy(experiment="autumn"))
    assert found(store) == [("ann", "offer", 0, False)]
    assert found(store, experiment="autumn") == [("ann", "offer", 2, True)]
    (kept,) = first_suggestions(store.engine, MAIN_DEFINITION, POLICY.experiment, before=NOW)
    assert kept.holdout_share == 0.1


def test_many_customers_are_recorded_in_portions(store, monkeypatch):
    monkeypatch.setattr(suggestion_store, "CHUNK_ROWS", 3)
    people = [(f"c{number}", "offer", False) for number in range(7)]
    scored(store, 0, *people)
    scored(store, 1, *people)
    assert found(store) == [(who, "offer", 0, False) for who, *_ in people]


def test_who_is_erased_is_compared_no_more(store):
    scored(store, 0, ("ann", "offer", False), ("bob", "offer", False))
    assert store.erase("ann")["treatment_suggestions"] == 1
    assert found(store) == [("bob", "offer", 0, False)]
