"""A shop with a served bundle, and ways to ask its server."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api.config import PREFIX
from api.keys import SCOPES, KeyStore
from recommender.artifact_store import ArtifactStore
from recommender.bundle import ModelBundle
from recommender.event_store import EventStore, open_event_store
from recommender.history import History
from tests import small_shop
from tests.conftest import NOW
from training.pipeline import instant_after_last_event, train
from training.progress import silent
from training.retention.scoring import keep_scores, scored_customers
from training.settings import TrainingSettings

SETTINGS = TrainingSettings(
    panel_cutoffs=2,
    recommenders={"popularity": {}, "personal_frequency": {}, "item_similarity": {}},
)
READS_ALL = ("risk:read", "risk:read_all")
NO_SUCH_KEY = "rg_000000000000_nothing"


@dataclass(frozen=True)
class Shop:
    """Where a shop's data live, and a key for each scope; the scopes of ``READS_ALL`` have one together."""

    home: Path
    store_url: str
    keys: Mapping[str, str]
    version: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a server for this shop."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return outside | {"REGULARS_HOME": str(self.home), "REGULARS_STORE": self.store_url}

    def store(self) -> EventStore:
        """The store of the shop, to look behind the server; the caller closes it."""
        return open_event_store(self.store_url, clock=lambda: NOW)


def train_bundle(folder: Path) -> tuple[ModelBundle, History]:
    """A bundle of the small shop, and the history that it was made from."""
    store = open_event_store(f"sqlite:///{folder / 'training.sqlite'}", clock=lambda: NOW)
    fill(store)
    history = History.create(folder / "history", buckets=1)
    history.refresh(store)
    store.close()
    trained = train(history, SETTINGS, as_of=instant_after_last_event(history), seed=0, steps=silent)
    return trained.bundle, history


def fill(store: EventStore) -> None:
    """Put the tables of the small shop into a store."""
    for name, frame in small_shop.tables().items():
        assert store.append(name, frame).rejections == []


def open_shop(home: Path, store_url: str, trained: tuple[ModelBundle, History]) -> Shop:
    """A shop with rows, keys, scores and the bundle promoted."""
    bundle, history = trained
    artifacts = ArtifactStore(home / "artifacts")
    version = artifacts.save(bundle)
    artifacts.promote(version, at=NOW)
    store = open_event_store(store_url, clock=lambda: NOW)
    fill(store)
    served = artifacts.load()
    keep_scores(store.engine, scored_customers(history, served, as_of=served.as_of, steps=silent), served)
    wanted = [*((scope,) for scope in SCOPES), READS_ALL]
    keys = {" ".join(scopes): KeyStore(store.engine).create(scopes, now=NOW)[1] for scopes in wanted}
    store.close()
    return Shop(home, store_url, keys, version)


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A running server; paths go out as given, unlike with clients that tidy them."""

    url: str
    shop: Shop
    process: subprocess.Popen[str]

    def ask(
        self,
        method: str,
        path: str,
        *,
        scope: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request with the key of a scope, on a connection of its own."""
        sent = {"Authorization": f"Bearer {self.shop.keys[scope]}"} if scope else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
        try:
            connection.request(method, path, data, {**sent, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


@contextmanager
def served(shop: Shop, log: Path, *, workers: int = 1) -> Iterator[Server]:
    """A server on a free port of loopback, stopped at the end."""
    command = [sys.executable, "-m", "training.cli", "serve", "--port", "0", "--workers", str(workers)]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, env=shop.environment, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            assert url, log.read_text()
            yield Server(url, shop, process)
        finally:
            process.terminate()
