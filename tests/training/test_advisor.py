"""The advisor on the trained small shop: hot, warm and cold customers and items, and what was posted since."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from recommender.advisor import Advisor
from recommender.artifact_store import ArtifactStore
from recommender.customer_answers import RiskFilter
from recommender.errors import UnknownName
from recommender.event_store import open_event_store
from recommender.list_requests import ListRequest
from recommender.live_history import EVENTS_AT_MOST
from recommender.placement_rules import Rule
from recommender.placements import Placement
from recommender.policy_making import made_policy
from recommender.visits import Visit
from tests import small_shop
from tests.conftest import NOW
from tests.training.conftest import TrainedShop

LATER = small_shop.END + timedelta(days=1)


@pytest.fixture
def advisor(trained_shop: TrainedShop, store) -> Advisor:
    """An advisor over a store of each kind that holds the shop's customers 1 to 3 and its items."""
    for name, frame in small_shop.tables().items():
        few = frame[frame["customer_id"].isin(["c001", "c002", "c003"])] if "customer_id" in frame else frame
        store.append(name, few)
    return Advisor(store, trained_shop.artifacts, clock=lambda: NOW)


def buy(store, customer_id: str, item_id: str, order_id: str = "late") -> None:
    row = {"order_id": order_id, "item_id": item_id, "customer_id": customer_id, "ordered_at": LATER}
    assert store.append_rows("order_lines", [row]).accepted == 1


def ids(answer) -> list[str]:
    return [item.item_id for item in answer.items]


def test_a_known_customer_gets_the_slate_with_reasons_from_the_own_history(advisor):
    answer = advisor.recommend("c001", limit=3)
    assert (answer.customer_known, answer.fallback, answer.strategy) == (True, None, "for_you")
    assert ids(answer)[0] == small_shop.staple_of(1)
    assert [item.rank for item in answer.items] == [1, 2, 3]
    assert answer.items[0].reasons[0].code == "bought_before"
    assert answer.as_of == small_shop.END


def test_an_unknown_customer_gets_a_labelled_list(advisor):
    answer = advisor.recommend("who-is-this", limit=4)
    assert (answer.customer_known, answer.fallback) == (False, "popular_items")
    assert len(answer.items) == 4
    assert answer.items[0].reasons[0].text == "Customers bought this lately"


def test_a_purchase_after_training_changes_the_next_answer(advisor, store):
    before = ids(advisor.recommend("c001", placement="discover", limit=20))
    buy(store, "c001", before[0])
    assert before[0] not in ids(advisor.recommend("c001", placement="discover", limit=20))
    again = advisor.recommend("c001", placement="buy_again", limit=100)
    assert before[0] in ids(again)
    assert again.as_of == LATER


def test_what_was_bought_or_disliked_is_known_however_much_came_after_it(advisor, store):
    minutes = [small_shop.END + timedelta(minutes=place) for place in range(EVENTS_AT_MOST + 1)]
    times = pd.Series(minutes, dtype="datetime64[us, UTC]")
    numbers = [str(place) for place in range(len(times))]
    lines = {"order_id": numbers, "item_id": "a06", "customer_id": "rob", "ordered_at": times}
    views = {"event_id": numbers, "kind": "view", "item_id": "a07", "customer_id": "rob", "occurred_at": times}
    first = {"customer_id": "rob", "kind": "dislike", "event_id": "first", "occurred_at": small_shop.END}
    assert store.append_rows("interactions", [{**first, "item_id": "a08"}]).accepted == 1
    assert store.append_rows(
        "order_lines",
        [{"order_id": "first", "item_id": "a05", "customer_id": "rob", "ordered_at": small_shop.END}],
    ).accepted
    assert store.append("order_lines", pd.DataFrame(lines)).accepted == len(times)
    assert store.append("interactions", pd.DataFrame(views)).accepted == len(times)
    assert {"a05", "a06"}.isdisjoint(ids(advisor.recommend("rob", placement="discover", limit=100)))
    home = advisor.recommend("rob", limit=100)
    assert "a08" not in ids(home)
    told = {item.item_id: item.reasons[0].text for item in home.items}
    assert told["a06"].startswith(f"You bought this {len(times)} times, ")
    assert told["a05"].startswith("You bought this once, ")


