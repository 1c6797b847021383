"""Databases that live as long as the tests: making one of PostgreSQL takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from api.app import create_app
from api.config import Settings
from recommender.bundle import ModelBundle
from recommender.event_store import EventStore, open_event_store
from recommender.history import History
from tests.api.shops import Server, Shop, open_shop, served, train_bundle
from tests.conftest import NOW


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def lasting_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database, of each kind, that all tests which ask for it share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('lasting') / 'store.sqlite'}"
    server = request.getfixturevalue("postgresql_server")
    with server.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE lasting TEMPLATE template0")
    return str(server.url.set(database="lasting").render_as_string(hide_password=False))


@pytest.fixture(scope="session")
def lasting_store(lasting_url: str) -> Iterator[EventStore]:
    """The store in it, at the instant NOW; each test uses customers of its own."""
    opened = open_event_store(lasting_url, clock=lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[EventStore]:
    """An empty store on SQLite, at the instant NOW."""
    opened = open_event_store(sqlite_url, clock=lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelBundle, History]:
    """A bundle of the small shop, and the history that it was made from."""
    return train_bundle(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="session")
def shop(lasting_url: str, trained: tuple[ModelBundle, History], tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The small shop on each kind of database."""
    return open_shop(tmp_path_factory.mktemp("shop"), lasting_url, trained)


@pytest.fixture(scope="session")
def server(shop: Shop) -> Iterator[Server]:
    """A server with two workers for the shop, on each kind of database."""
    with served(shop, shop.home / "server.log", workers=2) as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_shop(trained: tuple[ModelBundle, History], tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The small shop on SQLite, for what does not depend on the database."""
    home = tmp_path_factory.mktemp("sqlite_shop")
    return open_shop(home, f"sqlite:///{home / 'store.sqlite'}", trained)


@pytest.fixture(scope="session")
def app(sqlite_shop: Shop) -> Iterator[APIFlask]:
    """The application over that shop, in this process."""
    made = create_app(Settings(home=sqlite_shop.home, store=sqlite_shop.store_url), clock=lambda: NOW)
    yield made
    made.extensions["regulars"].close()


@pytest.fixture
def ask(app: APIFlask, sqlite_shop: Shop) -> Callable[..., TestResponse]:
    """Ask the application, with the key of a scope where one is given."""

    def request(method: str, path: str, *, scope: str | None = None, **options: Any) -> TestResponse:
        headers = dict(options.pop("headers", {}))
        if scope:
            headers["Authorization"] = f"Bearer {sqlite_shop.keys[scope]}"
        return app.test_client().open(path, method=method, headers=headers, buffered=True, **options)

    return request
