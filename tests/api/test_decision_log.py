from collections import Counter
from dataclasses import replace
from datetime import timedelta

from api.decision_log import Decision, DecisionLog
from recommender.answers import ItemReason, Recommendations, RecommendedItem
from tests.conftest import NOW

REASON = (ItemReason("popular", "Bought by many"),)
SHOWN = NOW - timedelta(minutes=1)


def decision(recommendation_id, *, known=True, item_ids=("tea", "milk")):
    items = tuple(RecommendedItem(item_id, rank, 1.0, "popular", REASON) for rank, item_id in enumerate(item_ids, 1))
    return Decision(
        Recommendations(recommendation_id, "ann", known, "home", "popular", None, "v1", NOW, NOW, items), SHOWN
    )


def logged(store, *decisions, capacity=100):
    counted = Counter()
    log = DecisionLog(store, lambda outcome, count: counted.update({outcome: count}), capacity=capacity)
    for one in decisions:
        log.add(one)
    log.close()
    return counted


def test_every_item_of_a_decision_becomes_an_impression(lasting_store):
    assert logged(lasting_store, decision("r1")) == {"written": 1}
    rows = lasting_store.rows_of_customer("impressions", "ann", before=NOW)
    assert [(row["recommendation_id"], row["rank"], row["item_id"]) for row in rows] == [
        ("r1", 1, "tea"),
        ("r1", 2, "milk"),
    ]
    assert {(row["shown_at"], row["placement"], row["model_version"], row["propensity"]) for row in rows} == {
        (SHOWN, "home", "v1", 1.0)
    }


def test_asking_for_an_unknown_customer_does_not_make_the_customer_known(sqlite_store):
    assert logged(sqlite_store, decision("r1", known=False)) == {"written": 1}
    assert not sqlite_store.profile("ann").known
    assert sqlite_store.counts()["impressions"] == 2


def test_closing_writes_what_is_waiting(sqlite_store):
    assert logged(sqlite_store, *(decision(f"r{number}") for number in range(50))) == {"written": 50}
    assert sqlite_store.counts()["impressions"] == 100


def test_what_the_queue_cannot_hold_is_dropped_and_counted(sqlite_store):
    counted = logged(sqlite_store, *(decision(f"r{number}") for number in range(2_000)), capacity=1)
    assert counted["dropped"] > 0
    assert counted["dropped"] + counted["written"] == 2_000


def test_a_decision_that_the_store_refuses_is_counted_as_rejected(sqlite_store):
    assert logged(sqlite_store, decision("r1", item_ids=("x" * 257, "milk")), decision("r2")) == {
        "written": 1,
        "rejected": 1,
    }


def test_while_the_store_is_gone_decisions_are_dropped_and_requests_go_on(sqlite_store, tmp_path):
    counted = Counter()
    log = DecisionLog(sqlite_store, lambda outcome, count: counted.update({outcome: count}))
    (tmp_path / "store.db").unlink()
    log.add(decision("r1"))
    log.add(decision("r2"))
    log.close()
    assert counted == {"dropped": 2}


def test_a_next_page_is_written_before_it_is_answered_and_only_once(sqlite_store):
    counted = Counter()
    log = DecisionLog(sqlite_store, lambda outcome, count: counted.update({outcome: count}))
    assert [log.write_page(decision("r1")) for _ in range(2)] == [True, False]
    assert log.write_page(decision("r1", item_ids=()))
    assert sqlite_store.counts()["impressions"] == 2
    log.close()
    assert counted == {"written": 2}


def test_a_bug_costs_the_decisions_it_met_and_no_later_ones(sqlite_store):
    counted = Counter()
    log = DecisionLog(sqlite_store, lambda outcome, count: counted.update({outcome: count}))
    log.add(replace(decision("r1"), answer=None))
    while not counted:
        pass
    log.add(decision("r2"))
    log.close()
    assert counted == {"dropped": 1, "written": 1}


def test_a_customer_erased_while_a_decision_waited_is_not_brought_back(sqlite_store):
    for customer_id in ("ann", "bob"):
        sqlite_store.upsert("customers", {"customer_id": customer_id})
    log = DecisionLog(sqlite_store, lambda outcome, count: None)
    for number, customer_id in enumerate(("ann", "bob", "cat")):
        log.add(replace(decision(f"r{number}"), answer=replace(decision(f"r{number}").answer, customer_id=customer_id)))
    sqlite_store.erase("ann")
    sqlite_store.upsert("customers", {"customer_id": "bob", "consent_personalization": False})
    log.close()
    assert not sqlite_store.profile("ann").known
    assert sqlite_store.counts()["impressions"] == 6
    assert sqlite_store.erase("bob")["impressions"] == 2
