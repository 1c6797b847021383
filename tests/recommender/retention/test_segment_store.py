"""Rule segments on both databases: what a rule may say, who is in, who was, and that databases and Python agree."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.errors import SettingError, UnknownName
from recommender.event_store import EventStore
from recommender.filter_sql import FilterBounds
from recommender.filter_terms import Owner
from recommender.filter_tokens import FilterError
from recommender.retention.segment_rules import CUSTOMERS, ROWS, members, parse_rule
from recommender.retention.segment_store import SegmentStore, check_name
from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore
from recommender.store_engine import reading
from recommender.store_schema import SEGMENT_MEMBERSHIPS
from tests.conftest import NOW
from tests.recommender.test_score_store import score

MAY = datetime(2024, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def segments(store: EventStore) -> SegmentStore:
    return SegmentStore(store.engine)


def scored(store: EventStore, *rows: ScoreRow, segments: SegmentStore | None = None) -> None:
    """Put scores in place of all others, as the command ``score`` does."""
    ScoreStore(store.engine).replace_all(rows)
    if segments is not None:
        segments.renew_all()


def ids_of(segments: SegmentStore, name: str, limit: int = 50) -> list[str]:
    found, cursor = segments.customers(name, cursor=None, limit=limit)
    while cursor is not None:
        more, cursor = segments.customers(name, cursor=cursor, limit=limit)
        found += more
    return [one.score.customer_id for one in found]


def changes(segments: SegmentStore, name: str) -> list[tuple[int, int, int, int]]:
    """Days since May began, entered, left, count."""
    return [((one.at - MAY).days, one.entered, one.left, one.customer_count) for one in segments.history(name)]


def test_a_segment_holds_who_fits_its_rule_and_follows_the_scores(store, segments):
    scored(store, score("ann", 0.9), score("bob", 0.6), score("cy", 0.1))
    made = segments.put("in_danger", "churn_probability >= 0.5", now=NOW)
    assert (made.name, made.rule, made.customer_count, made.created_at) == (
        "in_danger",
        "churn_probability >= 0.5",
        2,
        NOW,
    )
    assert made.as_of == MAY
    assert ids_of(segments, "in_danger") == ["ann", "bob"]
    scored(
        store, *(score(one, risk, as_of=MAY + DAY) for one, risk in (("ann", 0.2), ("bob", 0.7), ("cy", 0.8))),
        segments=segments,
    )  # fmt: skip
    assert ids_of(segments, "in_danger") == ["bob", "cy"]
    scored(store, *(score(one, 0.9, as_of=MAY + 3 * DAY) for one in ("ann", "bob", "cy")), segments=segments)
    assert ids_of(segments, "in_danger", limit=1) == ["ann", "bob", "cy"]
    assert changes(segments, "in_danger") == [(0, 2, 0, 2), (1, 1, 1, 2), (3, 1, 0, 3)]


def test_a_scoring_without_change_leaves_no_trace_and_one_that_comes_late_no_gap(store, segments):
    scored(store, score("ann", 0.9, as_of=MAY + DAY))
    segments.put("all", "churn_probability > 0", now=NOW)
    scored(store, score("ann", 0.9, as_of=MAY + 2 * DAY), segments=segments)
    assert changes(segments, "all") == [(1, 1, 0, 1)]
    # scored as of an earlier instant than the last: the change is not told before that
    scored(store, score("bob", 0.9), segments=segments)
    assert changes(segments, "all") == [(1, 1, 0, 1)]
    assert ids_of(segments, "all") == ["bob"]


def test_a_new_rule_of_an_old_name_takes_its_place(store, segments):
    scored(store, score("ann", 0.9), score("bob", 0.1))
    segments.put("some", "churn_probability > 0.5", now=NOW)
    again = segments.put("some", "churn_probability <= 0.5", now=NOW + DAY)
    assert (again.created_at, ids_of(segments, "some")) == (NOW, ["bob"])
    # as of one instant ann was not in and out again
    assert changes(segments, "some") == [(0, 1, 0, 1)]
    segments.put("some", "churn_probability > 0.5", now=NOW)
    assert ids_of(segments, "some") == ["ann"]


def test_before_the_first_scoring_nobody_is_in_and_then_those_who_fit(store, segments):
    made = segments.put("all", "order_count >= 0", now=NOW)
    assert (made.customer_count, made.as_of, segments.history("all")) == (0, None, [])
    scored(store, score("ann", 0.5), segments=segments)
    assert ids_of(segments, "all") == ["ann"]


def test_a_deleted_segment_is_gone_with_its_members(store, segments):
    scored(store, score("ann", 0.5))
    segments.put("all", "order_count > 0", now=NOW)
    segments.put("none", "order_count > 9", now=NOW)
    assert [(one.name, one.customer_count) for one in segments.all()] == [("all", 1), ("none", 0)]
    segments.delete("all")
    assert [one.name for one in segments.all()] == ["none"]
    with store.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(SEGMENT_MEMBERSHIPS)) == 0
    for ask in (segments.get, segments.delete, segments.history, lambda name: ids_of(segments, name)):
        with pytest.raises(UnknownName, match="there is no segment 'all'; there are: none"):
            ask("all")


def test_who_did_not_agree_to_marketing_is_counted_and_not_listed(store, segments):
    store.append_rows("customers", [{"customer_id": "cy"}])
    scored(store, score("ann", 0.5), score("bob", 0.5, consent_marketing=False), score("cy", 0.5))
    assert segments.put("all", "order_count > 0", now=NOW).customer_count == 3
    assert ids_of(segments, "all") == ["ann", "cy"]
    # since the last scoring
    store.upsert("customers", {"customer_id": "cy", "consent_marketing": False})
    assert ids_of(segments, "all") == ["ann"]


def test_who_is_erased_leaves_no_membership(store, segments):
    scored(store, score("ann", 0.5), score("bob", 0.5))
    segments.put("all", "order_count > 0", now=NOW)
    assert store.erase("ann")["segment_memberships"] == 1
    assert (ids_of(segments, "all"), changes(segments, "all")) == (["bob"], [(0, 1, 0, 1)])
    segments.renew_all()
    assert ids_of(segments, "all") == ["bob"]


def test_one_definition_of_churn_decides_and_the_others_count_nobody_twice(store, segments):
    scored(store, score("ann", 0.2), score("ann", 0.9, definition="spend_drop"))
    assert segments.put("risky", "churn_probability > 0.5", now=NOW).customer_count == 0
    assert segments.put("all", "order_count > 0", now=NOW).customer_count == 1


@pytest.mark.parametrize("name", ["new", "active", "slipping", "lapsed", "won_back", "prospect"])
def test_a_lifecycle_state_is_no_name_of_a_segment(name):
    with pytest.raises(SettingError, match=f"'{name}' is a lifecycle state, asked for by segment={name}"):
        check_name(name)


@pytest.mark.parametrize("name", ["", "A", "a b", "é", "-a", "a" * 65, "a/b", "a\x00"])
def test_a_name_is_a_word_of_plain_letters(name):
    with pytest.raises(SettingError, match="is no name of a segment; use up to 64 of a-z, 0-9, - and _"):
        check_name(name)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("", "character 1: the filter is empty"),
        ("price < 10", "character 1: there is no field 'price'; there are customer_id, .*birth_year, .*and attr"),
        ('region = customer.region', "character 10: expected a text in double quotes, .* false, found 'customer'"),
        ("customer.region = 1", "character 1: there is no field 'customer'"),
        ('churn_probability = "high"', "character 21: churn_probability is compared with a value of the kind number"),
        ("last_order_at < 7", "is compared with a value of the kind instant"),
        ("consent_personalization", "there is no field 'consent_personalization'"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_read_is_refused_with_its_place(rule, message):
    with pytest.raises(FilterError, match=message):
        parse_rule(rule)


@pytest.mark.parametrize(
    ("name", "rule", "message"),
    [
        ("lapsed", "order_count > 0", "is a lifecycle state"),
        ("some", "order_count > ", "character 15: expected a number"),
        ("some", 'region = "a\x00"', r"character 12: this character cannot be stored; write it as \\u0000"),
    ],
)
def test_what_is_refused_is_not_stored(segments, name, rule, message):
    with pytest.raises(SettingError, match=message):
        segments.put(name, rule, now=NOW)
    assert segments.all() == []


def test_a_cursor_that_is_none_is_named(store, segments):
    segments.put("all", "order_count > 0", now=NOW)
    with pytest.raises(SettingError, match="the cursor 'x' cannot be read; use next_cursor"):
        segments.customers("all", cursor="x", limit=1)


PROFILES = [
    {"customer_id": "ann", "birth_year": 1990, "channel": "web", "signed_up_at": MAY, "attributes": {"tier": "gold"}},
    {"customer_id": "bob", "birth_year": 1985, "attributes": {"tier": "Gold", "size": 3, "vip": True}},
    {"customer_id": "cy", "channel": "Größe", "consent_marketing": False, "attributes": {"size": 2.5}},
]
SCORED = [
    score("ann", 0.9, 100.0, segment="slipping", rfm="255", region="north", band="high", order_count=7,
          last_order_at=MAY - DAY, predicted_orders=1.5),
    score("bob", 0.25, 0.0, segment="active", rfm="545", region="süd", band="medium", lever="none", is_holdout=True,
          order_count=2, last_order_at=MAY, order_interval_days=12.5),
    score("cy", None, None, segment="lapsed", rfm="111", order_count=1, consent_marketing=False, treatment="call"),
    score("dee", None, 5.0, segment="prospect", order_count=0, in_population=False),
]  # fmt: skip
TERMS = [
    *("churn_probability > 0.25", "churn_probability >= 0.25", "churn_probability is missing"),
    *("churn_probability != 0.9", "predicted_value < 100", "predicted_value in [0, 5]"),
    *("expected_loss > 0", "historic_value = 30", "order_count > 1.5", "order_count = 2"),
    *("order_count in [1, 2.0]", "predicted_orders < 2", "order_interval_days is not missing"),
    *('segment = "slipping"', 'segment not in ["active", "lapsed"]', 'band != "high"', 'lever = "none"'),
    *('rfm = "545"', 'rfm contains "5"', 'rfm_group = "champions"', 'rfm_group != "cannot_lose"'),
    *("rfm_group is missing", 'region = "süd"', 'region contains "S"', 'region under "north"'),
    *('customer_id in ["ann", "dee"]', "treatment is missing", "last_order_at < 2024-05-01T00:00:00Z"),
    *("last_order_at is missing", "expected_next_order_at is not missing", "is_holdout"),
    *("not is_holdout", "consent_marketing = false", "in_population", "birth_year < 1985.5"),
    *("birth_year = 1985", "signed_up_at = 2024-05-01T00:00:00Z", "signed_up_at is missing"),
    *('channel = "web"', 'channel contains "GRÖSSE"', 'attributes.tier = "gold"'),
    *("attributes.size > 2.5", "attributes.vip", "attributes.none is missing", "birth_year > 1e300"),
]  # fmt: skip
RULES = st.recursive(
    st.sampled_from(TERMS),
    lambda inner: (
        inner.map("not ({})".format)
        | st.lists(inner, min_size=2, max_size=3).map(lambda some: f"({' and '.join(some)})")
        | st.lists(inner, min_size=2, max_size=3).map(lambda some: f"({' or '.join(some)})")
    ),
    max_leaves=5,
)


@pytest.fixture
def filled(store: EventStore) -> EventStore:
    assert store.append_rows("customers", PROFILES).accepted == len(PROFILES)
    scored(store, *SCORED)
    return store


def fitting(rule: str) -> set[str]:
    """Who fits, decided in Python from what was stored."""
    profiles = {one["customer_id"]: one for one in PROFILES}
    groups = {"25": "cannot_lose", "54": "champions", "11": "hibernating"}
    found = set()
    for row in SCORED:
        known = {**vars(row), **_with_text(profiles.get(row.customer_id, {}))}
        known["rfm_group"] = groups.get((row.rfm or "")[:2])
        if parse_rule(rule).allows(known):
            found.add(row.customer_id)
    return found


def _with_text(profile: dict[str, Any]) -> dict[str, Any]:
    return {**profile, "attributes": json.dumps(profile["attributes"])} if profile else {}


def decided(store: EventStore, rule: str) -> set[str]:
    with reading(store.engine) as connection:
        return set(members(connection, parse_rule(rule)))


def both(terms: Iterable[str]) -> list[str]:
    return [one for term in terms for one in (term, f"not ({term})")]


def test_every_term_and_its_negation_find_those_who_fit(filled):
    for rule in both(TERMS):
        assert decided(filled, rule) == fitting(rule), rule


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RULES)
def test_every_rule_finds_those_who_fit(filled, rule):
    assert decided(filled, rule) == fitting(rule)


@pytest.mark.parametrize(
    ("rule", "is_exact"),
    [
        ('segment = "slipping" and (predicted_value > 100 or not region in ["north"])', True),
        ("order_count > 1 and last_order_at < 2024-05-01T00:00:00Z and signed_up_at is missing", True),
        ('rfm_group = "champions" and consent_marketing and birth_year < 1990', True),
        ('attributes.tier = "gold"', False),
        ('region contains "n" or order_count > 1', False),
    ],
)
def test_what_is_no_attribute_and_no_part_of_a_text_the_database_decides_alone(rule, is_exact):
    for dialect in ("sqlite", "postgresql"):
        assert FilterBounds(Owner({}), dialect, ROWS).is_exact(parse_rule(rule).term) is is_exact


def test_every_field_of_a_rule_can_be_asked_of_the_database(filled):
    for name, kind in CUSTOMERS.columns.items():
        assert decided(filled, f"{name} is missing or {name} is not missing") == {"ann", "bob", "cy", "dee"}, kind
