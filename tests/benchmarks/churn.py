"""Who leaves, on public data, beside RFM-logistic, BG/NBD and recency: ``python -m tests.benchmarks.churn``.

Cutoffs of MODELS.md 7b. Everything is fitted on windows that end by the cutoff, as ``train`` does it: a panel of six
cutoffs, 28 days apart, and the level of the season where last year is known. The settings of the churn model were
chosen on Complete Journey at 2017-05-22 to 2017-06-19, whose windows end by the first cutoff here; which of them suits
a panel is decided inside that panel. How to calibrate (slope of all windows, offset of the latest) and how to follow
the season had been seen on the cutoffs below too: read their ECE with that in mind.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from recommender.features import FeatureSet
from recommender.models import create
from recommender.models.lifetime_value import purchase_history
from recommender.periods import instant
from recommender.probability_metrics import PROBABILITY_MEASURES, area_under_curve, paired_difference
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.panel import gather_panel, panel_cutoffs
from recommender.tables import as_of
from recommender.touchpoints import BLOCKS, TABLES
from tests.benchmarks._retail_tables import cdnow, complete_journey, online_retail
from training.examples import Examples
from training.retention.season import season_cutoffs, seasonal_shift

DATA = Path(__file__).parents[3] / "shared" / "data"
RFM = ["days_since_last_order", "order_day_count", "spend_total_amount", "days_since_first_order"]
JOURNEY = ("2017-08-14", "2017-09-11", "2017-10-09", "2017-11-06")
CDNOW = ("1998-01-14", "1998-02-11", "1998-03-11", "1998-04-08")
RETAIL = ("2011-06-19", "2011-07-17", "2011-08-14", "2011-09-11")


def definition(outcome: str, horizon_days: int, activity_days: int, asked_of: str = "") -> ChurnDefinition:
    """A definition of churn as the operator of the shop would declare it."""
    return ChurnDefinition(outcome, horizon_days, activity_days, asked_of=asked_of)


# By name: the folder of the data, what leaving means, and the cutoffs.
TASKS = {
    "journey": ("completejourney", definition("no_order", 56, 56), JOURNEY),
    "journey_drop": ("completejourney", definition("spend_drop", 56, 56), JOURNEY),
    "retail": ("online_retail", definition("no_order", 90, 90, "any_order"), RETAIL),
    "cdnow_active": ("cdnow", definition("no_order", 84, 182), CDNOW),
    "cdnow": ("cdnow", definition("no_order", 84, 182, "any_order"), CDNOW),
}
READERS = {"completejourney": complete_journey, "cdnow": cdnow, "online_retail": online_retail}


@dataclass
class Shop:
    """Tables of a shop, what leaving means there, and the examples of cutoffs already computed."""

    tables: Mapping[str, pd.DataFrame]
    definition: ChurnDefinition
    computed: dict[datetime, Examples] = field(default_factory=dict)

    def examples(self, cutoff: datetime) -> Examples:
        """Features and outcomes of the population at a cutoff."""
        if cutoff not in self.computed:
            known = {name: as_of(TABLES[name], rows, cutoff) for name, rows in self.tables.items()}
            asked = self.definition.population(known, cutoff)
            left = self.definition.happened(self.tables, asked, cutoff)
            self.computed[cutoff] = Examples(cutoff, FeatureSet(BLOCKS).compute(known, left.index, cutoff), left)
        return self.computed[cutoff]

    def scores(self, cutoff: datetime, seed: int) -> Iterator[tuple[str, np.ndarray]]:
        """Probabilities of every model for the population at the cutoff, by name of the model."""
        horizon, first = self.definition.horizon_days, self.tables["order_lines"]["ordered_at"].min().to_pydatetime()
        features = self.examples(cutoff).features
        panel = [self.examples(one) for one in panel_cutoffs(cutoff, horizon, first)[::-1]]
        by_cutoff = {one.cutoff: (one.features, one.churned) for one in panel}
        gathered = gather_panel(sorted(by_cutoff), by_cutoff.__getitem__)
        season = [self.examples(one) for one in season_cutoffs(self.definition, cutoff, first)]
        shift = seasonal_shift(panel, *season, seed=seed) if season else 0.0
        varying = [name for name in features if gathered.features[name].nunique(dropna=False) > 1]
        for name, columns, keywords, moved in (
            ("churn", varying, {}, shift),
            ("rfm_logistic", RFM, {"boosting_share": 0.0}, 0.0),
            ("recency", RFM[:1], {"boosting_share": 0.0}, 0.0),
        ):
            model = create("churn", seed, **keywords)
            model.fit(gathered.features[columns], gathered.churned, cutoffs=gathered.cutoffs)
            yield name, model.move_level(moved).predict_proba(features[columns]).to_numpy()
        known = as_of(TABLES["order_lines"], self.tables["order_lines"], cutoff)
        everybody = purchase_history(known, TABLES["returns"].empty(), cutoff).eval("order_day_count = frequency + 1")
        # Of a spend drop it tells the order only.
        rhythm = create("bgnbd_no_order", horizon_days=horizon).fit(everybody)
        yield "bgnbd_no_order", rhythm.predict_proba(features).to_numpy()


def table(shop: Shop, cutoffs: tuple[str, ...], seed: int) -> Iterator[str]:
    """Figures per cutoff and their means, and the paired gain in AUC over each rival."""
    yield f"{'model':<18}{'cutoff':<12}" + "".join(f"{name:>20}" for name in PROBABILITY_MEASURES)
    rows, gains = [], []
    for text in cutoffs:
        outcomes = shop.examples(instant(text)).churned.to_numpy(dtype="float64")
        scores = dict(shop.scores(instant(text), seed))
        for name, found in scores.items():
            rows.append((name, text, *(measure(outcomes, found) for measure in PROBABILITY_MEASURES.values())))
            yield _line(rows[-1])
            if name != "churn":
                gain = paired_difference(area_under_curve, outcomes, scores["churn"], found, seed=seed)
                gains.append(f"  AUC above {name:<16} {text} {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]")
        yield f"  {len(outcomes)} customers, {outcomes.mean():.1%} left, {scores['churn'].mean():.1%} said"
    for name in dict.fromkeys(row[0] for row in rows):
        yield _line((name, "mean", *np.mean([row[2:] for row in rows if row[0] == name], axis=0)))
    yield from gains


def _line(row: tuple) -> str:
    name, cutoff, *figures = row
    return f"{name:<18}{cutoff:<12}" + "".join(f"{figure:>20.4f}" for figure in figures)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds completejourney/, cdnow/ and others")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for name in asked.tasks:
        folder, meant, cutoffs = TASKS[name]
        lines = READERS[folder](asked.data / folder)
        tables = lines if isinstance(lines, dict) else {"order_lines": lines}
        print(f"\n{name}: {meant.outcome_name}; asked of {meant.population_name}", flush=True)  # noqa: T201
        for line in table(Shop(tables, meant), cutoffs, asked.seed):
            print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
