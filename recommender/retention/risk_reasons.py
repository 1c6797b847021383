"""Why a customer is likely to leave or to stay: the causes that moved the score most, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recommender.customer_answers import RiskReason
from recommender.retention.causes import CAUSE_OF, CAUSES, Cause
from recommender.retention.reason_sentences import Figures

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

REASONS_AT_MOST = 3
# An experience that raises the log-odds by less than this (the odds by 5 %) is not told before a symptom.
NOISE_LOG_ODDS = 0.05
LAPSED = RiskReason("lapsed", "Outside the population that this risk is asked about", "none", "up", 0.0)
NO_EVIDENCE = RiskReason("no_evidence", "No figure of this customer stands out", "none", "up", 0.0)
NOT_MODELLED = RiskReason("not_modelled", "The data held do not support a churn model yet", "none", "up", 0.0)


@dataclass(frozen=True)
class Reasons:
    """The reasons told of one customer, and what the causes not told add up to, in log-odds."""

    told: tuple[RiskReason, ...]
    other_log_odds: float


def reasons_of(features: pd.DataFrame, contributions: pd.DataFrame) -> dict[str, Reasons]:
    """By customer the causes that moved the score most and that the customer's own figures bear out.

    First come experiences that raise the risk by at least NOISE_LOG_ODDS, then all others, each group by the size of
    its contribution. ``features`` may have more columns than the model has contributions. Base, reasons and
    ``other_log_odds`` sum to the log-odds of the customer.
    """
    by_cause = cause_contributions(contributions)
    parts, order = by_cause.to_numpy(), _telling_order(by_cause)
    totals = contributions.sum(axis=1).to_numpy()
    names, values = list(features.columns), features.to_numpy()
    causes = [_BY_CODE[code] for code in by_cause.columns]
    found = {}
    for row, customer_id in enumerate(features.index):
        figures = Figures(zip(names, values[row].tolist(), strict=True))
        told = _told(figures, [(causes[one], float(parts[row, one])) for one in order[row]])
        found[customer_id] = Reasons(told, float(totals[row]) - sum(one.contribution for one in told))
    return found


def cause_contributions(contributions: pd.DataFrame) -> pd.DataFrame:
    """What each cause adds to the log-odds of each row; a column of no cause is left out."""
    import pandas as pd

    of_cause: dict[str, list[str]] = {}
    for name in contributions.columns:
        if name in CAUSE_OF:
            of_cause.setdefault(CAUSE_OF[name].code, []).append(name)
    sums = {code: contributions[names].sum(axis=1) for code, names in of_cause.items()}
    return pd.DataFrame(sums, index=contributions.index)


def _telling_order(by_cause: pd.DataFrame) -> np.ndarray:
    import numpy as np

    parts = by_cause.to_numpy()
    is_experience = np.array([_BY_CODE[code].is_experience for code in by_cause.columns], dtype=bool)
    is_first = (parts >= NOISE_LOG_ODDS) & is_experience
    return np.asarray(np.lexsort((-np.abs(parts), ~is_first), axis=1))


def _told(figures: Figures, ranked: list[tuple[Cause, float]]) -> tuple[RiskReason, ...]:
    reasons: list[RiskReason] = []
    for reason in _borne_out(figures, ranked):
        reasons.append(reason)
        if len(reasons) == REASONS_AT_MOST:
            break
    return tuple(reasons)


def _borne_out(figures: Figures, ranked: list[tuple[Cause, float]]) -> Iterator[RiskReason]:
    for cause, contribution in ranked:
        if contribution == 0:
            continue
        text = (cause.raises if contribution > 0 else cause.lowers)(figures)
        if text is not None:
            direction = "up" if contribution > 0 else "down"
            yield RiskReason(cause.code, text, cause.lever, direction, round(contribution, 4))


_BY_CODE = {cause.code: cause for cause in CAUSES}
