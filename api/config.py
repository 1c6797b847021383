"""Settings of the API: read once from the environment, then frozen."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from recommender.errors import SettingError

PREFIX = "REGULARS_"
LOG_LEVELS = ("debug", "info", "warning", "error")


# What each setting means, as README tells it.
MEANINGS = {
    "home": "folder of the store, the bundles and all other state",
    "store": "URL of the event store; empty: SQLite in `store.sqlite` under the home",
    "host": "address that `serve` binds",
    "port": "port that `serve` binds; 0: any free one, printed at start",
    "workers": "worker processes of `serve`",
    "threads": "threads of each worker",
    "api_keys_required": "`false` answers without a key, on a loopback address only",
    "max_body_bytes": "largest accepted request body, in bytes",
    "log_level": f"least severe lines logged: {', '.join(LOG_LEVELS)}",
}


@dataclass(frozen=True)
class Settings:
    """What the environment may set: each field is the variable of its name in capitals after ``REGULARS_``."""

    home: Path = Path("var")
    store: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 4
    api_keys_required: bool = True
    max_body_bytes: int = 5 * 2**20
    log_level: str = "info"

    def __post_init__(self) -> None:
        for name, low, high in (("port", 0, 65_535), ("workers", 1, 256), ("threads", 1, 256)):
            _check_range(name, getattr(self, name), low, high)
        _check_range("max_body_bytes", self.max_body_bytes, 1_024, 2**30)
        if self.log_level not in LOG_LEVELS:
            raise SettingError(f"{PREFIX}LOG_LEVEL is {self.log_level!r}; use one of {', '.join(LOG_LEVELS)}")
        if not self.api_keys_required and not is_loopback(self.host):
            raise SettingError(
                f"{PREFIX}API_KEYS_REQUIRED is false while {PREFIX}HOST is {self.host!r}: "
                "anybody could read the data; bind 127.0.0.1 or require keys"
            )

    @property
    def store_url(self) -> str:
        """URL of the event store."""
        return self.store or f"sqlite:///{self.home.absolute() / 'store.sqlite'}"

    @property
    def artifacts(self) -> Path:
        """Folder of the bundles."""
        return self.home / "artifacts"

    def made_home(self) -> Path:
        """The home, made where it is missing; raises SettingError."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SettingError(f"{PREFIX}HOME {str(self.home)!r} cannot be made: {problem.strerror}") from None
        return self.home

    def environment(self) -> dict[str, str]:
        """The variables that ``read_settings`` turns into these settings."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            variable_of(name): str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in values.items()
        }


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def is_loopback(host: str) -> bool:
    """Whether an address is reached from its own machine only."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment gives; an empty variable counts as not set.

    Raises SettingError for an unknown variable or a value that cannot be used.
    """
    known = {variable_of(one.name): one for one in fields(Settings)}
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise SettingError(f"the variable {unknown[0]} is not known; known are {', '.join(sorted(known))}")
    return Settings(**{known[name].name: _parsed(name, known[name].type, text) for name, text in given.items()})


def _parsed(name: str, kind: Any, text: str) -> Any:
    try:
        return _PARSERS[str(kind)](text)
    except ValueError:
        raise SettingError(f"{name} is {text!r}; it must be {_EXPECTED[str(kind)]}") from None


def _parse_boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"


_PARSERS: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "bool": _parse_boolean, "Path": Path}
_EXPECTED = {"int": "a whole number", "bool": "true or false"}


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise SettingError(f"{variable_of(name)} is {value}; it must be {low} to {high}")
