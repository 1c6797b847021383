"""Whether the past still is a guide: base rates of past windows, and the distribution of scores now and then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recommender.periods import rfc3339
from training.examples import Examples

# A base rate this many standard errors from that of the windows before has moved.
MOVED_STANDARD_ERRORS = 3.0
# Above this a population stability index is called a shift in credit scoring, where it comes from.
MOVED_STABILITY_INDEX = 0.25
_BINS = 10


def drift_facts(
    panel: Sequence[Examples], year_before: Examples | None, then: pd.Series, now: pd.Series
) -> dict[str, Any]:
    """Base rates by cutoff, the stability of scores, and a sentence for what has moved.

    ``panel`` has complete windows, latest first, ``year_before`` the one a year before the latest; ``then`` are scores
    at the latest of these cutoffs, ``now`` those at the instant of the answer.
    """
    rates = [
        {"cutoff": rfc3339(one.cutoff), "customers": len(one.churned), "base_rate": float(one.churned.mean())}
        for one in panel
    ]
    index = stability_index(then.to_numpy(), now.to_numpy())
    warnings = [*_moved_rate(panel, year_before), *_moved_scores(index, len(then), len(now))]
    return {"base_rates": rates, "score_stability_index": index, "warnings": warnings}


def stability_index(then: np.ndarray, now: np.ndarray) -> float | None:
    """Population stability index of two samples of scores over ten bins of equal count of the first; None without any.

    The sum over bins of the difference of the shares times that of their logarithms; half a row is added to each bin.
    """
    if not len(then) or not len(now):
        return None
    edges = np.unique(np.quantile(then, np.linspace(0.0, 1.0, _BINS + 1)[1:-1]))
    shares = []
    for scores in (then, now):
        counts = np.bincount(np.searchsorted(edges, scores, side="right"), minlength=len(edges) + 1) + 0.5
        shares.append(counts / counts.sum())
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


def _moved_rate(panel: Sequence[Examples], year_before: Examples | None) -> Iterator[str]:
    latest, earlier = panel[0].churned, [one.churned.mean() for one in panel[1:]]
    if not earlier:
        return
    spread = float(np.var(earlier, ddof=1)) if len(earlier) > 1 else 0.0
    usual = float(np.mean(earlier))
    if _differs(latest, usual, spread) and (
        year_before is None or _differs(latest, year_before.churned.mean(), spread)
    ):
        yield (
            f"{latest.mean():.1%} left after {panel[0].cutoff:%Y-%m-%d}, {usual:.1%} after the cutoffs before: more "
            "than chance; the probabilities follow the latest window, look for the cause"
        )


def _differs(churned: pd.Series, usual: float, spread: float) -> bool:
    """Whether a share of leavers differs from the usual one beyond chance and the spread between windows."""
    held = np.clip(usual, 0.5 / len(churned), 1.0 - 0.5 / len(churned))
    error = np.sqrt(spread + held * (1.0 - held) / len(churned))
    return bool(abs(churned.mean() - usual) > MOVED_STANDARD_ERRORS * error)


def _moved_scores(index: float | None, count_then: int, count_now: int) -> Iterator[str]:
    if index is None:
        return
    by_chance = (_BINS - 1) * (1.0 / count_then + 1.0 / count_now)
    if index > MOVED_STABILITY_INDEX + by_chance:
        yield (
            f"scores are distributed otherwise than at the last judged cutoff (stability index {index:.2f}, above "
            f"{MOVED_STABILITY_INDEX}); customers are unlike those that the model was judged on"
        )
