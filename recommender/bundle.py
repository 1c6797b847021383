"""A bundle: the fitted models of one training with all that answers need, as arrays that map into memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from recommender.errors import ArtifactError
from recommender.identifiers import IdIndex
from recommender.json_text import json_text
from recommender.models import name_of, restore
from recommender.periods import instant, rfc3339
from recommender.placements import Placement, placements_from

FORMAT = 3
# The model for customers of whom only attributes are known.
PROFILE = "profile"
# Popular are at most so many items, each with so many customers in the last so many days.
BEST_SELLERS, FEWEST_CUSTOMERS, RECENT_DAYS = 100, 5, 28
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Slates:
    """The best items of each customer, best first: positions in the catalogue (-1 = none) and scores."""

    positions: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class ModelBundle:
    """Fitted models, slates of all customers, and the manifest that tells where they come from.

    ``slates`` holds ``all`` (bought items included) and ``new`` (never bought), customers x depth. ``history`` holds
    for each entry of the ``all`` slates how often the customer bought the item and how many days before ``as_of``
    for the last time (0 and NaN for what was never bought).

    ``item_slates`` have a row per item: ``similar``, ``bought_together``, ``next_item`` hold items, ``customers`` the
    customers to tell of it. ``lists`` have one row each: ``popular``, ``trending``, ``new_arrivals``, and
    ``recent_customers`` and ``customers`` with how many customers bought an item (met it where nobody orders) in the
    last RECENT_DAYS and ever.
    ``category_lists`` has a row for each of ``categories``: its best sellers, those of the categories below included.
    ``due`` has a row per customer: ``positions`` of items bought before, the most probable next purchase first, with
    ``scores`` (its probability within the horizon), ``interval_days`` (between two purchases as it is told, NaN where
    nothing can be), ``last_age_days`` and ``counts``.

    ``models`` are by answer: ``all``, ``new``, ``repurchase``, ``churn``, ``value``, ``value_interval`` (its bounds),
    ``order_times`` (when the next order comes), ``contract_times`` (when contracts end); an answer that the data could
    not support is absent.
    """

    as_of: datetime
    horizon_days: int
    customers: IdIndex
    items: IdIndex
    slates: Mapping[str, Slates]
    history: Mapping[str, np.ndarray]
    item_slates: Mapping[str, Slates]
    lists: Mapping[str, Slates]
    models: Mapping[str, Any]
    due: Mapping[str, np.ndarray] = field(default_factory=dict)
    categories: IdIndex = field(default_factory=lambda: IdIndex(()))
    category_lists: Slates | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    @cached_property
    def placements(self) -> Mapping[str, Placement]:
        """The placements of the configuration that the bundle was trained with."""
        return placements_from(self.facts.get("placements", {}))

    @cached_property
    def recent_customers(self) -> Mapping[int, int]:
        """By position of an item: the customers of the last RECENT_DAYS, most first."""
        return self._counted("recent_customers")

    @cached_property
    def customers_ever(self) -> Mapping[int, int]:
        """By position of an item: all who bought it, most first; who met it where nobody orders."""
        return self._counted("customers")

    def _counted(self, name: str) -> dict[int, int]:
        counted = self.lists.get(name)
        if counted is None:
            return {}
        pairs = zip(counted.positions[0].tolist(), counted.scores[0].tolist(), strict=True)
        return {place: int(count) for place, count in pairs if place >= 0}

    @cached_property
    def best_sellers(self) -> frozenset[int]:
        """Positions of the items that can be called popular."""
        first = list(self.recent_customers.items())[:BEST_SELLERS]
        return frozenset(place for place, count in first if count >= FEWEST_CUSTOMERS)

    @property
    def has_orders(self) -> bool:
        """Whether anybody had ordered in the shop that the models learned from."""
        return bool(self.facts.get("data", {}).get("has_orders", True))

    @property
    def similar(self) -> Slates:
        """The items most like each item."""
        return self.item_slates["similar"]

    @property
    def popular(self) -> Slates:
        """What many customers bought lately, as one row."""
        return self.lists["popular"]

    def write(self, folder: Path) -> str:
        """Write all files and the manifest into an empty folder; the version is made of what they hold."""
        for name, values in self._arrays().items():
            np.save(folder / f"{name}.npy", np.ascontiguousarray(values))
        for answer, model in self.models.items():
            # uncompressed: only such a file can be mapped into memory
            joblib.dump({"name": name_of(model), "state": model.state()}, folder / f"{answer}.joblib")
        hashes = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
        content = {
            **self.facts,
            "format": FORMAT,
            "as_of": rfc3339(self.as_of),
            "horizon_days": self.horizon_days,
            "models": {answer: name_of(model) for answer, model in self.models.items()},
            "files": hashes,
        }
        version = version_of(content)
        (folder / MANIFEST).write_text(json_text({**content, "version": version}))
        return version

    @classmethod
    def read(cls, folder: Path) -> ModelBundle:
        """The bundle in a folder, its arrays mapped into memory; raises ArtifactError where a file is not as written.

        Loading joblib files runs code: the hashes are checked first, and the folder must be one that only trusted
        people can write to.
        """
        manifest = read_manifest(folder)
        check_files(folder, manifest["files"])
        if version_of(manifest) != manifest["version"]:
            raise ArtifactError(f"bundle {folder.name}: the {MANIFEST} was altered; train again or roll back")
        arrays = {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}
        models = {answer: _load_model(folder / f"{answer}.joblib") for answer in manifest["models"]}
        return cls(
            as_of=instant(manifest["as_of"]),
            horizon_days=manifest["horizon_days"],
            customers=read_index(folder, "customers"),
            items=read_index(folder, "items"),
            slates=_slates_of(arrays, "slates"),
            history={name: arrays[f"history_{name}"] for name in ("counts", "last_age_days")},
            item_slates=_slates_of(arrays, "item"),
            lists=_slates_of(arrays, "list"),
            models=models,
            due={name.removeprefix("due_"): values for name, values in arrays.items() if name.startswith("due_")},
            categories=read_index(folder, "categories"),
            category_lists=_slates_of(arrays, "category").get("lists"),
            facts=manifest,
            version=manifest["version"],
        )

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {f"history_{name}": values for name, values in self.history.items()}
        arrays |= {f"due_{name}": values for name, values in self.due.items()}
        indexes = {"customers": self.customers, "items": self.items, "categories": self.categories}
        for owner, index in indexes.items():
            arrays |= {f"{owner}_{part}": values for part, values in index.state().items()}
        named = {"category_lists": self.category_lists} if self.category_lists is not None else {}
        for kind, kept in (("slates", self.slates), ("item", self.item_slates), ("list", self.lists)):
            named |= {f"{kind}_{name}": slates for name, slates in kept.items()}
        for name, slates in named.items():
            arrays |= {f"{name}_positions": slates.positions, f"{name}_scores": slates.scores}
        return arrays


def read_index(folder: Path, owner: str) -> IdIndex:
    """The index of ``customers``, ``items`` or ``categories`` of the bundle in a folder, mapped into memory."""
    parts = ("offsets", "text")
    try:
        return IdIndex.from_state({part: np.load(folder / f"{owner}_{part}.npy", mmap_mode="r") for part in parts})
    except (OSError, ValueError) as problem:
        raise ArtifactError(f"bundle {folder.name}: the ids of its {owner} cannot be read ({problem})") from None


def _slates_of(arrays: Mapping[str, np.ndarray], kind: str) -> dict[str, Slates]:
    """The slates of a kind by name; an array ``KIND_NAME_positions`` comes with ``KIND_NAME_scores``."""
    begin, end = f"{kind}_", "_positions"
    names = [one[len(begin) : -len(end)] for one in arrays if one.startswith(begin) and one.endswith(end)]
    return {name: Slates(arrays[f"{begin}{name}{end}"], arrays[f"{begin}{name}_scores"]) for name in names}


def _load_model(path: Path) -> Any:
    kept = joblib.load(path, mmap_mode="r")
    return restore(kept["name"], kept["state"])


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a bundle; raises ArtifactError where there is none that can be read."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise ArtifactError(f"the bundle {folder.name} has no {MANIFEST}; train again") from None
    except (OSError, ValueError) as problem:
        raise ArtifactError(f"the manifest of bundle {folder.name} cannot be read ({problem}); train again") from None
    if not isinstance(manifest, dict) or not {"format", "version", "as_of", "horizon_days", "files"} <= set(manifest):
        raise ArtifactError(f"the {MANIFEST} of bundle {folder.name} is not that of a bundle; train again")
    if manifest["format"] != FORMAT:
        found = manifest["format"]
        raise ArtifactError(f"bundle {folder.name} has format {found}, this program reads {FORMAT}; train again")
    return manifest


def version_of(manifest: Mapping[str, Any]) -> str:
    """The name of a bundle: when it stands, and a hash of what it holds."""
    identity = json.dumps([manifest["as_of"], manifest["horizon_days"], manifest["files"]], sort_keys=True)
    stands = instant(manifest["as_of"])
    return f"{stands:%Y%m%dT%H%M%SZ}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"


def check_files(folder: Path, hashes: Mapping[str, str]) -> None:
    """Raise ArtifactError where a file of a bundle is missing, is not what was written, or was added."""
    for path in sorted(folder.iterdir()):
        if path.name not in hashes and path.name != MANIFEST:
            raise ArtifactError(f"bundle {folder.name}: the file {path.name} is not named in the manifest; remove it")
    for name, expected in hashes.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"bundle {folder.name}: the file {name} is missing; train again or roll back")
        if sha256_of(path) != expected:
            raise ArtifactError(f"bundle {folder.name}: the file {name} was altered; train again or roll back")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
