from datetime import timedelta

import pytest
import sqlalchemy as sa

from api.auth import REMEMBERED_SECONDS, Authenticator
from api.errors import Problem
from api.keys import KeyStore, hash_of
from recommender.errors import StoreUnavailable, UnknownName
from recommender.store_engine import open_engine
from recommender.store_schema import API_KEYS
from tests.conftest import NOW


@pytest.fixture
def keys(lasting_store):
    return KeyStore(lasting_store.engine)


def test_a_key_opens_with_its_text_and_only_its_hash_is_stored(keys, lasting_store):
    key, text = keys.create(["recs:read", "risk:read"], now=NOW, name="storefront")
    assert keys.find(text) == key
    assert (key.name, key.scopes, key.created_at) == ("storefront", ("recs:read", "risk:read"), NOW)
    with lasting_store.engine.connect() as connection:
        stored = connection.execute(sa.select(API_KEYS).where(API_KEYS.c.key_id == key.key_id)).one()
    assert hash_of(text) in stored
    assert text.rpartition("_")[2] not in " ".join(map(str, stored))


@pytest.mark.parametrize("text", ["", "rg", "rg__", "rg_1", "Bearer", "rg_\x00_\x00", "rg_é_ü", "x" * 10_000])
def test_a_text_that_is_no_key_opens_nothing(keys, text):
    assert keys.find(text) is None


def test_a_key_with_one_other_character_opens_nothing(keys):
    _, text = keys.create(["recs:read"], now=NOW)
    other = "A" if text[-1] != "A" else "B"
    assert keys.find(text[:-1] + other) is None


def test_a_revoked_key_opens_nothing_and_stays_listed_with_its_first_revocation(keys):
    key, text = keys.create(["recs:read"], now=NOW)
    keys.revoke(key.key_id, now=NOW + timedelta(hours=1))
    keys.revoke(key.key_id, now=NOW + timedelta(hours=2))
    assert keys.find(text) is None
    assert [one.revoked_at for one in keys.all() if one.key_id == key.key_id] == [NOW + timedelta(hours=1)]


def test_a_key_that_does_not_exist_cannot_be_revoked(keys):
    with pytest.raises(UnknownName, match="there is no key 'k1'"):
        keys.revoke("k1", now=NOW)


def test_an_unknown_scope_is_refused_with_the_list_of_those_that_exist(keys):
    before = keys.all()
    with pytest.raises(UnknownName, match="there is no scope 'all'; there are: admin, catalog:write, "):
        keys.create(["recs:read", "all"], now=NOW)
    assert keys.all() == before


class Clock:
    seconds = 100.0

    def __call__(self):
        return self.seconds


def test_a_revoked_key_is_refused_once_it_is_no_longer_remembered(keys):
    clock = Clock()
    authenticator = Authenticator(keys, seconds=clock)
    key, text = keys.create(["recs:read"], now=NOW)
    assert authenticator.key_of(f"Bearer {text}") == key
    keys.revoke(key.key_id, now=NOW)
    clock.seconds += REMEMBERED_SECONDS / 2
    assert authenticator.key_of(f"bearer {text}") == key
    clock.seconds += REMEMBERED_SECONDS / 2
    with pytest.raises(Problem, match="unknown or revoked"):
        authenticator.key_of(f"Bearer {text}")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "rg_1_2"])
def test_without_a_bearer_key_the_answer_asks_for_one(keys, header):
    with pytest.raises(Problem, match="send an API key as 'Authorization: Bearer KEY'") as refused:
        Authenticator(keys, seconds=Clock()).key_of(header)
    assert (refused.value.status, refused.value.code) == (401, "missing_key")
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}


def test_keys_cannot_be_checked_while_the_store_is_gone(sqlite_url, tmp_path):
    engine = open_engine(sqlite_url)
    (tmp_path / "store.db").unlink()
    with pytest.raises(StoreUnavailable):
        KeyStore(engine).find("rg_1_2")
    engine.dispose()
