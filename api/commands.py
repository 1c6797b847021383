"""``regulars serve`` and ``regulars keys``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from api.config import read_settings

SCOPES_HELP = (
    "What the key may do, such as recs:read or risk:read; risk:read_all beside risk:read also lists customers "
    "without consent to marketing. Repeat for several; a wrong one names all."
)

if TYPE_CHECKING:
    from api.keys import ApiKey, KeyStore


@click.command()
@click.option("--host", help="Address to bind, default REGULARS_HOST or 127.0.0.1.")
@click.option("--port", type=int, help="Port to bind, 0 for any free one; default REGULARS_PORT or 8000.")
@click.option("--workers", type=int, help="Worker processes, default REGULARS_WORKERS or 2.")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the API; the address is printed once it answers."""
    given: dict[str, Any] = {"host": host, "port": port, "workers": workers}
    settings = replace(read_settings(os.environ), **{name: one for name, one in given.items() if one is not None})
    # A new program instead of a call: the workers shall hold nothing of what the other commands have imported.
    command = [sys.executable, "-P", "-m", "api.server"]
    os.execve(command[0], command, os.environ | settings.environment())


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command("create")
@click.option("--scope", "scopes", multiple=True, required=True, help=SCOPES_HELP)
@click.option("--name", help="What the key is for.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def create_key(scopes: tuple[str, ...], name: str | None, as_json: bool) -> None:
    """Create a key and print it; it is never shown again."""
    with _key_store() as store:
        key, text = store.create(scopes, now=_now(), name=name)
    click.echo(json.dumps({"key": text, **_told(key)}) if as_json else text)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_keys(as_json: bool) -> None:
    """List all keys with their scopes, also revoked ones; the keys themselves are not stored."""
    with _key_store() as store:
        found = [_told(key) for key in store.all()]
    if as_json:
        click.echo(json.dumps(found))
        return
    for key in found:
        state = f"revoked {key['revoked_at']}" if key["revoked_at"] else "active"
        click.echo("\t".join((key["key_id"], state, key["created_at"], " ".join(key["scopes"]), key["name"] or "")))


@keys.command("revoke")
@click.argument("key_id")
def revoke_key(key_id: str) -> None:
    """Revoke the key with the id KEY_ID; running servers refuse it within two seconds."""
    with _key_store() as store:
        store.revoke(key_id, now=_now())


@contextmanager
def _key_store() -> Iterator[KeyStore]:
    from api.keys import KeyStore
    from recommender.store_engine import open_engine

    settings = read_settings(os.environ)
    settings.made_home()
    engine = open_engine(settings.store_url)
    try:
        yield KeyStore(engine)
    finally:
        engine.dispose()


def _now() -> Any:
    from api.app import utc_now

    return utc_now()


def _told(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created_at": _text_of(key.created_at),
        "revoked_at": _text_of(key.revoked_at),
    }


def _text_of(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
