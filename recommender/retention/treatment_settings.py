"""The treatments of a configuration: the default ladder, with what the operator says over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from recommender.errors import SettingError
from recommender.retention.treatments import DEFAULT_BY_BAND, DEFAULT_LADDER, Treatment, TreatmentPolicy

_TREATMENT_KEYS = tuple(one.name for one in fields(Treatment) if one.name != "name")
_POLICY_KEYS = tuple(one.name for one in fields(TreatmentPolicy))


def policy_from(settings: Any) -> TreatmentPolicy:
    """The default policy with the table ``[treatments]`` of a configuration over it, key by key.

    ``ladder.<name>`` changes a rung or adds one above all others, ``ladder.<name> = false`` takes one away. Raises
    SettingError for a key or a value that does not exist, with those that do.
    """
    given = _table("treatments", settings, _POLICY_KEYS)
    ladder = {one.name: one for one in DEFAULT_LADDER}
    for name, rung in _table("treatments.ladder", given.get("ladder", {})).items():
        if rung is False:
            ladder.pop(name, None)
        else:
            ladder[name] = _treatment(name, rung, ladder.get(name))
    by_band = {band: dict(by_lever) for band, by_lever in DEFAULT_BY_BAND.items()}
    for band, by_lever in _table("treatments.by_band", given.get("by_band", {})).items():
        by_band[band] = {**by_band.get(band, {}), **_table(f"treatments.by_band.{band}", by_lever)}
    plain = {key: value for key, value in given.items() if key not in ("ladder", "by_band")}
    return TreatmentPolicy(ladder=tuple(ladder.values()), by_band=by_band, **plain)


def policy_to_settings(policy: TreatmentPolicy) -> dict[str, Any]:
    """What ``policy_of`` reads, for a manifest; a list keeps the order of the ladder."""
    return {**asdict(policy), "ladder": [asdict(one) for one in policy.ladder]}


def policy_of(facts: Mapping[str, Any]) -> TreatmentPolicy:
    """The policy that a manifest holds; the default where it holds none."""
    kept = facts.get("treatments")
    if kept is None:
        return TreatmentPolicy()
    return TreatmentPolicy(**{**kept, "ladder": tuple(Treatment(**one) for one in kept["ladder"])})


def _treatment(name: str, given: Any, default: Treatment | None) -> Treatment:
    what = f"treatments.ladder.{name}"
    keys = _table(what, given, _TREATMENT_KEYS)
    if default is None and "sentence" not in keys:
        raise SettingError(f"{what} has no sentence; say what is to be done")
    kept = {key: getattr(default, key) for key in _TREATMENT_KEYS} if default else {}
    return Treatment(name, **{**kept, **keys})


def _table(what: str, given: Any, known: tuple[str, ...] | None = None) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise SettingError(f"{what} is {given!r}; it must be a table of keys and values")
    unknown = sorted(set(given) - set(known)) if known else []
    if unknown:
        raise SettingError(f"{what}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known or ()))}")
    return given
