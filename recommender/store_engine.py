"""Connections to the store's database: SQLite in one file, or PostgreSQL; opened, migrated, and guarded."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL

from recommender.errors import StoreUnavailable
from recommender.store_schema import SCHEMA_REVISION

BUSY_SECONDS = 60
_PAUSE_SECONDS = 0.05
MIGRATION_LOCK = 7_317_411
_MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRESQL_NAMES = ("postgresql", "postgres", "postgresql+psycopg")


def open_engine(url: str) -> sa.Engine:
    """An engine whose database has the schema of this version; creates or migrates it.

    ``sqlite:///path`` or ``postgresql+psycopg://user:password@host/database``. Raises StoreUnavailable where the
    database cannot be reached, belongs to somebody else, or was written by a newer version.
    """
    parsed = _parsed(url)
    engine = _sqlite_engine(parsed) if parsed.drivername == "sqlite" else _postgresql_engine(parsed)
    try:
        with guarded(engine):
            _migrate(engine)
    except StoreUnavailable:
        engine.dispose()
        raise
    return engine


def name_of(engine: sa.Engine) -> str:
    """The database as it may stand in a message: without its password."""
    if engine.dialect.name == "sqlite":
        return str(engine.get_execution_options()["path"])
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def guarded(engine: sa.Engine) -> Iterator[None]:
    """Turn every error of the database or its driver into StoreUnavailable."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
        raise StoreUnavailable(f"the store {name_of(engine)} cannot be used: {reason[0]}") from error
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(f"the store {name_of(engine)} cannot be used: {error}") from error


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees one state of the store throughout."""
    # The default of PostgreSQL shows each query the newest state; a transaction of SQLite stays with its first.
    isolation = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with guarded(engine), engine.connect().execution_options(**isolation) as connection:
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection whose changes are kept together, durably, at the end, or not at all."""
    with guarded(engine), engine.connect().execution_options(is_writer=True) as connection, connection.begin():
        yield connection


def _parsed(url: str) -> URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreUnavailable("the URL of the store cannot be read; write sqlite:///path/store.db") from None
    if parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    if parsed.drivername in _POSTGRESQL_NAMES:
        return parsed.set(drivername="postgresql+psycopg")
    shown = parsed.render_as_string(hide_password=True)
    raise StoreUnavailable(f"the store {shown} is of no known kind; use sqlite:///path or postgresql+psycopg://...")


def _postgresql_engine(url: URL) -> sa.Engine:
    try:
        return sa.create_engine(url, paramstyle="format", pool_pre_ping=True)
    except ImportError as error:
        raise StoreUnavailable(
            f"PostgreSQL needs the extra 'postgres': pip install 'regulars[postgres]' ({error})"
        ) from None


def _sqlite_engine(url: URL) -> sa.Engine:
    path = Path(str(url.database)).absolute()
    try:
        path.touch()
        made = path.stat()
    except OSError as error:
        raise StoreUnavailable(f"the store {path} cannot be used: {error.strerror}") from error
    # mode=rw: a file that was removed is an error, never silently a new and empty store
    uri = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"})
    engine = sa.create_engine(uri, connect_args={"timeout": BUSY_SECONDS}, execution_options={"path": path})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        _switch_to_wal(connection)
        for setting in ("synchronous=FULL", "temp_store=MEMORY", "cache_size=-32768"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "checkout")
    def _check_file(connection: Any, record: Any, proxy: Any) -> None:
        # A connection that is still open would go on writing into the removed file.
        now = os.stat(path)  # noqa: PTH116
        if (now.st_ino, now.st_dev) != (made.st_ino, made.st_dev):
            raise FileNotFoundError(f"{path} was replaced by another file; open the store anew")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A writer takes the lock at once: a reader that turns writer can find its state outdated and fail.
        is_writer = connection.get_execution_options().get("is_writer")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Keep a journal of writes ahead; waits for others as any statement does.

    SQLite itself does not wait here: of several that open a new file at once, all but one are told that it is locked.
    """
    connection.execute("PRAGMA busy_timeout=0")
    for attempts_left in reversed(range(int(BUSY_SECONDS / _PAUSE_SECONDS))):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as problem:
            # The low byte is the kind; others tell why the file is busy.
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not attempts_left:
                raise
            time.sleep(_PAUSE_SECONDS)
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


def _migrate(engine: sa.Engine) -> None:
    with reading(engine) as connection:
        if revision_of(connection) == SCHEMA_REVISION:
            return
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        revision = revision_of(connection)
        if revision is None and sa.inspect(connection).get_table_names():
            raise StoreUnavailable(f"the store {name_of(engine)} holds tables of somebody else; name an empty database")
        if revision != SCHEMA_REVISION:
            _upgrade(connection, revision)


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that the database stands at; None where it has never been migrated."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return None if revision is None else str(revision)


def _upgrade(connection: sa.Connection, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreUnavailable(
            f"the store {name_of(connection.engine)} has schema {revision}, newer than {SCHEMA_REVISION} of this "
            "version of regulars; install the version that wrote it"
        )
    command.upgrade(config, SCHEMA_REVISION)