def test_a_customer_who_came_after_training_is_answered_from_the_own_events(advisor, store):
    buy(store, "new-here", "a05")
    answer = advisor.recommend("new-here", limit=3)
    assert (answer.customer_known, answer.fallback) == (True, None)
    assert ids(answer)[0] == "a05"
    found = advisor.recommend("new-here", placement="discover", limit=3)
    assert {item[0] for item in ids(found)} == {"a"}
    assert found.items[0].reasons[0].evidence_item_id == "a05"


def test_taking_the_evidence_away_takes_the_reason_away(advisor, store):
    buy(store, "new-here", "a05")
    with_evidence = advisor.recommend("new-here", limit=1).items[0]
    assert with_evidence.reasons[0].evidence_item_id == "a05"
    advisor.forget("new-here")
    assert all(
        reason.evidence_item_id is None
        for item in advisor.recommend("new-here", limit=5).items
        for reason in item.reasons
    )


def test_without_consent_the_list_is_the_same_for_everybody_and_says_so(advisor, store):
    store.upsert("customers", {"customer_id": "c001", "consent_personalization": False})
    answer = advisor.recommend("c001", limit=3)
    assert ids(answer) == ids(advisor.recommend("nobody", limit=3))
    assert "not agreed" in answer.warnings[0]
    risk = advisor.churn_risk("c001")
    assert (risk.churn_probability, risk.reasons[0].code) == (None, "no_consent")


def test_however_many_cannot_be_sold_the_list_is_filled_with_the_next_best(advisor, store):
    everything = ids(advisor.recommend("c001", limit=100))
    assert len(everything) > 20
    for item_id in everything[:18]:
        store.upsert("items", {"item_id": item_id, "is_available": False})
    assert ids(advisor.recommend("c001", limit=2)) == everything[18:20]


def test_an_item_that_is_not_available_is_never_shown(advisor, store):
    staple = small_shop.staple_of(1)
    store.upsert("items", {"item_id": staple, "is_available": False})
    for placement in ("home", "buy_again"):
        assert staple not in ids(advisor.recommend("c001", placement=placement, limit=100))
    assert staple not in ids(advisor.popular_items(limit=100))


def test_an_item_whose_time_was_over_after_the_training_is_not_shown(advisor, store):
    staple = small_shop.staple_of(1)
    assert ids(advisor.recommend("c001", limit=3))[0] == staple
    store.upsert("items", {"item_id": staple, "available_until": NOW})
    assert staple not in ids(advisor.recommend("c001", limit=100))
    assert staple not in ids(advisor.popular_items(limit=100))
    store.upsert("items", {"item_id": staple, "available_until": NOW + timedelta(seconds=1)})
    assert ids(advisor.recommend("c001", limit=3))[0] == staple


def test_what_is_not_used_up_is_not_offered_to_be_bought_again(advisor, store):
    staple = small_shop.staple_of(1)
    assert staple in ids(advisor.recommend("c001", placement="buy_again", limit=100))
    store.upsert("items", {"item_id": staple, "is_replenishable": False})
    assert staple not in ids(advisor.recommend("c001", placement="buy_again", limit=100))
    assert staple in ids(advisor.recommend("c001", placement="home", limit=100))
    buy(store, "c001", staple)
    assert staple not in ids(advisor.recommend("c001", placement="buy_again", limit=100))


def test_a_filter_compares_an_item_with_who_asks_unless_the_customer_did_not_agree(advisor, store):
    for item_id, size in (("a05", "M"), ("a06", "L"), ("a07", "M")):
        store.upsert("items", {"item_id": item_id, "attributes": {"size": size}})

    def of_size(**customer):
        store.upsert("customers", {"customer_id": "c001", **customer})
        return set(ids(advisor.decide(ListRequest("c001", filter="attributes.size = customer.attributes.size"))))

    assert of_size(attributes={"size": "M"}) == {"a05", "a07"}
    assert of_size(attributes={"size": "L"}) == {"a06"}
    assert of_size() == set()
    assert of_size(attributes={"size": "M"}, consent_personalization=False) == set()


