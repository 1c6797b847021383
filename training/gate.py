"""The gate: which bundle may be promoted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.bundle import ModelBundle
from recommender.metrics import paired_interval
from training.selection import Choice


@dataclass(frozen=True)
class Verdict:
    """Whether a bundle may be promoted, and the sentences that say why not."""

    passed: bool
    objections: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """What the manifest says about the gate."""
        return {"passed": self.passed, "objections": list(self.objections)}


def judge(
    bundle: ModelBundle, choices: Mapping[str, Choice], served: Mapping[str, Any] | None, *, seed: int
) -> Verdict:
    """Refuse a broken bundle, and one with an answer that is worse than its baseline or than what is served.

    Worse means by a paired 95 % interval that lies wholly below 0.

    ``served`` is the manifest of the bundle that is served, None before the first. Its models are judged on the same
    window as ours, fitted on the same rows; one that this training did not fit cannot be compared and does not
    object. The first bundle passes where it is not broken.
    """
    objections = _broken(bundle)
    if served is not None:
        for answer, choice in choices.items():
            objections += _objections(answer, choice, served["shipped"].get(answer), seed)
    return Verdict(not objections, tuple(objections))


def _objections(answer: str, choice: Choice, served: str | None, seed: int) -> list[str]:
    ours = choice.judged[choice.shipped].values
    rivals = {"its baseline": choice.baseline, "the served bundle": served}
    found = []
    for role, rival in rivals.items():
        if rival not in choice.judged or rival == choice.shipped:
            continue
        gain = paired_interval(ours, choice.judged[rival].values, seed=seed)
        if gain.high < 0:
            found.append(f"{answer}: {choice.shipped} is worse than {role} ({rival}) by {-gain.mean:.4f}")
    return found


def _broken(bundle: ModelBundle) -> list[str]:
    problems = []
    for name, slates in bundle.slates.items():
        if np.any(slates.positions >= len(bundle.items)):
            problems.append(f"slates {name}: a position lies outside the catalogue")
        if np.any(np.isnan(slates.scores) != (slates.positions < 0)):
            problems.append(f"slates {name}: an item has no score")
    if len(bundle.items) and not np.any(bundle.popular.positions >= 0):
        problems.append("no item is popular")
    return problems
