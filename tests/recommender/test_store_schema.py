"""The schema of the store, how it comes about, and what is said where a database cannot be used."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from recommender import store_engine
from recommender.customer_answers import RiskFilter
from recommender.errors import StoreUnavailable
from recommender.event_store import EventStore, open_event_store
from recommender.score_store import ScoreStore
from recommender.store_engine import open_engine, reading, revision_of, writing
from recommender.store_schema import COUNTER_NAMES, COUNTERS, EVENT_TABLES, METADATA, SCHEMA_REVISION, SEQUENCE
from recommender.touchpoints import TABLES
from tests.conftest import NOW


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    opened = open_engine(store_url)
    yield opened
    opened.dispose()


def test_migrating_an_empty_database_gives_the_declared_schema(engine: sa.Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        assert revision_of(connection) == SCHEMA_REVISION
        assert sorted(connection.scalars(sa.select(COUNTERS.c.name))) == sorted(COUNTER_NAMES)


def test_the_schema_revision_is_the_last_migration() -> None:
    assert ScriptDirectory(str(Path(store_engine.__file__).parent / "migrations")).get_heads() == [SCHEMA_REVISION]


def test_scores_of_the_revision_before_are_kept_and_found_by_their_groups(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(store_engine, "SCHEMA_REVISION", "0002")
        before = open_engine(store_url)
    values = (
        "INSERT INTO scores (customer_id, generation, model_version, as_of, in_population, churn_probability, "
        "horizon_days, population, band, predicted_value, expected_loss, lever, action, reasons, region, order_count) "
        "VALUES ('{0}', 1, 'v1', 5, true, 0.5, 28, 'all', 'high', 2.0, {1}, 'offer', 'call', '[]', '{2}', 3)"
    )
    with before.begin() as connection:
        for customer_id, loss, region in (("ann", 1.0, "north"), ("bob", 2.0, "south"), ("cy", 3.0, "north")):
            connection.exec_driver_sql(values.format(customer_id, loss, region))
        consents = "('ann', false, 1), ('bob', true, 2)"
        connection.exec_driver_sql(
            f"INSERT INTO customers (customer_id, consent_marketing, sequence) VALUES {consents}"
        )
        connection.exec_driver_sql("UPDATE counters SET value = 1 WHERE name <> 'sequence'")
    before.dispose()
    after = open_engine(store_url)
    rows, _ = ScoreStore(after).page(RiskFilter(regions=("north",), min_loss=1.0))
    assert [(row.customer_id, row.region) for row in rows] == [("cy", "north"), ("ann", "north")]
    agreed, _ = ScoreStore(after).page(RiskFilter(consent_marketing=True))
    assert [row.customer_id for row in agreed] == ["cy", "bob"]
    after.dispose()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_of_the_border_has_its_columns_key_and_change_number(name: str) -> None:
    declared, stored = TABLES[name], EVENT_TABLES[name]
    assert tuple(stored.columns.keys()) == (*declared.column_names, SEQUENCE)
    assert tuple(stored.primary_key.columns.keys()) == declared.key


def test_opening_again_changes_nothing(store_url: str, engine: sa.Engine) -> None:
    with writing(engine) as connection:
        connection.execute(sa.update(COUNTERS).where(COUNTERS.c.name == SEQUENCE).values(value=7))
    again = open_event_store(store_url, clock=lambda: NOW)
    assert again.last_sequence() == 7
    again.close()


def test_a_schema_of_a_newer_version_is_recognised(store_url: str, engine: sa.Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match=f"has schema 9999, newer than {SCHEMA_REVISION} of this version"):
        open_engine(store_url)


def test_tables_without_a_revision_are_not_touched(store_url: str, engine: sa.Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    with pytest.raises(StoreUnavailable, match="holds tables of somebody else; name an empty database"):
        open_engine(store_url)


def test_many_workers_may_open_a_new_store_at_once(store_url: str) -> None:
    with ThreadPoolExecutor(4) as workers:
        stores = list(workers.map(lambda _: open_event_store(store_url, clock=lambda: NOW), range(4)))
    assert len({store.identity() for store in stores}) == 1
    for store in stores:
        store.close()


def test_a_new_file_that_another_holds_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(1) as worker:
        other.execute("BEGIN EXCLUSIVE")
        opening = worker.submit(open_event_store, f"sqlite:///{path}", clock=lambda: NOW)
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.5)
        other.execute("COMMIT")
        opening.result().close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("order_id,item_id\n" * 100)
    with pytest.raises(StoreUnavailable, match=r"the store .*store\.db cannot be used: file is not a database"):
        open_engine(f"sqlite:///{tmp_path / 'store.db'}")


@pytest.mark.parametrize("name", ["missing/store.db", "."])
def test_a_path_that_cannot_be_a_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreUnavailable, match=f"the store {tmp_path}.* cannot be used: "):
        open_engine(f"sqlite:///{tmp_path}/{name}")


@pytest.mark.parametrize("name", ["a b%20c.db", "ü?#&.db", "%%(x)s.db"])
def test_a_path_may_hold_any_character(tmp_path: Path, name: str) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path / name)).render_as_string()
    store = open_event_store(url, clock=lambda: NOW)
    store.ping()
    store.close()
    assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "the URL of the store cannot be read; write sqlite:///path/store.db"),
        ("store.db", "the URL of the store cannot be read"),
        ("sqlite://", "the store sqlite:// is of no known kind"),
        ("sqlite:///:memory:", "is of no known kind"),
        ("mysql://ann:secret@host/shop", r"the store mysql://ann:\*\*\*@host/shop is of no known kind; use sqlite"),
        (
            "postgresql+psycopg://ann:secret@localhost:1/shop",
            r"postgresql\+psycopg://ann:\*\*\*@localhost:1/shop cannot",
        ),
        ("postgresql://ann:secret@localhost:1/shop", r"postgresql\+psycopg://ann:\*\*\*@localhost:1/shop cannot"),
    ],
)
def test_a_wrong_url_is_named_without_its_password(url: str, message: str) -> None:
    with pytest.raises(StoreUnavailable, match=message) as error:
        open_engine(url)
    assert "secret" not in str(error.value)


USES: list[Callable[[EventStore], object]] = [
    lambda store: store.ping(),
    lambda store: store.counts(),
    lambda store: store.append_rows(
        "tickets", [{"ticket_id": "t", "customer_id": "a", "opened_at": NOW.replace(year=2020)}]
    ),
    lambda store: store.read("tickets", before=NOW),
    lambda store: list(store.changes("tickets", 0)),
    lambda store: store.profile("ann"),
    lambda store: store.erase("ann"),
]


@pytest.mark.parametrize("use", USES)
def test_a_removed_file_is_told_and_not_made_anew(
    tmp_path: Path, sqlite_store: EventStore, use: Callable[[EventStore], object]
) -> None:
    sqlite_store.ping()
    for path in tmp_path.glob("store.db*"):
        path.unlink()
    with pytest.raises(StoreUnavailable, match=r"the store .*store\.db cannot be used"):
        use(sqlite_store)
    assert not (tmp_path / "store.db").exists()


def test_a_file_put_in_place_of_the_store_is_told(tmp_path: Path, sqlite_store: EventStore) -> None:
    (tmp_path / "store.db").rename(tmp_path / "old.db")
    (tmp_path / "store.db").touch()
    with pytest.raises(StoreUnavailable, match="was replaced by another file; open the store anew"):
        sqlite_store.ping()


def test_a_dropped_table_is_told(store: EventStore) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE tickets")
    with pytest.raises(StoreUnavailable, match=r"cannot be used: .*tickets"):
        store.read("tickets", before=NOW)


def test_opening_and_serving_load_no_pandas(tmp_path: Path) -> None:
    program = """
import json, sys
from datetime import datetime, UTC
from recommender.event_store import open_event_store
from recommender.score_store import ScoreStore
from recommender.customer_answers import RiskFilter
store = open_event_store(sys.argv[1], clock=lambda: datetime(2024, 6, 1, tzinfo=UTC))
row = {"ticket_id": "t", "customer_id": "ann", "opened_at": "2024-01-01T00:00:00Z"}
store.append_rows("tickets", [row]); store.append_rows("tickets", [row])
store.rows_of_customer("tickets", "ann", before=datetime(2024, 6, 1, tzinfo=UTC))
store.upsert("customers", {"customer_id": "ann"}); store.profile("ann"); store.rows_by_key("items", ["tea"])
ScoreStore(store.engine).page(RiskFilter()); store.erase("ann"); store.close()
print(json.dumps(sorted({"pandas", "pyarrow", "sklearn"} & set(sys.modules))))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{tmp_path}/s.db"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
