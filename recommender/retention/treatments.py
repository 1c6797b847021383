"""What is done about a customer at risk: a ladder of treatments, who gets which, and who is held out from all of them.

The mildest rung comes first: service recovery, content, loyalty points, and only then an offer. ``RULES`` say who gets
what.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from recommender.errors import SettingError, UnknownName
from recommender.retention.causes import LEVERS
from recommender.retention.risk_policy import TREATED_BANDS

RULES = (
    "Nobody outside the bands of the table is treated: a low risk is left alone",
    "An open severe ticket, an order that is late now, or a fresh bad survey answer asks for the recovery treatment "
    "whatever the lever, and where that does not pay, for nothing: no upsell while something is wrong",
    "Otherwise the band and the lever of the strongest reason name the treatment",
    "Without consent to marketing nothing but the recovery treatment is suggested",
    "A treatment must pay: its cost may not exceed saved_share of the expected loss, the most that it can save; one "
    "that does not gives way to the next milder one that does, the recovery treatment excepted, and else to nothing",
    "Customers who are held out get nothing at all, so that effects can be measured",
)
NONE = "none"
NO_ACTION = "Nothing to do"
HELD_OUT = "Do nothing beyond usual service: this customer is held out, so that effects can be measured"
SERVICE_RECOVERY, CONTENT, POINTS, OFFER = "service_recovery", "content", "points", "offer"
_HASH_RANGE = 2**64


def _check_share(what: str, share: float) -> None:
    if not _is_finite(share) or not 0 <= share <= 1:
        raise SettingError(f"{what} is {share!r}; it must be a number within 0 to 1")


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class Treatment:
    """One rung of the ladder.

    ``sentence`` tells people what to do. ``cost`` is what treating one customer costs, in the account currency; 0 where
    it costs nothing or nobody told. ``saved_share`` is the share of the expected loss that it saves at most: 1 promises
    nothing; put in what ``regulars effects`` measured.
    """

    name: str
    sentence: str
    cost: float = 0.0
    saved_share: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.sentence, str) or not self.sentence.strip():
            raise SettingError(f"treatment {self.name!r}: sentence is {self.sentence!r}; say what is to be done")
        if not _is_finite(self.cost) or self.cost < 0:
            raise SettingError(f"treatment {self.name!r}: cost is {self.cost!r}; it must be a number of at least 0")
        _check_share(f"treatment {self.name!r}: saved_share", self.saved_share)

    def pays(self, expected_loss: float | None) -> bool:
        """Whether it can save what it costs; where the loss is not known, only what costs nothing does."""
        return self.cost == 0 or (expected_loss is not None and self.cost <= self.saved_share * expected_loss)


@dataclass(frozen=True)
class Situation:
    """What a policy looks at: how likely and costly a loss is, why, and what the customer allows."""

    band: str | None
    lever: str
    expected_loss: float | None
    consent_marketing: bool = True
    has_open_problem: bool = False


DEFAULT_LADDER = (
    Treatment(SERVICE_RECOVERY, "Call the customer and solve what is open before anything else"),
    Treatment(CONTENT, "Show what is new in the categories this customer buys, in person or by message"),
    Treatment(POINTS, "Give loyalty points on the next order of what this customer buys"),
    Treatment(OFFER, "Make a win-back offer on what this customer used to buy"),
)
DEFAULT_BY_BAND: Mapping[str, Mapping[str, str]] = {
    "high": {"service": SERVICE_RECOVERY, "product": CONTENT, "offer": OFFER, "none": POINTS},
    "medium": {"service": SERVICE_RECOVERY, "product": CONTENT, "offer": POINTS, "none": CONTENT},
}


@dataclass(frozen=True)
class TreatmentPolicy:
    """The ladder in force.

    ``by_band`` names by band and lever the treatment, or ``none``; ``recovery`` the one for open problems.
    ``holdout_share`` of all customers, drawn by a hash of the name of the ``experiment`` and the customer's id, is
    never treated: the same customers after every training, and with a larger share those and more.
    """

    ladder: tuple[Treatment, ...] = DEFAULT_LADDER
    by_band: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: DEFAULT_BY_BAND)
    recovery: str = SERVICE_RECOVERY
    holdout_share: float = 0.05
    experiment: str = "retention"

    def __post_init__(self) -> None:
        names = [one.name for one in self.ladder]
        for name in (NONE, ""):
            if name in names:
                raise SettingError(f"treatments: a treatment cannot be called {name!r}; choose another name")
        _check_share("treatments: holdout_share", self.holdout_share)
        if not isinstance(self.experiment, str) or not self.experiment:
            raise SettingError(f"treatments: experiment is {self.experiment!r}; give the experiment a name")
        if self.recovery not in names:
            raise UnknownName("treatment for open problems, treatments.recovery:", self.recovery, names)
        for band, by_lever in self.by_band.items():
            if band not in TREATED_BANDS:
                raise UnknownName("band to treat in treatments.by_band:", band, TREATED_BANDS)
            for lever, name in by_lever.items():
                if lever not in LEVERS:
                    raise UnknownName(f"lever in treatments.by_band.{band}:", lever, LEVERS)
                if name not in (*names, NONE):
                    raise UnknownName(f"treatment for treatments.by_band.{band}.{lever}:", name, (*names, NONE))

    def suggested(self, situation: Situation) -> Treatment | None:
        """The treatment of a customer who is not held out, None for nothing."""
        by_lever = self.by_band.get(situation.band or "")
        if by_lever is None:
            return None
        name = self.recovery if situation.has_open_problem else by_lever.get(situation.lever, NONE)
        if name == NONE or not (situation.consent_marketing or name == self.recovery):
            return None
        return next((one for one in self._rungs[name] if one.pays(situation.expected_loss)), None)

    @cached_property
    def _rungs(self) -> Mapping[str, tuple[Treatment, ...]]:
        """By name the treatment and all milder ones but the recovery treatment, the mildest last."""
        found = {}
        for place, one in enumerate(self.ladder):
            milder = (other for other in self.ladder[:place][::-1] if other.name != self.recovery)
            found[one.name] = (one, *milder) if one.name != self.recovery else (one,)
        return found

    def holds_out(self, customer_id: str) -> bool:
        """Whether the customer is never treated."""
        digest = hashlib.sha256(f"{self.experiment}\0{customer_id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.holdout_share * _HASH_RANGE

    def action(self, suggested: Treatment | None, *, is_holdout: bool) -> str:
        """What to do, as a sentence."""
        if is_holdout:
            return HELD_OUT
        return suggested.sentence if suggested else NO_ACTION