def test_a_rule_may_ask_who_is_looking(advisor, store):
    rule = Rule("hide", filter="attributes.size != customer.attributes.size")
    store.upsert("items", {"item_id": "a05", "attributes": {"size": "M"}})
    store.upsert("customers", {"customer_id": "c001", "attributes": {"size": "M"}})
    visit = Visit(store, advisor.bundle, ListRequest("c001"), NOW)
    place = Placement("kiosk", rules=(rule,))
    policy = made_policy(visit, place, visit.request, NOW, seed="s", hidden=frozenset(), is_next=False)
    rows = store.rows_by_key("items", ["a05", "a06"])
    assert [policy.may_show(one, rows[one]) for one in ("a05", "a06")] == [True, False]


def test_a_placement_that_does_not_exist_is_refused_with_those_that_do(advisor):
    with pytest.raises(UnknownName, match="no placement 'attic'; there are: best_sellers, buy_again, cart"):
        advisor.recommend("c001", placement="attic")


def test_diversity_spreads_the_list_over_categories(advisor):
    def shelves(diversity: float) -> int:
        answer = advisor.recommend("c001", limit=4, diversity=diversity, include=frozenset({"properties"}))
        return len({(item.properties or {})["category"] for item in answer.items})

    assert shelves(0.9) >= shelves(0.0)
    assert shelves(0.9) == 4


def test_similar_items_come_from_the_same_department_and_name_the_evidence(advisor):
    answer = advisor.similar_items("a10", limit=5)
    assert answer.fallback is None
    assert "a10" not in ids(answer)
    assert {item[0] for item in ids(answer)} == {"a"}
    assert answer.items[0].reasons[0].evidence_item_id == "a10"


def test_an_item_that_came_after_training_gets_popular_neighbours_labelled(advisor, store):
    store.upsert("items", {"item_id": "brand-new", "title": "New"})
    answer = advisor.similar_items("brand-new", limit=3)
    assert (answer.fallback, len(answer.items)) == ("popular_items", 3)


def test_popular_items_of_a_category_cover_those_below_it(advisor):
    answer = advisor.popular_items(limit=10, category="department b")
    assert {item[0] for item in ids(answer)} == {"b"}
    nowhere = advisor.popular_items(limit=10, category="nowhere")
    assert (nowhere.fallback, len(nowhere.items), len(nowhere.warnings)) == ("popular_items", 10, 1)


def test_a_fresh_score_equals_the_stored_one_while_nothing_happened(advisor, trained_shop):
    served = Advisor(trained_shop.store, trained_shop.artifacts, clock=lambda: NOW)
    stored, fresh = served.churn_risk("c001"), served.churn_risk("c001", fresh=True)
    assert stored.churn_probability == pytest.approx(fresh.churn_probability)
    assert [one.code for one in stored.reasons] == [one.code for one in fresh.reasons]


def test_an_order_lowers_the_fresh_risk_of_a_customer_who_was_late(trained_shop, store):
    lines = small_shop.tables()["order_lines"]
    late = lines[(lines["customer_id"] == "c001") & (lines["ordered_at"] < small_shop.END - timedelta(days=40))]
    store.append("order_lines", late)
    advisor = Advisor(store, trained_shop.artifacts, clock=lambda: NOW)
    before = advisor.churn_risk("c001", fresh=True)
    buy(store, "c001", "b01")
    after = advisor.churn_risk("c001", fresh=True)
    assert after.churn_probability < before.churn_probability
    assert after.as_of > before.as_of


def test_a_customer_who_came_after_the_scoring_is_told_so(advisor, store):
    buy(store, "new-here", "a05")
    risk = advisor.churn_risk("new-here")
    assert (risk.customer_known, risk.churn_probability, risk.reasons[0].code) == (True, None, "not_scored")


def test_the_list_pages_through_everybody_once_in_order(trained_shop):
    advisor = Advisor(trained_shop.store, trained_shop.artifacts, clock=lambda: NOW)
    seen, cursor = [], None
    while True:
        page = advisor.churn_risks(RiskFilter(), sort="-expected_loss", cursor=cursor, limit=50)
        seen += page.risks
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({one.customer_id for one in seen}) == small_shop.CUSTOMERS == len(seen)
    losses = [one.expected_loss for one in seen if one.expected_loss is not None]
    assert losses == sorted(losses, reverse=True)
    assert list(advisor.stream_risks(RiskFilter(), sort="-expected_loss")) == seen


