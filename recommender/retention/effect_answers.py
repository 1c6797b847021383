"""What is told of the effect of treatments: figures of groups, no customer among them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from recommender.json_text import json_text
from recommender.periods import instant, rfc3339

RAISES, LOWERS, NOTHING_SEEN, TOO_FEW = "raises_retention", "lowers_retention", "no_effect_seen", "too_few_to_tell"
NO_UNITS, NO_HOLDOUT, ALL_HELD_OUT, MISMATCH = "nobody_eligible", "no_holdout", "all_held_out", "sample_ratio_mismatch"
VERDICTS: Mapping[str, str] = {
    RAISES: "keeps customers",
    LOWERS: "drives customers away",
    NOTHING_SEEN: "no effect seen, and one worth having would have been",
    TOO_FEW: "too few to tell",
    NO_UNITS: "nobody was meant for it whose window is complete",
    NO_HOLDOUT: "not measurable: nobody is held out",
    ALL_HELD_OUT: "not measurable: everybody is held out",
    MISMATCH: "not to be trusted: chance does not split the groups so unevenly",
}
# Why a customer is left out.
WINDOW_OPEN, NO_OUTCOME, OTHER_SHARE = "window_not_complete", "no_outcome", "other_holdout_share"
# The row of all treatments together.
ANY_TREATMENT = "any"


@dataclass(frozen=True)
class Estimate:
    """A value and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies wholly on one side of 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class TreatmentEffect:
    """What is known of the effect of one treatment.

    ``retention`` is the share that stayed of those treated less of those held out, ``revenue`` the same of revenue less
    returns per customer within the horizon. ``detectable`` is the smallest effect on retention that would be found with
    a probability of 80 %, ``mismatch_probability`` how often chance alone splits the groups so unevenly.
    ``cost_per_customer`` is that of each treated; ``cost_per_saved`` is told only where retention was raised and there
    was a cost.
    """

    treatment: str
    verdict: str
    treated: int
    held_out: int
    retained_treated: float | None = None
    retained_held_out: float | None = None
    retention: Estimate | None = None
    revenue: Estimate | None = None
    detectable: float | None = None
    mismatch_probability: float | None = None
    contacted_treated: float | None = None
    contacted_held_out: float | None = None
    cost_per_customer: float | None = None
    cost_per_saved: Estimate | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdict_text(self) -> str:
        """The verdict in words."""
        return VERDICTS[self.verdict]


@dataclass(frozen=True)
class MeasuredEffects:
    """The effects of all treatments of an experiment, measured as of an instant on complete windows.

    ``effects`` has a row per treatment and one of all together, ``any``: each customer at the first suggestion at all.
    ``left_out`` counts customers by why they could not be measured.
    """

    definition: str
    horizon_days: int
    experiment: str
    holdout_share: float
    as_of: datetime | None = None
    effects: tuple[TreatmentEffect, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> str:
        """As text for the store or for programs."""
        told = asdict(self)
        for row, effect in zip(told["effects"], self.effects, strict=True):
            row["verdict_text"] = effect.verdict_text
        return json_text({**told, "as_of": None if self.as_of is None else rfc3339(self.as_of)})

    @classmethod
    def from_json(cls, text: str) -> MeasuredEffects:
        """What ``to_json`` wrote."""
        told = json.loads(text)
        effects = tuple(_effect(one) for one in told.pop("effects"))
        as_of = told.pop("as_of")
        return cls(**told, as_of=None if as_of is None else instant(as_of), effects=effects)


_ESTIMATES = ("retention", "revenue", "cost_per_saved")
_EFFECT_FIELDS = tuple(one.name for one in fields(TreatmentEffect))


def _effect(told: Mapping[str, Any]) -> TreatmentEffect:
    values = {name: told[name] for name in _EFFECT_FIELDS}
    for name in _ESTIMATES:
        values[name] = None if values[name] is None else Estimate(**values[name])
    return TreatmentEffect(**{**values, "notes": tuple(values["notes"])})
