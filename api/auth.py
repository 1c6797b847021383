"""Who asks, and what they may: a key in ``Authorization: Bearer``, with scopes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from flask import request

from api.config import is_loopback
from api.errors import Problem
from api.keys import ApiKey, KeyStore, hash_of

REMEMBERED_SECONDS = 2.0
REMEMBERED_KEYS = 4_096


class Authenticator:
    """Finds the key of a request; a key once found is remembered for two seconds, so revocation needs no more."""

    def __init__(self, keys: KeyStore, *, seconds: Callable[[], float]) -> None:
        self._keys = keys
        self._seconds = seconds
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, tuple[float, ApiKey]] = OrderedDict()

    def key_of(self, header: str | None) -> ApiKey:
        """The key that an Authorization header carries; raises the 401 where there is none that is known."""
        scheme, _, text = (header or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise _unauthorized("missing_key", "send an API key as 'Authorization: Bearer KEY'")
        key = self._find(text.strip())
        if key is None:
            raise _unauthorized(
                "unknown_key", "the API key is unknown or revoked; make one with 'regulars keys create'"
            )
        return key

    def _find(self, text: str) -> ApiKey | None:
        digest = hash_of(text)
        now = self._seconds()
        with self._lock:
            until, remembered = self._remembered.get(digest, (now, None))
        if remembered is not None and now < until:
            return remembered
        key = self._keys.find(text)
        with self._lock:
            self._remembered.pop(digest, None)
            if key is not None:
                self._remembered[digest] = (now + REMEMBERED_SECONDS, key)
            while len(self._remembered) > REMEMBERED_KEYS:
                self._remembered.popitem(last=False)
        return key


def require(authenticator: Authenticator, scope: str) -> None:
    """Raise the 401 or the 403 where the key of the current request does not carry the scope."""
    key = authenticator.key_of(request.headers.get("Authorization"))
    if scope not in key.scopes:
        challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
        detail = f"this needs the scope {scope!r}; the key has {', '.join(key.scopes) or 'none'}"
        raise Problem(403, "missing_scope", detail, headers=challenge)


def asked_on_loopback() -> bool:
    """Whether the current request comes from this machine itself and no proxy has passed it on."""
    is_forwarded = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"))
    return not is_forwarded and is_loopback(request.remote_addr or "")


def _unauthorized(code: str, detail: str) -> Problem:
    return Problem(401, code, detail, headers={"WWW-Authenticate": "Bearer"})
