"""The gate: which bundle may be promoted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.bundle import ModelBundle
from recommender.metrics import paired_interval
from training.list_evaluation import POPULARITY
from training.selection import Choice

# A slice of fewer customers says too little to object.
SLICE_CUSTOMERS = 50
# A list of what a customer buys again does not serve discoveries, and only generators that know attributes serve cold
# items: popularity may be better there.
_BY_CUSTOMER = ("light customers", "heavy customers", "customers with few baskets")
SERVED_SLICES = {"all": ("repeat items", *_BY_CUSTOMER), "new": _BY_CUSTOMER}
# Part of the way from the same list for everybody to lists as different as the histories that a list must go at least.
OVERLAP_MARGIN = 0.1


@dataclass(frozen=True)
class Verdict:
    """Whether a bundle may be promoted, and the sentences that say why not."""

    passed: bool
    objections: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """What the manifest says about the gate."""
        return {"passed": self.passed, "objections": list(self.objections)}


def judge(
    bundle: ModelBundle,
    choices: Mapping[str, Choice],
    served: Mapping[str, Any] | None,
    *,
    seed: int,
    lists: Mapping[str, Any] | None = None,
) -> Verdict:
    """Refuse a broken bundle, and one with an answer that is worse than its baseline or than what is served.

    Worse means by a paired 95 % interval that lies wholly below 0.

    ``served`` is the manifest of the bundle that is served, None before the first. Its models are judged on the same
    window as ours, fitted on the same rows; one that this training did not fit cannot be compared and does not
    object. ``lists`` has the figures of ``evaluate_lists`` by slate: personalised lists must beat popularity in the
    slices that they serve, and must differ between customers. The first bundle passes where it is not broken.
    """
    objections = _broken(bundle)
    if served is not None:
        for answer, choice in choices.items():
            objections += _objections(answer, choice, served["shipped"].get(answer), seed)
            if lists and answer in lists and choice.shipped != POPULARITY:
                objections += worse_slices(answer, choice.shipped, lists[answer])
                objections += _too_alike(answer, choice.shipped, lists[answer])
    return Verdict(not objections, tuple(objections))


def worse_slices(answer: str, shipped: str, figures: Mapping[str, Any]) -> list[str]:
    """Slices that the answer serves in which popularity is better, by an interval wholly below 0."""
    found = []
    for part in SERVED_SLICES[answer]:
        gain = figures["slices"].get(part, {}).get("models", {}).get(shipped, {}).get("gain_over_popularity")
        if gain and gain["customers"] >= SLICE_CUSTOMERS and gain["high"] < 0:
            found.append(f"{answer}, {part}: {shipped} is worse than {POPULARITY} by {-gain['mean']:.4f}")
    return found


def _too_alike(answer: str, shipped: str, figures: Mapping[str, Any]) -> list[str]:
    """The lists of customers are nearly those of popularity although their histories differ."""
    ours, theirs = (figures["models"].get(name, {}).get("overlap") for name in (shipped, POPULARITY))
    bound = overlap_bound(figures)
    if not ours or not theirs or np.isnan(bound) or not ours["low"] > bound:
        return []
    return [
        f"{answer}: two customers share {ours['mean']:.1%} of the lists of {shipped}, more than {bound:.1%}, "
        "although their histories differ; they are hardly personal"
    ]


def overlap_bound(figures: Mapping[str, Any]) -> float:
    """The largest share of a list that two customers may have in common on average; NaN where it is not known.

    The bound lies OVERLAP_MARGIN of the way from the overlap of popularity, which tells no customers apart, to the
    overlap that cannot be avoided: that of the customers' own histories, and that of lists drawn by chance, which
    is the share of the catalogue that a list holds. So five items, or customers who all buy the same, object to
    nothing.
    """
    theirs = figures["models"].get(POPULARITY, {}).get("overlap")
    if not theirs or not figures["items"]:
        return float("nan")
    chance = min(1.0, figures["places"] / figures["items"])
    unavoidable = max(chance, figures["histories"]["overlap"])
    return float(theirs["mean"] - OVERLAP_MARGIN * max(0.0, theirs["mean"] - unavoidable))


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
