"""API keys: made of 256 random bits, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from recommender.errors import UnknownName
from recommender.store_engine import reading, writing
from recommender.store_schema import API_KEYS

SCOPES = (
    "recs:read",
    "risk:read",
    # also those who may not be sent offers
    "risk:read_all",
    "segments:write",
    "offers:read",
    "offers:write",
    "events:write",
    "catalog:write",
    "experience:read",
    "privacy:write",
    "admin",
)
PREFIX = "rg"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class ApiKey:
    """What is kept of a key; the key itself is not."""

    key_id: str
    name: str | None
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


class KeyStore:
    """The keys that open the API, in the table ``api_keys`` of the event store."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def create(self, scopes: Iterable[str], *, now: datetime, name: str | None = None) -> tuple[ApiKey, str]:
        """A new key and its text, which can never be shown again; raises UnknownName for an unknown scope."""
        wanted = tuple(dict.fromkeys(scopes))
        for scope in wanted:
            if scope not in SCOPES:
                raise UnknownName("scope", scope, SCOPES)
        key = ApiKey(secrets.token_hex(6), name, wanted, now)
        text = f"{PREFIX}_{key.key_id}_{secrets.token_urlsafe(32)}"
        values = {
            "key_id": key.key_id,
            "key_hash": hash_of(text),
            "name": name,
            "scopes": " ".join(wanted),
            "created_at": _microseconds(now),
        }
        with writing(self._engine) as connection:
            connection.execute(sa.insert(API_KEYS), values)
        return key, text

    def all(self) -> list[ApiKey]:
        """All keys, also revoked ones, oldest first."""
        query = sa.select(API_KEYS).order_by(API_KEYS.c.created_at, API_KEYS.c.key_id)
        with reading(self._engine) as connection:
            return [_key_of(row) for row in connection.execute(query)]

    def revoke(self, key_id: str, *, now: datetime) -> None:
        """Make a key useless from now on, once and for all; raises UnknownName where there is none."""
        change = (
            sa.update(API_KEYS)
            .where(API_KEYS.c.key_id == key_id)
            .values(revoked_at=sa.func.coalesce(API_KEYS.c.revoked_at, _microseconds(now)))
        )
        with writing(self._engine) as connection:
            if connection.execute(change).rowcount == 0:
                raise UnknownName("key", key_id, connection.scalars(sa.select(API_KEYS.c.key_id)))

    def find(self, text: str) -> ApiKey | None:
        """The key that a text opens, None where it is unknown or revoked."""
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        if prefix != PREFIX or not secret or not text.isascii() or "\x00" in text:
            return None
        query = sa.select(API_KEYS).where(API_KEYS.c.key_id == key_id, API_KEYS.c.revoked_at.is_(None))
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        if row is None or not hmac.compare_digest(row.key_hash, hash_of(text)):
            return None
        return _key_of(row)


def hash_of(text: str) -> str:
    """SHA-256 of a key; a key of 256 random bits needs no salt and no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def _key_of(row: sa.Row[tuple[object, ...]]) -> ApiKey:
    revoked_at = None if row.revoked_at is None else _instant(row.revoked_at)
    return ApiKey(row.key_id, row.name, tuple(row.scopes.split()), _instant(row.created_at), revoked_at)


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
