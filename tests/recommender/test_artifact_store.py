"""Versions of bundles: kept once, checked before use, served by a pointer."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recommender.artifact_store import ArtifactStore
from recommender.bundle import ModelBundle, Slates
from recommender.errors import ArtifactError, UnknownName
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import create
from recommender.periods import instant

NOON = instant("2024-05-01T12:00:00Z")


def bundle(as_of: str = "2024-05-01") -> ModelBundle:
    matrix = InteractionMatrix.from_pairs(["ann", "bob"], ["milk", "rye"])
    slates = Slates(np.array([[0, 1], [1, -1]], dtype=np.int32), np.array([[2, 1], [1, np.nan]], dtype=np.float32))
    return ModelBundle(
        as_of=instant(as_of),
        horizon_days=28,
        customers=IdIndex(["ann", "bob"]),
        items=IdIndex(["milk", "rye"]),
        slates={"all": slates, "new": slates},
        history={"counts": np.ones((2, 2), dtype=np.int32), "last_age_days": np.ones((2, 2), dtype=np.float32)},
        item_slates={"similar": slates},
        lists={"popular": slates},
        models={"all": create("popularity").fit(matrix)},
        facts={"shipped": {"all": "popularity"}, "ratio": float("nan")},
    )


@pytest.fixture
def artifacts(tmp_path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def test_a_bundle_comes_back_as_it_was_saved(artifacts):
    version = artifacts.save(bundle())
    loaded = artifacts.load(version)
    assert loaded.version == version
    assert loaded.customers.ids() == ["ann", "bob"]
    assert np.array_equal(loaded.slates["new"].positions, [[0, 1], [1, -1]])
    histories = InteractionMatrix.from_pairs(["ann", "bob"], ["milk", "rye"])
    assert np.array_equal(loaded.models["all"].score(histories), bundle().models["all"].score(histories))


def test_a_bundle_that_was_loaded_can_be_kept_elsewhere(artifacts, tmp_path):
    loaded = artifacts.load(artifacts.save(bundle()))
    elsewhere = ArtifactStore(tmp_path / "elsewhere")
    assert elsewhere.load(elsewhere.save(loaded)).customers.ids() == ["ann", "bob"]


def test_arrays_are_mapped_into_memory_and_cannot_be_written(artifacts):
    loaded = artifacts.load(artifacts.save(bundle()))
    assert isinstance(loaded.slates["all"].positions, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        loaded.slates["all"].positions[0, 0] = 1


def test_the_same_content_is_one_version_and_another_instant_is_another(artifacts):
    assert artifacts.save(bundle()) == artifacts.save(bundle())
    artifacts.save(bundle("2024-06-01"))
    assert len(artifacts.versions()) == 2
    assert [version[:8] for version in artifacts.versions()] == ["20240501", "20240601"]


def test_what_is_not_a_number_is_null_in_the_manifest(artifacts):
    version = artifacts.save(bundle())
    assert artifacts.manifest(version)["ratio"] is None


@pytest.mark.parametrize("name", ["slates_all_positions.npy", "all.joblib", "customers_text.npy"])
def test_an_altered_file_is_refused_by_name(artifacts, name):
    version = artifacts.save(bundle())
    path = artifacts.folder / "versions" / version / name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ArtifactError, match="was altered; train again or roll back"):
        artifacts.load(version)


def test_a_missing_file_is_refused_by_name(artifacts):
    version = artifacts.save(bundle())
    (artifacts.folder / "versions" / version / "list_popular_scores.npy").unlink()
    with pytest.raises(ArtifactError, match=r"popular_scores\.npy is missing"):
        artifacts.load(version)


def test_a_file_that_the_manifest_does_not_name_is_never_loaded(artifacts):
    version = artifacts.save(bundle())
    folder = artifacts.folder / "versions" / version
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["all.joblib"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"all\.joblib is not named"):
        artifacts.load(version)


def test_a_bundle_of_another_format_is_refused(artifacts):
    version = artifacts.save(bundle())
    path = artifacts.folder / "versions" / version / "manifest.json"
    path.write_text(path.read_text().replace('"format": 3', '"format": 99'))
    with pytest.raises(ArtifactError, match="has format 99, this program reads 3"):
        artifacts.load(version)


def test_before_the_first_promotion_nothing_is_served(artifacts):
    artifacts.save(bundle())
    assert artifacts.current() is None
    with pytest.raises(ArtifactError, match="no bundle was promoted yet; run the command train"):
        artifacts.load()


def test_a_rollback_serves_what_the_promotion_replaced(artifacts):
    first, second = artifacts.save(bundle()), artifacts.save(bundle("2024-06-01"))
    artifacts.promote(first, at=NOON)
    artifacts.promote(second, at=NOON)
    assert artifacts.current() == second
    assert artifacts.rollback() == first == artifacts.current()
    with pytest.raises(ArtifactError, match="no earlier version"):
        artifacts.rollback()


def test_promoting_the_served_version_again_does_not_lose_the_way_back(artifacts):
    first, second = artifacts.save(bundle()), artifacts.save(bundle("2024-06-01"))
    for version in (first, second, second):
        artifacts.promote(version, at=NOON)
    assert artifacts.rollback() == first


def test_a_version_that_does_not_exist_is_named_with_those_that_do(artifacts):
    version = artifacts.save(bundle())
    with pytest.raises(UnknownName, match=f"no version 'v9'; there are: {version}"):
        artifacts.promote("v9", at=NOON)


@pytest.mark.parametrize(
    ("change", "message"), [({"horizon_days": 7}, "was altered"), ({"version": None}, "was altered")]
)
def test_an_altered_manifest_is_refused(artifacts, change, message):
    version = artifacts.save(bundle())
    path = artifacts.folder / "versions" / version / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ArtifactError, match=message):
        artifacts.load(version)


@pytest.mark.parametrize("text", ["[]", "{}", "null", '{"format": 1}'])
def test_a_manifest_that_is_none_is_refused(artifacts, text):
    version = artifacts.save(bundle())
    (artifacts.folder / "versions" / version / "manifest.json").write_text(text)
    with pytest.raises(ArtifactError, match="is not that of a bundle"):
        artifacts.load(version)


def test_an_altered_bundle_is_never_promoted(artifacts):
    version = artifacts.save(bundle())
    (artifacts.folder / "versions" / version / "all.joblib").write_bytes(b"")
    with pytest.raises(ArtifactError):
        artifacts.promote(version, at=NOON)
    assert artifacts.current() is None


@pytest.mark.parametrize("name", ["manifest.json", "all.joblib"])
def test_saving_a_damaged_version_again_mends_it(artifacts, name):
    version = artifacts.save(bundle())
    (artifacts.folder / "versions" / version / name).write_bytes(b"{")
    assert artifacts.save(bundle()) == version
    assert artifacts.load(version).customers.ids() == ["ann", "bob"]
    assert [path.name for path in (artifacts.folder / "versions").iterdir()] == [version]


def test_a_served_version_without_a_manifest_has_nothing_to_compare_with(artifacts):
    assert artifacts.served_manifest() is None
    version = artifacts.save(bundle())
    artifacts.promote(version, at=NOON)
    assert artifacts.served_manifest()["version"] == version
    (artifacts.folder / "versions" / version / "manifest.json").unlink()
    assert artifacts.served_manifest() is None
