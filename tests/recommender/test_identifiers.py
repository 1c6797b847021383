import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.identifiers import IdIndex

texts = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=6)


def test_positions_follow_the_code_points():
    index = IdIndex(["b", "é", "a", "b", "Z"])
    assert index.ids() == ["Z", "a", "b", "é"]
    assert [index.position(one) for one in ("Z", "é", "c")] == [0, 3, None]
    assert "a" in index
    assert "c" not in index


def test_half_a_surrogate_pair_is_unknown():
    assert IdIndex(["a"]).position("\ud800") is None


@given(st.sets(texts, max_size=12), st.sets(texts, max_size=6))
@settings(max_examples=80, deadline=None)
def test_all_ways_to_look_up_agree(ids, others):
    index = IdIndex(ids)
    asked = IdIndex(ids | others)
    expected = [-1 if index.position(one) is None else index.position(one) for one in asked.ids()]
    assert index.positions_of(asked).tolist() == expected
    assert index.positions(asked.ids()).tolist() == expected
    assert [index[place] for place in expected if place >= 0] == sorted(ids)


def test_ids_far_apart_are_found_one_by_one():
    index = IdIndex(f"{number:06}" for number in range(5000))
    assert index.positions_of(IdIndex(["000000", "004999", "x"])).tolist() == [0, 4999, -1]


@pytest.mark.parametrize(("start", "stop"), [(0, 3), (1, 2), (2, 2), (3, 3)])
def test_a_part_of_an_index_is_an_index(start, stop):
    part = IdIndex(["ann", "bob", "cät"]).between(start, stop)
    assert part.ids() == ["ann", "bob", "cät"][start:stop]


def test_an_index_survives_its_state():
    index = IdIndex(["ann", "bob"])
    assert IdIndex.from_state(index.state()).ids() == ["ann", "bob"]


def test_missing_identifiers_have_no_position():
    assert IdIndex(["a"]).positions(["a", None]).tolist() == [0, -1]
    assert IdIndex([]).positions(["a"]).tolist() == [-1]
