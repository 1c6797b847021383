"""Train what offers bring: who responds, and who orders only because of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from recommender.history import History
from recommender.models import create
from training.offer_evidence import OBSERVATIONAL, RANDOMISED, evidence_of, explanation
from training.offer_examples import OfferExamples, complete_assignments, offer_examples
from training.progress import Steps

UPLIFT_MODEL = "two_model_uplift"
# With this many rows in each arm an offer is learned from its own rows alone; below it is pooled with the others.
OWN_ARM_ROWS = 2_000


@dataclass(frozen=True)
class TrainedOffers:
    """The offers that were known, the models, which model answers for which offer, and the facts to tell.

    ``response`` is None where nobody was treated long enough ago; an offer without a name in ``uplift_of`` has no
    estimate of uplift.
    """

    offers: pd.DataFrame
    response: Any | None
    uplifts: Mapping[str, Any] = field(default_factory=dict)
    uplift_of: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def train_offers(
    history: History, *, horizon_days: int, as_of: datetime, seed: int, steps: Steps
) -> TrainedOffers | None:
    """Learn from the assignments whose window ends by ``as_of``; None where there was no assignment before it."""
    assigned = history.read("assignments", before=as_of, columns=["offer_id", "assigned_at"])
    if assigned.empty:
        return None
    offers = _offers(history, as_of, assigned["offer_id"])
    complete = complete_assignments(history, before=as_of, horizon_days=horizon_days)
    evidence = evidence_of(complete, offers.index)
    facts = {**explanation(evidence), "assignments": len(complete), "offers": evidence.to_dict("index")}
    if complete.empty:
        return TrainedOffers(offers, None, facts={**facts, "response": None})
    examples = offer_examples(history, complete, before=as_of, horizon_days=horizon_days, steps=steps)
    outcome = "redeemed" if examples.assignments["redeemed"].any() else "converted"
    uplifts, uplift_of = _uplifts(examples, offers, evidence, seed)
    answered_by = {
        offer_id: {**one, "uplift_model": uplift_of.get(offer_id)} for offer_id, one in facts["offers"].items()
    }
    facts |= {"response": outcome, "offers": answered_by}
    return TrainedOffers(offers, _response(examples, offers, outcome, seed), uplifts, uplift_of, facts)


def with_offer(features: pd.DataFrame, offers: pd.DataFrame, offer_ids: pd.Series) -> pd.DataFrame:
    """Features of customers with those of one offer each, in their order."""
    chosen = offers.loc[offer_ids]
    about = {
        # The word keeps ids that look like numbers from being read as numbers.
        "offer": ("offer " + chosen.index.astype("string")).to_numpy(dtype=object),
        "offer_kind": chosen["kind"].to_numpy(dtype=object),
        "offer_value": chosen["value"].to_numpy(dtype="float64"),
    }
    return features.assign(**about)


def _offers(history: History, as_of: datetime, assigned: pd.Series) -> pd.DataFrame:
    """``kind, value, unit_cost`` of all offers known by a row or an assignment, by ``offer_id``, sorted."""
    known = history.read("offers", before=as_of, columns=["offer_id", "kind", "value", "unit_cost"])
    rows = known.set_index("offer_id")
    every = pd.Index([*rows.index, *assigned], dtype="string", name="offer_id").unique().sort_values()
    return rows.reindex(every)


def _response(examples: OfferExamples, offers: pd.DataFrame, outcome: str, seed: int) -> Any | None:
    treated = (examples.assignments["arm"] == "treatment").to_numpy()
    if not treated.any():
        return None
    chosen = examples.assignments[treated]
    features = with_offer(examples.features[treated], offers, chosen["offer_id"])
    return create("churn", seed).fit(features, pd.Series(chosen[outcome].to_numpy(), index=features.index))


def _uplifts(
    examples: OfferExamples, offers: pd.DataFrame, evidence: pd.DataFrame, seed: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Models by name, and the name that answers for each offer; randomised and observational rows never mix."""
    models: dict[str, Any] = {}
    answers: dict[str, str] = {}
    for kind in (RANDOMISED, OBSERVATIONAL):
        of_kind = evidence[evidence["evidence"] == kind]
        arms = of_kind[["treatment", "control"]].min(axis=1)
        own = list(of_kind.index[arms >= OWN_ARM_ROWS])
        pooled = list(of_kind.index.difference(own))
        for offer_id in own:
            models[f"{kind} {offer_id}"] = _uplift(examples, offers, [offer_id], kind, seed)
            answers[offer_id] = f"{kind} {offer_id}"
        if pooled:
            models[kind] = _uplift(examples, offers, list(of_kind.index), kind, seed)
            answers |= dict.fromkeys(pooled, kind)
    return models, answers


def _uplift(examples: OfferExamples, offers: pd.DataFrame, offer_ids: list[str], kind: str, seed: int) -> Any:
    chosen = examples.assignments["offer_id"].isin(offer_ids)
    if kind == RANDOMISED:
        chosen &= examples.assignments["propensity"].gt(0.0)
    rows = examples.assignments[chosen]
    features = with_offer(examples.features[chosen.to_numpy()], offers, rows["offer_id"])
    propensities = rows["propensity"] if kind == RANDOMISED else None
    return create(UPLIFT_MODEL, seed).fit(features, rows["arm"] == "treatment", rows["converted"], propensities)
