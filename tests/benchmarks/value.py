"""What customers are worth: ``python -m tests.benchmarks.value``, on Complete Journey, CDNOW and Online Retail.

Everybody with an order before the cutoff is judged on the horizon after it, by the models and the choice of a training
as of the cutoff. Settings were chosen at 2017-05-22 and 2017-06-19 (Complete Journey) and at 1997-11-19 and 1998-01-14
(CDNOW), whose windows end by the first cutoff here; none was chosen on Online Retail.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from recommender.models.value_interval import coverage
from recommender.outcomes import spend
from recommender.periods import Period, instant
from recommender.probability_metrics import (
    VALUE_MEASURES,
    normalised_gini,
    paired_difference,
    root_mean_squared_error,
)
from recommender.retention.margins import Margins
from recommender.retention.value_history import value_history
from recommender.tables import as_of
from recommender.touchpoints import TABLES
from tests.benchmarks._retail_tables import cdnow, complete_journey, online_retail
from training.retention.value_examples import ValueExamples
from training.retention.value_training import BASELINE, TrainedValue, past_cutoffs, train_on
from training.settings import TrainingSettings

DATA = Path(__file__).parents[3] / "shared" / "data"
PAIRED = {"normalised Gini": normalised_gini, "RMSE": root_mean_squared_error}


@dataclass(frozen=True)
class Shop:
    """The tables of a shop, and what is asked of it."""

    name: str
    tables: dict[str, pd.DataFrame]
    horizon_days: int
    cutoffs: tuple[datetime, ...]

    def examples(self, cutoff: datetime) -> ValueExamples:
        """Everybody with an order before a cutoff."""
        known = {name: as_of(TABLES[name], frame, cutoff) for name, frame in self.tables.items()}
        history = value_history(known, Margins(), cutoff)
        period = Period.after(cutoff, self.horizon_days)
        spent = spend(self.tables["order_lines"], self.tables["returns"], history.index, period)
        return ValueExamples(cutoff, history, spent, self.horizon_days)


def _journey(data: Path) -> Shop:
    cutoffs = tuple(instant(text) for text in ("2017-08-14", "2017-09-11", "2017-10-09", "2017-11-06"))
    tables = {"order_lines": complete_journey(data / "completejourney"), "returns": TABLES["returns"].empty()}
    return Shop("Complete Journey", tables, 56, cutoffs)


def _disks(data: Path) -> Shop:
    cutoffs = tuple(instant(text) for text in ("1998-01-14", "1998-02-11", "1998-03-11", "1998-04-08"))
    tables = {"order_lines": cdnow(data / "cdnow"), "returns": TABLES["returns"].empty()}
    return Shop("CDNOW", tables, 84, cutoffs)


def _retail(data: Path) -> Shop:
    cutoffs = tuple(instant(text) for text in ("2011-06-19", "2011-07-17", "2011-08-14", "2011-09-11"))
    return Shop("Online Retail", online_retail(data / "online_retail"), 90, cutoffs)


SHOPS = {"journey": _journey, "cdnow": _disks, "retail": _retail}


def table(shop: Shop, seed: int) -> Iterator[str]:
    """Figures of every model per cutoff and their means, then paired differences of what is shipped, and its bounds."""
    settings = TrainingSettings(horizon_days=shop.horizon_days)
    yield f"{shop.name:<22}{'cutoff':<12}" + "".join(f"{name:>24}" for name in VALUE_MEASURES)
    rows, notes, kept = [], [], {}
    for cutoff in shop.cutoffs:
        started = time.process_time()
        now, panel = _panel(shop, cutoff, settings, kept)
        trained = train_on(now, panel, settings, seed)
        actual = now.spent.to_numpy()
        shipped = trained.model.predict(now.history, shop.horizon_days)
        predicted = {
            name: model.predict(now.history, shop.horizon_days).to_numpy() for name, model in trained.candidates.items()
        }
        for name, found in {**predicted, "shipped": shipped.to_numpy()}.items():
            rows.append((name, cutoff, *(measure(actual, found) for measure in VALUE_MEASURES.values())))
            yield _line(rows[-1])
        notes.append(f"{cutoff:%Y-%m-%d} shipped {trained.facts['kind']}; {_bounds(trained, shipped, now)}")
        for rival in (BASELINE, "bgnbd_gamma_gamma"):
            for title, measure in PAIRED.items():
                gain = paired_difference(measure, actual, shipped.to_numpy(), predicted[rival], seed=seed)
                notes.append(f"  {title} less that of {rival}: {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]")
        yield f"  {len(actual)} customers, {len(panel)} past cutoffs, {time.process_time() - started:.0f} s of a core"
    for name in dict.fromkeys(row[0] for row in rows):
        means = np.mean([row[2:] for row in rows if row[0] == name], axis=0)
        yield f"{name:<22}{'mean':<12}" + "".join(f"{figure:>24.4f}" for figure in means)
    yield from notes


def _panel(
    shop: Shop, cutoff: datetime, settings: TrainingSettings, kept: dict[datetime, ValueExamples]
) -> tuple[ValueExamples, list[ValueExamples]]:
    """The examples of the cutoff and of the past cutoffs that a training as of it looks at, latest first."""
    first = shop.tables["order_lines"]["ordered_at"].min().to_pydatetime()
    for moment in (cutoff, *past_cutoffs(settings, cutoff, first)):
        if moment not in kept:
            kept[moment] = shop.examples(moment)
    return kept[cutoff], [kept[moment] for moment in past_cutoffs(settings, cutoff, first)]


def _bounds(trained: TrainedValue, shipped: pd.Series, now: ValueExamples) -> str:
    if trained.interval is None:
        return "no bounds"
    share = coverage(trained.interval.predict(shipped), now.spent)
    before = trained.facts.get("interval_coverage", float("nan"))
    return f"{share:.3f} within the bounds (asked .8; on the window before {before:.3f})"


def _line(row: tuple) -> str:
    name, cutoff, *figures = row
    return f"{name:<22}{cutoff:%Y-%m-%d}  " + "".join(f"{figure:>24.4f}" for figure in figures)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds the public data sets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shops", nargs="*", default=list(SHOPS), choices=SHOPS)
    parser.add_argument("--cutoffs", nargs="*", type=instant, help="instead of those of the goals")
    asked = parser.parse_args()
    for name in asked.shops:
        shop = SHOPS[name](asked.data)
        for line in table(replace(shop, cutoffs=tuple(asked.cutoffs or shop.cutoffs)), asked.seed):
            print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
