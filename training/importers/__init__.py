"""All importers of public layouts, each named once."""

from __future__ import annotations

from recommender.errors import UnknownName
from training.importers.base import Importer, ImportReport, run_import
from training.importers.cdnow import CDNOW
from training.importers.completejourney import COMPLETE_JOURNEY
from training.importers.online_retail import ONLINE_RETAIL

__all__ = ["IMPORTERS", "ImportReport", "Importer", "importer_named", "run_import"]

IMPORTERS: dict[str, Importer] = {one.name: one for one in (COMPLETE_JOURNEY, ONLINE_RETAIL, CDNOW)}


def importer_named(name: str) -> Importer:
    """The importer of that name; raises UnknownName."""
    if name not in IMPORTERS:
        raise UnknownName("importer", name, IMPORTERS)
    return IMPORTERS[name]
