"""How good the probabilities of leaving are, over several past cutoffs: what the quality panel shows and keeps.

Each window holds what every model said at a cutoff, of customers that it was not fitted on the outcomes of, and what
happened after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from recommender.metrics import Interval
from recommender.periods import rfc3339
from recommender.probability_metrics import (
    PROBABILITY_MEASURES,
    area_under_curve,
    bootstrap,
    cumulative_gains,
    judge,
    paired_difference,
    reliability,
    top_capture,
)

DECILES = 10
# Figures of fewer customers tell little.
SEGMENT_AT_LEAST = 50


@dataclass(frozen=True)
class JudgedWindow:
    """One cutoff: by customer who left, what every model said, where the customer stood, and what was at stake.

    ``at_stake`` is what the customer paid lately, in the account currency. All series have the index of ``left``.
    """

    cutoff: datetime
    left: pd.Series
    probabilities: Mapping[str, pd.Series]
    segments: pd.Series
    at_stake: pd.Series


def quality(windows: Sequence[JudgedWindow], shipped: str, *, seed: int) -> dict[str, Any]:
    """All figures of the panel, with 95 % intervals; ``windows`` latest first, at least one.

    ``models`` and ``deciles`` put the windows together; a mean over windows is a mean of their figures.
    """
    latest = windows[0]
    outcomes, said = _together(windows, shipped)
    rivals = [name for name in latest.probabilities if name != shipped]
    return {
        "shipped": shipped,
        "windows": [_of_window(one, seed) for one in windows],
        "models": {name: _mean_figures(windows, name, seed) for name in latest.probabilities},
        "auc_gains": {name: asdict(_mean_gain(windows, shipped, name, seed)) for name in rivals},
        "deciles": deciles(outcomes, said),
        "calibration": [
            {"predicted": float(predicted), "happened": float(happened), "customers": int(count)}
            for predicted, happened, count in reliability(outcomes, said)
        ],
        "cumulative_gains": cumulative_gains(outcomes, said),
        "value_capture": asdict(_value_capture(windows, shipped, seed)),
        "segments": _by_segment(windows, shipped, seed),
    }


def deciles(outcomes: np.ndarray, probabilities: np.ndarray) -> list[dict[str, float]]:
    """Tenths of the customers, highest probability first: mean probability, share that left, and its lift over all."""
    order = np.argsort(-probabilities, kind="stable")
    overall = outcomes.mean()
    return [
        {
            "decile": place,
            "customers": len(part),
            "predicted": float(probabilities[part].mean()),
            "left": float(outcomes[part].mean()),
            "lift": float(outcomes[part].mean() / overall) if overall > 0 else float("nan"),
        }
        for place, part in enumerate(np.array_split(order, DECILES), start=1)
        if len(part)
    ]


def _together(windows: Sequence[JudgedWindow], name: str) -> tuple[np.ndarray, np.ndarray]:
    parts = [_arrays(one, name) for one in windows]
    return np.concatenate([one[0] for one in parts]), np.concatenate([one[1] for one in parts])


def _arrays(window: JudgedWindow, name: str) -> tuple[np.ndarray, np.ndarray]:
    said = window.probabilities[name].reindex(window.left.index)
    return window.left.to_numpy(dtype="float64"), said.to_numpy(dtype="float64")


def _of_window(window: JudgedWindow, seed: int) -> dict[str, Any]:
    return {
        "cutoff": rfc3339(window.cutoff),
        "customers": len(window.left),
        "base_rate": float(window.left.mean()),
        "models": {
            name: {
                **{
                    key: asdict(one)
                    for key, one in judge(PROBABILITY_MEASURES, *_arrays(window, name), seed=seed).items()
                },
                "mean_probability": float(window.probabilities[name].mean()),
            }
            for name in window.probabilities
        },
    }


def _mean_figures(windows: Sequence[JudgedWindow], name: str, seed: int) -> dict[str, Any]:
    """The mean over the windows of each measure; its interval draws the customers of each window anew."""
    judged = [judge(PROBABILITY_MEASURES, *_arrays(one, name), seed=seed) for one in windows]
    return {measure: asdict(_mean([one[measure] for one in judged])) for measure in PROBABILITY_MEASURES}


def _mean(parts: Sequence[Interval]) -> Interval:
    """The mean of independent figures; half widths add in squares."""
    means = np.array([one.mean for one in parts])
    below = np.array([one.mean - one.low for one in parts])
    above = np.array([one.high - one.mean for one in parts])
    count = len(parts)
    low, high = (float(np.sqrt((one**2).sum()) / count) for one in (below, above))
    mean = float(means.mean())
    return Interval(mean, mean - low, mean + high, sum(one.customers for one in parts))


def _mean_gain(windows: Sequence[JudgedWindow], ours: str, theirs: str, seed: int) -> Interval:
    gains = []
    for one in windows:
        outcomes, said = _arrays(one, ours)
        gains.append(paired_difference(area_under_curve, outcomes, said, _arrays(one, theirs)[1], seed=seed))
    return _mean(gains)


def _value_capture(windows: Sequence[JudgedWindow], name: str, seed: int) -> Interval:
    """Of what those who left had paid lately, the part that lies with the tenth of the highest expected loss."""
    lost, expected = [], []
    for one in windows:
        outcomes, said = _arrays(one, name)
        stake = one.at_stake.reindex(one.left.index).fillna(0.0).clip(lower=0.0).to_numpy(dtype="float64")
        lost.append(outcomes * stake)
        expected.append(said * stake)
    actual, predicted = np.concatenate(lost), np.concatenate(expected)
    return bootstrap(lambda rows: top_capture(actual[rows], predicted[rows]), len(actual), seed=seed)


def _by_segment(windows: Sequence[JudgedWindow], name: str, seed: int) -> dict[str, Any]:
    segments = pd.concat([one.segments.reindex(one.left.index) for one in windows]).to_numpy()
    outcomes, said = _together(windows, name)
    found = {}
    for segment in sorted({str(one) for one in segments if not pd.isna(one)}):
        chosen = segments == segment
        if chosen.sum() >= SEGMENT_AT_LEAST:
            judged = judge(PROBABILITY_MEASURES, outcomes[chosen], said[chosen], seed=seed)
            figures = {measure: asdict(one) for measure, one in judged.items()}
            found[segment] = {"customers": int(chosen.sum()), "base_rate": float(outcomes[chosen].mean()), **figures}
    return found
