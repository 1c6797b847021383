"""Which model is shipped for an answer: decided on a past window, customer by customer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recommender.metrics import Interval, intervals, paired_interval


@dataclass(frozen=True)
class Judged:
    """How one model did on a window: by measure one value per customer, NaN where there is none.

    ``decisive`` names the measure that decides; for every measure a higher value is better.
    """

    measures: Mapping[str, np.ndarray]
    decisive: str

    @property
    def values(self) -> np.ndarray:
        """The values that decide."""
        return self.measures[self.decisive]


@dataclass(frozen=True)
class Choice:
    """The model shipped for an answer, and what it was chosen from.

    ``gains`` holds the paired difference of every model to the baseline with its 95 % interval.
    """

    answer: str
    shipped: str
    baseline: str
    means: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Interval]
    judged: Mapping[str, Judged]

    @property
    def is_baseline(self) -> bool:
        """Whether nothing was shown to be better than the simple baseline."""
        return self.shipped == self.baseline

    def facts(self) -> dict[str, Any]:
        """What the manifest says about the choice."""
        return {
            "shipped": self.shipped,
            "baseline": self.baseline,
            "is_baseline": self.is_baseline,
            "models": {
                name: {measure: asdict(value) for measure, value in measures.items()}
                for name, measures in self.means.items()
            },
            "gains_over_baseline": {name: asdict(gain) for name, gain in self.gains.items()},
        }


def choose(
    answer: str,
    judged: Mapping[str, Judged],
    *,
    baseline: str,
    seed: int,
    combined: Collection[str] = (),
    barred: Collection[str] = (),
    clusters: np.ndarray | None = None,
) -> Choice:
    """The best model by the decisive measure among those whose paired gain over the baseline is above 0.

    The 95 % interval of the gain must lie wholly above 0; where no model's does, the baseline is shipped. A model that
    is ``combined`` of others must also gain so over the best that is not: what costs more has to be better. Models
    that are ``barred`` are not chosen. ``clusters`` numbers the customer of each value where one may have several.
    """
    means = {name: intervals(one.measures, seed=seed, clusters=clusters) for name, one in judged.items()}
    differences = {name: one.values - judged[baseline].values for name, one in judged.items() if name != baseline}
    gains = intervals(differences, seed=seed, clusters=clusters)
    better = [name for name in gains if gains[name].low > 0 and name not in barred]
    better.sort(key=lambda name: -gains[name].mean)
    shipped = next((name for name in better if name not in combined), baseline)
    for name in better:
        ahead = paired_interval(judged[name].values, judged[shipped].values, seed=seed, clusters=clusters)
        if name in combined and ahead.low > 0:
            shipped = name
            break
    return Choice(answer, shipped, baseline, means, gains, judged)
