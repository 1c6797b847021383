"""The score store on both databases."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from recommender import score_queries
from recommender.customer_answers import RiskFilter, RiskReason
from recommender.errors import SettingError
from recommender.event_store import EventStore
from recommender.score_cursor import Cursor, Sort
from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore
from recommender.store_schema import SEGMENT_MEMBERSHIPS, SEGMENTS
from recommender.touchpoints import TABLES
from recommender.validation import validate_rows

AS_OF = datetime(2024, 5, 1, tzinfo=UTC)
SORTS = [
    f"{sign}{key}"
    for key in ("expected_loss", "churn_probability", "predicted_value", "customer_id")
    for sign in ("", "-")
]
REASON = RiskReason(
    "rhythm_broken", "Orders came every 12 days; the last is 40 days ago – \u201cé\u201d", "service", "up", 0.75
)


def score(customer_id: str, probability: float | None, value: float | None = 10.0, **more: object) -> ScoreRow:
    row = ScoreRow(
        customer_id=customer_id,
        model_version="v1",
        as_of=AS_OF,
        in_population=probability is not None,
        churn_probability=probability,
        horizon_days=56,
        population="ordered within 56 days",
        band=None,
        predicted_value=value,
        historic_value=30.0,
        expected_loss=None if probability is None or value is None else probability * value,
        lever="service",
        action="call",
        reasons=(REASON,),
        segment=None,
        region=None,
        order_count=3,
        last_order_at=None,
    )
    return replace(row, **more)  # type: ignore[arg-type]


@pytest.fixture
def scores(store: EventStore) -> ScoreStore:
    return ScoreStore(store.engine)


def ids(rows: list[ScoreRow]) -> list[str]:
    return [row.customer_id for row in rows]


def all_pages(scores: ScoreStore, only: RiskFilter, sort: str, limit: int) -> Iterator[ScoreRow]:
    rows, cursor = scores.page(only, sort=sort, limit=limit)
    yield from rows
    while cursor is not None:
        rows, cursor = scores.page(only, sort=sort, cursor=cursor, limit=limit)
        yield from rows


def test_a_score_is_read_back_as_it_was_stored(scores: ScoreStore) -> None:
    row = score("ann", 0.5, segment="loyal", region="north", band="high", last_order_at=AS_OF, reasons=(REASON, REASON))
    assert scores.replace_all([row]) == 1
    assert scores.get("ann") == row
    assert [scores.get(one) for one in ("bob", "a\x00", "\ud800")] == [None, None, None]


def test_a_customer_with_the_longest_id_and_region_can_be_scored(scores: ScoreStore) -> None:
    # Characters of four bytes that no compression shortens: an index of PostgreSQL takes rows of 2,704 bytes.
    longest, region = ("".join(chr(0x20000 + place * step % 40_000) for place in range(256)) for step in (7_919, 6_101))
    customers = {"customer_id": longest, "region": region}
    assert not validate_rows(TABLES["customers"], [customers], now=AS_OF).rejections
    assert validate_rows(TABLES["customers"], [{**customers, "region": region + "x"}], now=AS_OF).rejections
    assert scores.replace_all([score(longest, 0.5, region=region)]) == 1
    assert ids(scores.page(RiskFilter(regions=(region,)))[0]) == [longest]


def test_a_new_scoring_takes_the_place_of_the_old_one(scores: ScoreStore) -> None:
    scores.replace_all([score("ann", 0.5), score("bob", 0.6)])
    scores.replace_all([score("bob", 0.7), score("cy", 0.8)])
    assert ids(scores.page(RiskFilter())[0]) == ["cy", "bob"]
    assert scores.get("ann") is None
    assert scores.replace_all([]) == 0
    assert scores.page(RiskFilter()) == ([], None)


def test_a_scoring_that_breaks_off_changes_nothing(scores: ScoreStore) -> None:
    def broken() -> Iterator[ScoreRow]:
        yield score("bob", 0.7)
        raise RuntimeError("the power is gone")

    scores.replace_all([score("ann", 0.5)])
    with pytest.raises(RuntimeError, match="the power is gone"):
        scores.replace_all(broken())
    assert ids(scores.page(RiskFilter())[0]) == ["ann"]
    scores.replace_all([score("cy", 0.5)])
    assert ids(list(scores.stream(RiskFilter()))) == ["cy"]


def test_who_is_erased_while_the_scores_are_made_is_left_out(store: EventStore, scores: ScoreStore) -> None:
    def rows() -> Iterator[ScoreRow]:
        yield score("ann", 0.5)
        store.erase("ann")
        store.upsert("customers", {"customer_id": "bob", "consent_personalization": False})
        yield score("bob", 0.5)
        yield score("cy", 0.5)

    assert scores.replace_all(rows()) == 1
    assert ids(list(scores.stream(RiskFilter()))) == ["cy"]


def test_scores_are_forgotten_with_the_customer(store: EventStore, scores: ScoreStore) -> None:
    scores.replace_all([score(one, 0.5) for one in ("ann", "bob", "cy", "dan")])
    assert store.erase("ann")["scores"] == 1
    store.upsert("customers", {"customer_id": "bob", "consent_personalization": False})
    scores.forget("cy")
    scores.forget("nobody")
    assert ids(list(scores.stream(RiskFilter()))) == ["dan"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-churn_probability", ["cy", "ann", "bob", "dan", "eve"]),
        ("churn_probability", ["ann", "bob", "cy", "dan", "eve"]),
        ("-customer_id", ["eve", "dan", "cy", "bob", "ann"]),
        ("customer_id", ["ann", "bob", "cy", "dan", "eve"]),
    ],
)
def test_equal_values_go_by_customer_and_missing_ones_come_last(
    scores: ScoreStore, sort: str, expected: list[str]
) -> None:
    scores.replace_all([score("eve", None), score("dan", None), score("cy", 0.9), score("bob", 0.5), score("ann", 0.5)])
    for limit in (1, 2, 3, 5, 50):
        assert ids(list(all_pages(scores, RiskFilter(), sort, limit))) == expected
    assert ids(list(scores.stream(RiskFilter(), sort=sort))) == expected


def test_limits_of_a_filter_are_included(scores: ScoreStore) -> None:
    scores.replace_all([score("ann", 0.2, 5.0), score("bob", 0.5, 10.0), score("cy", 0.9, 20.0), score("dan", None)])
    assert ids(scores.page(RiskFilter(min_probability=0.5))[0]) == ["cy", "bob"]
    assert ids(scores.page(RiskFilter(max_probability=0.5))[0]) == ["bob", "ann"]
    assert ids(scores.page(RiskFilter(min_value=10.0, max_value=10.0), sort="customer_id")[0]) == ["bob", "dan"]


def test_groups_filter_and_combine(scores: ScoreStore) -> None:
    north, south = {"region": "north", "segment": "loyal"}, {"region": "south", "segment": "loyal", "band": "high"}
    scores.replace_all([score("ann", 0.2, **north), score("bob", 0.5, **south), score("cy", 0.9, **south)])
    assert ids(scores.page(RiskFilter(regions=("south",)))[0]) == ["cy", "bob"]
    assert ids(scores.page(RiskFilter(segments=("loyal",), max_probability=0.5))[0]) == ["bob", "ann"]
    assert ids(scores.page(RiskFilter(bands=("high",), min_probability=0.6))[0]) == ["cy"]
    assert ids(scores.page(RiskFilter(regions=("west",)))[0]) == []


def test_of_several_names_any_will_do_and_none_means_no_treatment(scores: ScoreStore) -> None:
    scores.replace_all(
        [score("ann", 0.2, lever="offer", treatment="call"), score("bob", 0.5, lever="none"), score("cy", 0.9)]
    )
    assert ids(scores.page(RiskFilter(levers=("offer", "none")))[0]) == ["bob", "ann"]
    assert ids(scores.page(RiskFilter(treatments=("call",)))[0]) == ["ann"]
    assert ids(scores.page(RiskFilter(treatments=("none",)))[0]) == ["cy", "bob"]
    assert ids(scores.page(RiskFilter(treatments=("none", "call")))[0]) == ["cy", "bob", "ann"]


def test_a_segment_is_one_of_the_lifecycle_or_a_saved_one_by_its_members_of_now(
    store: EventStore, scores: ScoreStore
) -> None:
    scores.replace_all([score(one, 0.5, segment="new" if one == "ann" else "active") for one in ("ann", "bob", "cy")])
    saved = {"name": "vip", "rule": "x", "created_at": 1}
    members = [
        {"segment": "vip", "customer_id": one, "entered_at": 1, "left_at": left}
        for one, left in (("bob", None), ("cy", 2))
    ]
    with store.engine.begin() as connection:
        connection.execute(sa.insert(SEGMENTS), saved)
        connection.execute(sa.insert(SEGMENT_MEMBERSHIPS), members)
    assert ids(scores.page(RiskFilter(segments=("active",)))[0]) == ["bob", "cy"]
    assert ids(scores.page(RiskFilter(segments=("vip",)))[0]) == ["bob"]
    assert ids(scores.page(RiskFilter(segments=("vip", "new")))[0]) == ["ann", "bob"]
    assert ids(scores.page(RiskFilter(segments=("vip",), levers=("offer",)))[0]) == []
    assert ids(list(scores.stream(RiskFilter(segments=("vip",))))) == ["bob"]


@pytest.mark.parametrize("at_most", [1, 2, 5])
def test_rows_are_counted_up_to_a_bound(scores: ScoreStore, at_most: int) -> None:
    scores.replace_all([score("ann", 0.2), score("bob", None), score("cy", 0.9)])
    assert scores.count(RiskFilter(), at_most=at_most) == min(3, at_most)
    assert scores.count(RiskFilter(min_probability=0.5), at_most=at_most) == 1


@pytest.mark.parametrize("sort", ["loss", "--expected_loss", "region", ""])
def test_an_unknown_sort_is_named(sort: str) -> None:
    with pytest.raises(SettingError, match=f"the sort '{sort}' is not known; use one of expected_loss"):
        Sort.parse(sort)


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_what_no_database_can_hold_is_in_no_row(scores: ScoreStore, text: str) -> None:
    scores.replace_all([score("ann", 0.5)])
    for only in (RiskFilter(segments=(text,)), RiskFilter(regions=(text,)), RiskFilter(definition=text)):
        assert scores.page(only, limit=1) == ([], None)


def test_an_unknown_sort_is_refused_before_anything_is_read(scores: ScoreStore) -> None:
    with pytest.raises(SettingError, match="is not known"):
        scores.page(RiskFilter(), sort="loss")
    with pytest.raises(SettingError, match="is not known"):
        scores.stream(RiskFilter(), sort="loss")


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "nonsense", "é", "bnVsbA==", "WzEsMl0=", "WzEsMiwzXQ==", "eyJhIjoxfQ=="),
        *map(encoded, ('["x", 1.0, "\\u0000"]', '["x", 1.0, "\\ud800"]', '["x", NaN, "a"]', "[" * 1_400)),
    ],
)
def test_a_damaged_cursor_is_named(cursor: str) -> None:
    with pytest.raises(SettingError, match=r"the cursor '.*' cannot be read; use next_cursor"):
        Cursor.parse(cursor, Sort.parse("-expected_loss"))


def test_a_cursor_belongs_to_its_sort(scores: ScoreStore) -> None:
    scores.replace_all([score("ann", 0.5), score("bob", 0.5)])
    _, cursor = scores.page(RiskFilter(), limit=1)
    with pytest.raises(SettingError, match="belongs to the sort '-expected_loss', not 'expected_loss'"):
        scores.page(RiskFilter(), sort="expected_loss", cursor=cursor)


_NAMES = st.sampled_from(["a", "B", "ä", "z z", "/", "%", "'", "10", "9"])
_VALUES = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
_GROUPS = st.one_of(st.none(), st.sampled_from(["x", "y"]))
_TRUTHS = st.booleans()
_ROWS = st.lists(
    st.builds(
        lambda one, p, v, g, c: score(one, p, v, region=g, consent_marketing=c),
        _NAMES,
        _VALUES,
        _VALUES,
        _GROUPS,
        _TRUTHS,
    ),
    unique_by=lambda row: row.customer_id,
)
_FILTERS = st.builds(
    RiskFilter,
    min_probability=_VALUES,
    max_value=_VALUES,
    regions=st.sampled_from([(), ("x",), ("y", "x")]),
    consent_marketing=st.sampled_from([None, True, False]),
)


def passes(row: ScoreRow, only: RiskFilter) -> bool:
    probability, value = row.churn_probability, row.predicted_value
    return (
        (only.min_probability is None or (probability is not None and probability >= only.min_probability))
        and (only.max_value is None or (value is not None and value <= only.max_value))
        and (not only.regions or row.region in only.regions)
        and (only.consent_marketing is None or row.consent_marketing == only.consent_marketing)
    )


def place(row: ScoreRow, sort: str) -> tuple[bool, float, str]:
    value = getattr(row, sort.removeprefix("-"))
    return value is None, 0.0 if value is None else (-value if sort.startswith("-") else value), row.customer_id


@pytest.mark.parametrize("few_rows", [0, 4_000])
@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=_ROWS,
    only=_FILTERS,
    sort=st.sampled_from([one for one in SORTS if "customer" not in one]),
    limit=st.integers(1, 4),
)
def test_pages_and_streams_are_the_sorted_and_filtered_list(
    scores: ScoreStore,
    monkeypatch: pytest.MonkeyPatch,
    few_rows: int,
    rows: list[ScoreRow],
    only: RiskFilter,
    sort: str,
    limit: int,
) -> None:
    monkeypatch.setattr(score_queries, "FEW_ROWS", few_rows)
    scores.replace_all(rows)
    expected = sorted((row for row in rows if passes(row, only)), key=lambda row: place(row, sort))
    assert list(scores.stream(only, sort=sort)) == expected
    assert list(all_pages(scores, only, sort, limit)) == expected


def test_rows_are_taken_as_a_stream(scores: ScoreStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.score_store.CHUNK_ROWS", 2)
    numbers = count()
    rows = (score(f"c{next(numbers)}", 0.5) for _ in range(7))
    assert scores.replace_all(rows) == 7
    scores.replace_all(score(f"d{number}", 0.5) for number in range(3))
    assert len(list(scores.stream(RiskFilter()))) == 3
