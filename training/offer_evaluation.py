"""Judge what was said of customers and offers on the assignments that came after the cutoff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from recommender.history import History
from recommender.models.uplift import MAXIMUM_WEIGHT
from recommender.outcomes import converted, redeemed
from recommender.periods import Period
from recommender.probability_metrics import PROBABILITY_MEASURES, judge
from recommender.uplift_evaluation import Trial, judge_uplift
from training.offer_evidence import RANDOMISED, evidence_of


def judge_offers(
    history: History, answers: pd.DataFrame, facts: Mapping[str, Any], window: Period, *, seed: int
) -> dict[str, Any]:
    """Figures on the assignments in the window, each followed for as long as the window is.

    The response is judged on treated customers; uplift where both arms have customers, apart for each kind of
    evidence: on observational rows it is a description, not a proof. Assignments of customers or offers that were
    not known at the cutoff are counted as ``unanswered``.
    """
    horizon_days = (window.end - window.start).total_seconds() / 86_400
    end = Period.after(window.end, horizon_days).end
    rows = history.read("assignments", before=window.end)
    rows = rows[rows["assigned_at"] >= window.start]
    lines = history.read("order_lines", before=end, columns=["customer_id", "ordered_at"])
    uses = history.read("redemptions", before=end, columns=["customer_id", "offer_id", "redeemed_at"])
    rows = rows.assign(converted=converted(lines, rows, horizon_days), redeemed=redeemed(uses, rows, horizon_days))
    evidence = evidence_of(rows, pd.Index(rows["offer_id"].unique(), dtype="string", name="offer_id"))
    judged = rows.merge(answers, on=["customer_id", "offer_id"]).merge(evidence["evidence"], on="offer_id")
    return {
        "assignments": len(judged),
        "unanswered": len(rows) - len(judged),
        "response": _response(judged, facts["response"], seed),
        "uplift": {str(kind): _uplift(kind, chosen, seed) for kind, chosen in judged.groupby("evidence")},
    }


def _response(judged: pd.DataFrame, outcome: str | None, seed: int) -> dict[str, Any] | None:
    treated = judged[judged["arm"] == "treatment"].dropna(subset="response_probability")
    if outcome is None or treated.empty:
        return None
    happened = treated[outcome].to_numpy(dtype="float64")
    measured = judge(PROBABILITY_MEASURES, happened, treated["response_probability"].to_numpy(), seed=seed)
    figures = {name: asdict(one) for name, one in measured.items()}
    return {"assignments": len(treated), "base_rate": float(happened.mean()), **figures}


def _uplift(kind: str, judged: pd.DataFrame, seed: int) -> dict[str, Any] | None:
    known = judged.dropna(subset="uplift")
    if kind == RANDOMISED:
        known = known[known["propensity"].gt(0.0)]
    treated = (known["arm"] == "treatment").to_numpy()
    if not treated.any() or treated.all():
        return None
    weights = np.ones(len(known))
    if kind == RANDOMISED:
        weights = np.minimum(1.0 / known["propensity"].to_numpy(dtype="float64"), MAXIMUM_WEIGHT)
    happened, uplift = (known[name].to_numpy(dtype="float64") for name in ("converted", "uplift"))
    measured = judge_uplift(Trial(treated, happened, weights, uplift), seed=seed)
    return {"treatment": int(treated.sum()), "control": int((~treated).sum())} | {
        name: asdict(one) for name, one in measured.items()
    }