def test_forgetting_deletes_rows_and_names_the_bundles_that_hold_the_id(advisor, store):
    erasure = advisor.forget("c001")
    assert erasure.deleted["order_lines"] > 0
    assert erasure.bundles_holding_id == (advisor.bundle_version,)
    answer = advisor.recommend("c001", limit=3)
    assert (answer.customer_known, answer.fallback) == (False, "popular_items")
    assert advisor.churn_risk("c001").reasons[0].code == "no_history"


def test_who_comes_back_after_an_erasure_meets_nothing_of_what_was_known_before(advisor, store):
    advisor.forget("c001")
    store.upsert("customers", {"customer_id": "c001"})
    answer = advisor.recommend("c001", limit=3)
    assert (answer.customer_known, answer.fallback) == (True, "popular_items")
    assert {item.reasons[0].code for item in answer.items} == {"recent"}
    buy(store, "c001", "a05")
    buy(store, "stranger", "a05", order_id="other")
    again, strange = (advisor.recommend(one, limit=20) for one in ("c001", "stranger"))
    assert [(item.item_id, item.score) for item in again.items] == [
        (item.item_id, item.score) for item in strange.items
    ]


def test_a_bundle_that_cannot_be_read_counts_as_holding_the_id(trained_shop, store, tmp_path):
    artifacts = ArtifactStore(tmp_path / "artifacts")
    version = artifacts.save(trained_shop.training.bundle)
    (artifacts.folder / "versions" / version / "customers_text.npy").unlink()
    buy(store, "c001", "b01")
    erasure = Advisor(store, artifacts, clock=lambda: NOW).forget("c001")
    assert erasure.bundles_holding_id == (version,)
    assert erasure.deleted["order_lines"] == 1


def test_a_view_alone_leads_to_items_that_go_with_what_was_seen(advisor, store):
    seen = {"event_id": "v1", "kind": "view", "customer_id": "looker", "item_id": "b11", "occurred_at": LATER}
    store.append_rows("interactions", [seen])
    first = advisor.recommend("looker", placement="discover", limit=1).items[0]
    assert first.reasons[0].evidence_item_id == "b11"
    assert first.reasons[0].text == "Goes with Thing b11"


def test_without_a_bundle_the_list_is_what_was_ordered_last_labelled(store, tmp_path):
    buy(store, "c001", "b01")
    advisor = Advisor(store, ArtifactStore(tmp_path / "none"), clock=lambda: NOW)
    answer = advisor.recommend("c001", limit=3)
    assert (ids(answer), answer.fallback, answer.model_version) == (["b01"], "recent_orders", None)
    assert advisor.status()["problem"] == "no bundle was promoted yet; run the command train"
    assert advisor.churn_risk("c001").churn_probability is None


def test_a_promoted_bundle_is_picked_up_and_an_altered_one_leaves_the_old(trained_shop, tmp_path):
    artifacts = ArtifactStore(tmp_path / "artifacts")
    store = open_event_store(f"sqlite:///{tmp_path / 'store.sqlite'}", clock=lambda: NOW)
    advisor = Advisor(store, artifacts, clock=lambda: NOW)
    version = artifacts.save(trained_shop.training.bundle)
    artifacts.promote(version, at=NOW)
    advisor.refresh()
    assert advisor.bundle_version == version
    broken = tmp_path / "artifacts" / "versions" / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{")
    (tmp_path / "artifacts" / "CURRENT").write_text("broken\n")
    advisor.refresh()
    assert advisor.bundle_version == version
    assert "cannot be read" in advisor.status()["problem"]
    artifacts.promote(version, at=NOW)
    advisor.refresh()
    assert advisor.status()["problem"] is None
    store.close()


def test_a_bundle_that_was_mended_is_taken_up_under_its_old_name(trained_shop, tmp_path):
    artifacts = ArtifactStore(tmp_path / "artifacts")
    version = artifacts.save(trained_shop.training.bundle)
    artifacts.promote(version, at=NOW)
    (artifacts.folder / "versions" / version / "list_popular_scores.npy").write_bytes(b"")
    store = open_event_store(f"sqlite:///{tmp_path / 'store.sqlite'}", clock=lambda: NOW)
    advisor = Advisor(store, artifacts, clock=lambda: NOW)
    assert advisor.bundle_version is None
    artifacts.promote(artifacts.save(trained_shop.training.bundle), at=NOW)
    advisor.refresh()
    assert advisor.bundle_version == version
    store.close()
