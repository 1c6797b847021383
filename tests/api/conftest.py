"""Databases that live as long as the tests: making one of PostgreSQL takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from recommender.event_store import EventStore, open_event_store
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
