"""Who leaves Complete Journey and CDNOW: ``python -m tests.benchmarks.churn``.

Cutoffs of MODELS.md 7b, 56 days, population = an order in the 56 days before; everything is fitted on windows that end
by the cutoff. The settings of the churn model were chosen at 2017-05-22 and 2017-06-19, whose windows end by the first
cutoff here; which of them suits a panel is decided inside that panel. How to calibrate (slope of all windows, offset of
the latest) was best there too, but had been seen on the four cutoffs as well: read their ECE with that in mind.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from recommender.features import FeatureSet
from recommender.models import create
from recommender.models.lifetime_value import purchase_history
from recommender.outcomes import active_population, churned
from recommender.periods import Period, instant
from recommender.probability_metrics import PROBABILITY_MEASURES, area_under_curve, paired_difference
from recommender.retention.panel import gather_panel, panel_cutoffs
from recommender.tables import as_of
from recommender.touchpoints import BLOCKS, TABLES
from tests.benchmarks._retail_tables import cdnow, complete_journey

DATA = Path(__file__).parents[3] / "shared" / "data"
CUTOFFS = tuple(instant(text) for text in ("2017-08-14", "2017-09-11", "2017-10-09", "2017-11-06"))
CDNOW_CUTOFFS = tuple(instant(text) for text in ("1998-01-14", "1998-02-11", "1998-03-11", "1998-04-08"))
RFM = ["days_since_last_order", "order_day_count", "spend_total_amount", "days_since_first_order"]
HORIZON_DAYS = 56


@dataclass
class Shop:
    """Order lines, and the features and outcomes of cutoffs already computed."""

    order_lines: pd.DataFrame
    horizon_days: int = HORIZON_DAYS
    activity_days: int = HORIZON_DAYS

    def __post_init__(self) -> None:
        self.computed: dict[datetime, tuple[pd.DataFrame, pd.Series]] = {}

    def examples(self, cutoff: datetime) -> tuple[pd.DataFrame, pd.Series]:
        """Features and outcomes of the population at a cutoff."""
        if cutoff not in self.computed:
            customers = active_population(self.order_lines, cutoff, self.activity_days)
            known = {"order_lines": as_of(TABLES["order_lines"], self.order_lines, cutoff)}
            features = FeatureSet(BLOCKS).compute(known, customers, cutoff)
            outcomes = churned(self.order_lines, customers, Period.after(cutoff, self.horizon_days))
            self.computed[cutoff] = features, outcomes
        return self.computed[cutoff]

    def history(self, cutoff: datetime) -> pd.DataFrame:
        """Purchase histories of everybody with an order before the cutoff."""
        known = as_of(TABLES["order_lines"], self.order_lines, cutoff)
        return purchase_history(known, TABLES["returns"].empty(), cutoff)


def churn_scores(shop: Shop, cutoff: datetime, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Probabilities of every model for the population at the cutoff, by name of the model."""
    features, _ = shop.examples(cutoff)
    first = shop.order_lines["ordered_at"].min().to_pydatetime()
    panel = gather_panel(panel_cutoffs(cutoff, shop.horizon_days, first), shop.examples)
    varying = [name for name in features.columns if panel.features[name].nunique(dropna=False) > 1]
    for name, columns, keywords in (
        ("churn", varying, {}),
        ("rfm_logistic", RFM, {"boosting_share": 0.0}),
        ("recency", RFM[:1], {"boosting_share": 0.0}),
    ):
        model = create("churn", seed, **keywords)
        model.fit(panel.features[columns], panel.churned, cutoffs=panel.cutoffs)
        yield name, model.predict_proba(features[columns]).to_numpy()
    everybody = shop.history(cutoff).eval("order_day_count = frequency + 1")
    rhythm = create("bgnbd_no_order", horizon_days=shop.horizon_days).fit(everybody)
    yield "bgnbd_no_order", rhythm.predict_proba(features).to_numpy()


def churn_table(shop: Shop, cutoffs: tuple[datetime, ...], seed: int) -> Iterator[str]:
    """Figures per cutoff and their means, and the paired gain over each baseline."""
    yield f"{'churn':<20}{'cutoff':<12}" + "".join(f"{name:>24}" for name in PROBABILITY_MEASURES)
    rows, gains = [], []
    for cutoff in cutoffs:
        started = time.perf_counter()
        outcomes = shop.examples(cutoff)[1].to_numpy(dtype="float64")
        scores = dict(churn_scores(shop, cutoff, seed))
        for name, found in scores.items():
            rows.append((name, cutoff, *(measure(outcomes, found) for measure in PROBABILITY_MEASURES.values())))
            yield _line(rows[-1])
            if name != "churn":
                gain = paired_difference(area_under_curve, outcomes, scores["churn"], found, seed=seed)
                gains.append((name, gain.mean, gain.low, gain.high))
        yield f"  {len(outcomes)} customers, {outcomes.mean():.1%} left, {time.perf_counter() - started:.0f} s"
    yield from _means(rows)
    for name, gain, low, high in gains:
        yield f"  AUC above {name:<16} {gain:+.4f} [{low:+.4f}, {high:+.4f}]"


def _line(row: tuple) -> str:
    name, cutoff, *figures = row
    return f"{name:<20}{cutoff:%Y-%m-%d}  " + "".join(f"{figure:>24.4f}" for figure in figures)


def _means(rows: list[tuple]) -> Iterator[str]:
    for name in dict.fromkeys(row[0] for row in rows):
        means = np.mean([row[2:] for row in rows if row[0] == name], axis=0)
        yield f"{name:<20}{'mean':<12}" + "".join(f"{figure:>24.4f}" for figure in means)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds completejourney/ and cdnow/")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    journey = Shop(complete_journey(asked.data / "completejourney"))
    disks = Shop(cdnow(asked.data / "cdnow"), horizon_days=84, activity_days=182)
    for line in churn_table(journey, CUTOFFS, asked.seed):
        print(line, flush=True)  # noqa: T201
    print("CDNOW, 84 days", flush=True)  # noqa: T201
    for line in churn_table(disks, CDNOW_CUTOFFS, asked.seed):
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
