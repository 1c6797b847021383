"""What kind of evidence there is for the effect of each offer; an effect is never claimed beyond it."""

from __future__ import annotations

from typing import Any

import pandas as pd

RANDOMISED = "randomised"
OBSERVATIONAL = "observational"
TREATMENT_ONLY = "treatment_only"
NOTHING = "none"

_MEANINGS = {
    RANDOMISED: "both arms with the probability of the draw: the uplift is an estimate of the effect",
    OBSERVATIONAL: (
        "both arms, but not how they were drawn: the uplift is adjusted for the features alone, "
        "and may be the difference between the customers who were chosen and those who were not"
    ),
    TREATMENT_ONLY: "no customer was held back (arm control): what they would have done without it is not known",
    NOTHING: "no assignment whose window has ended: nothing to learn from",
}
NOT_IDENTIFIED = (
    "No offer has both customers who got it and customers who were held back (arm control) with windows that have "
    "ended: uplift and value are left empty. Hold back a random share of the customers of the next offer."
)


def evidence_of(assignments: pd.DataFrame, offer_ids: pd.Index) -> pd.DataFrame:
    """``evidence, treatment, control`` by offer: its kind, and the assignments that can be learned from in each arm.

    An offer is randomised where both arms hold assignments with a propensity above 0; the others are then not used.
    """
    every = _counts(assignments, offer_ids)
    drawn = _counts(assignments[assignments["propensity"].gt(0.0)], offer_ids)
    is_drawn = (drawn > 0).all(axis=1)
    is_seen = (every > 0).all(axis=1)
    kinds = pd.Series(NOTHING, index=offer_ids, dtype=object)
    kinds[every["treatment"] > 0] = TREATMENT_ONLY
    kinds[is_seen] = OBSERVATIONAL
    kinds[is_drawn] = RANDOMISED
    counts = every.where(~is_drawn, drawn)
    return counts.assign(evidence=kinds)[["evidence", "treatment", "control"]]


def explanation(evidence: pd.DataFrame) -> dict[str, Any]:
    """Whether any uplift is identified, and in words what each kind of evidence that occurs allows to say."""
    kinds = sorted(evidence["evidence"].unique())
    identified = bool(evidence["evidence"].isin([RANDOMISED, OBSERVATIONAL]).any())
    reason = {} if identified else {"reason": NOT_IDENTIFIED}
    return {"identified": identified, **reason, "evidence": {kind: _MEANINGS[kind] for kind in kinds}}


def _counts(assignments: pd.DataFrame, offer_ids: pd.Index) -> pd.DataFrame:
    found = assignments.groupby(["offer_id", "arm"]).size().unstack(fill_value=0)
    return found.reindex(index=offer_ids, columns=["treatment", "control"], fill_value=0).astype("int64")
