"""Trainings and backtests of the small shop, made once for all tests that only read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from recommender.artifact_store import ArtifactStore
from recommender.event_store import EventStore, open_event_store
from recommender.history import History
from tests import small_shop
from tests.conftest import NOW
from training.cli import main
from training.pipeline import Training, train
from training.progress import silent
from training.retention.scoring import keep_scores, scored_customers
from training.settings import TrainingSettings, read_settings

CONFIG = "ranking_cutoffs = 2\npanel_cutoffs = 2\n"
CUTOFF = "2024-01-20"


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
    served = artifacts.load()
    keep_scores(store.engine, scored_customers(history, served, as_of=small_shop.END, steps=silent), served)
    yield TrainedShop(store, history, artifacts, training, settings)
    store.close()


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={"REGULARS_HOME": str(home), "REGULARS_STORE": ""})


def done(home: Path, *arguments: str) -> str:
    result = run(home, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory) -> Path:
    """The small shop as a folder of CSV files, with a configuration for quick trainings."""
    folder = tmp_path_factory.mktemp("tables")
    for name, frame in small_shop.tables().items():
        instants = {column: frame[column].map(pd.Timestamp.isoformat) for column in frame if column.endswith("_at")}
        frame.assign(**instants).to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def config_file(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("config") / "quick.toml"
    path.write_text(CONFIG)
    return str(path)


@pytest.fixture(scope="session")
def home(tmp_path_factory, shop_folder, config_file) -> Path:
    """A home with two bundles, the second of which is served."""
    home = tmp_path_factory.mktemp("home")
    done(home, "ingest", str(shop_folder))
    done(home, "train", "--config", config_file, "--as-of", "2024-02-20")
    done(home, "train", "--config", config_file)
    return home


def backtested(tmp_path: Path, folder: Path, config_file: str) -> Path:
    out = tmp_path / "out"
    arguments = ["--cutoff", CUTOFF, "--horizon-days", "28", "--config", config_file, "--k", "5"]
    done(tmp_path, "backtest", str(folder), *arguments, "--out", str(out))
    return out


@pytest.fixture(scope="session")
def answers(tmp_path_factory, shop_folder, config_file) -> Path:
    return backtested(tmp_path_factory.mktemp("backtest"), shop_folder, config_file)
