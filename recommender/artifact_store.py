"""Versions of bundles in a folder, and which of them is served."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from recommender.bundle import ModelBundle, check_files, read_index, read_manifest
from recommender.errors import ArtifactError, UnknownName
from recommender.identifiers import IdIndex
from recommender.periods import rfc3339

CURRENT = "current"
_POINTER = "CURRENT"
_PROMOTIONS = "promotions.jsonl"


class ArtifactStore:
    """Bundles as ``versions/<version>/``, and a pointer file that is switched by rename.

    The files of a version are never written to, so that readers may map them for as long as they like.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions = folder / "versions"

    def save(self, bundle: ModelBundle) -> str:
        """Keep a bundle and return its version; the same content has the same version and is kept once.

        A version that is there but damaged is replaced: training again is how to mend it.
        """
        self._versions.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self._versions))
        try:
            version = bundle.write(draft)
            if self._is_damaged(version):
                # Readers keep the files that they have mapped; the new ones have other inodes.
                (self._versions / version).rename(draft.with_name(f"{draft.name}-damaged"))
            if not (self._versions / version).exists():
                draft.chmod(0o755)
                draft.rename(self._versions / version)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(draft.with_name(f"{draft.name}-damaged"), ignore_errors=True)
        return version

    def _is_damaged(self, version: str) -> bool:
        folder = self._versions / version
        if not folder.exists():
            return False
        try:
            check_files(folder, read_manifest(folder)["files"])
        except ArtifactError:
            return True
        return False

    def load(self, version: str = CURRENT) -> ModelBundle:
        """A bundle with its hashes checked; raises ArtifactError where it is missing or altered."""
        return ModelBundle.read(self._folder_of(self._resolve(version)))

    def served_manifest(self) -> dict[str, Any] | None:
        """The manifest of the version that is served; None before the first promotion and where it is damaged."""
        try:
            return self.manifest()
        except (ArtifactError, UnknownName):
            return None

    def manifest(self, version: str = CURRENT) -> dict[str, Any]:
        """The manifest of a version; raises ArtifactError."""
        return read_manifest(self._folder_of(self._resolve(version)))

    def customers_of(self, version: str) -> IdIndex:
        """The customers that a version was trained with."""
        return read_index(self._folder_of(version), "customers")

    def versions(self) -> list[str]:
        """All versions, oldest cutoff first."""
        if not self._versions.is_dir():
            return []
        return sorted(path.name for path in self._versions.iterdir() if not path.name.startswith("."))

    def current(self) -> str | None:
        """The version that is served, or None before the first promotion."""
        try:
            return (self.folder / _POINTER).read_text(errors="replace").strip() or None
        except FileNotFoundError:
            return None

    def promoted_at(self) -> int:
        """A number that changes with every promotion, also of the same version; 0 before the first."""
        try:
            return (self.folder / _POINTER).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def promote(self, version: str, *, at: datetime) -> None:
        """Serve a version from now on; raises ArtifactError where it is not whole."""
        self.load(version)
        if version != self.current():
            with (self.folder / _PROMOTIONS).open("a") as log:
                log.write(json.dumps({"version": version, "replaced": self.current(), "at": rfc3339(at)}) + "\n")
        self._point_to(version)

    def rollback(self) -> str:
        """Serve the version that the current one replaced, and return it; raises ArtifactError where there is none."""
        current = self.current()
        replaced = next(
            (entry["replaced"] for entry in reversed(self.promotions()) if entry["version"] == current), None
        )
        if replaced is None:
            raise ArtifactError("there is no earlier version to roll back to; see the command models")
        self.load(replaced)
        self._point_to(replaced)
        return str(replaced)

    def promotions(self) -> list[dict[str, Any]]:
        """Every promotion: version, the version that it replaced, and when."""
        try:
            lines = (self.folder / _PROMOTIONS).read_text().splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def _point_to(self, version: str) -> None:
        draft = self.folder / f".{_POINTER}-{os.getpid()}"
        draft.write_text(version + "\n")
        draft.replace(self.folder / _POINTER)

    def _resolve(self, version: str) -> str:
        if version != CURRENT:
            return version
        current = self.current()
        if current is None:
            raise ArtifactError("no bundle was promoted yet; run the command train")
        return current

    def _folder_of(self, version: str) -> Path:
        if version not in self.versions():
            raise UnknownName("version", version, self.versions())
        return self._versions / version
