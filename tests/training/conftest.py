"""A training of the small shop, made once for all tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from recommender.artifact_store import ArtifactStore
from recommender.event_store import EventStore, open_event_store
from recommender.history import History
from recommender.score_store import ScoreStore
from tests import small_shop
from tests.conftest import NOW
from training.pipeline import Training, train
from training.progress import silent
from training.scoring import scored_customers
from training.settings import TrainingSettings, read_settings


@dataclass(frozen=True)
class TrainedShop:
    """The small shop in a store, its history, and a bundle that is served and has scored everybody."""

    store: EventStore
    history: History
    artifacts: ArtifactStore
    training: Training
    settings: TrainingSettings


def shop_history(folder: Path) -> History:
    """The small shop as a history of two buckets."""
    history = History.create(folder, buckets=2)
    for name, frame in small_shop.valid_tables().items():
        history.add(name, frame)
    return history


@pytest.fixture(scope="session")
def trained_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainedShop]:
    """The small shop on SQLite, trained and scored as of its end."""
    home = tmp_path_factory.mktemp("shop")
    store = open_event_store(f"sqlite:///{home / 'store.sqlite'}", clock=lambda: NOW)
    for name, frame in small_shop.tables().items():
        store.append(name, frame)
    history = shop_history(home / "history")
    # Without a ranker, so that what comes first follows from a customer's own purchases.
    settings = read_settings(generators=[], panel_cutoffs=2)
    training = train(history, settings, as_of=small_shop.END, seed=0, steps=silent)
    artifacts = ArtifactStore(home / "artifacts")
    artifacts.promote(artifacts.save(training.bundle), at=NOW)
    rows = scored_customers(history, artifacts.load(), as_of=small_shop.END, steps=silent)
    ScoreStore(store.engine).replace_all(rows)
    yield TrainedShop(store, history, artifacts, training, settings)
    store.close()
