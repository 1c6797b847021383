"""When customers come back: ``python -m tests.benchmarks.curve``.

The curve of no order over 7 to 182 days and the next order date, learned before each cutoff and judged on what was seen
after it, beside BG/NBD and beside the last order plus the customer's own mean interval. The curve goes through the
probability of the churn model at the horizon. The form of the hazard was chosen on Complete Journey at 2017-05-22 and
06-19 and on CDNOW at 1997-10-22 and 12-17; the later one of either is the first here, with the longest time seen.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from recommender.history import History
from recommender.models import create
from recommender.periods import instant
from recommender.retention.definitions import NO_ORDER, ChurnDefinition
from recommender.retention.panel import gather_panel, panel_cutoffs
from tests.benchmarks._retail_tables import cdnow, complete_journey
from training.examples import churn_examples, population_features
from training.importers.online_retail import convert
from training.progress import silent
from training.retention.curve_evaluation import Seen, judge_times
from training.retention.curve_training import train_times
from training.settings import TrainingSettings

DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Shop:
    """Order lines, what is asked of them, and when."""

    name: str
    order_lines: pd.DataFrame
    definition: ChurnDefinition
    cutoffs: Sequence[datetime]


def shops(data: Path) -> Iterator[Shop]:
    """The three shops with the cutoffs of the churn benchmark; of Online Retail all earlier buyers are asked about."""
    journey = [instant(text) for text in ("2017-08-14", "2017-09-11", "2017-10-09", "2017-11-06")]
    yield Shop(
        "Complete Journey",
        complete_journey(data / "completejourney"),
        ChurnDefinition(NO_ORDER, horizon_days=56, activity_days=56),
        [instant("2017-06-19"), *journey],
    )
    yield Shop(
        "CDNOW",
        cdnow(data / "cdnow"),
        ChurnDefinition(NO_ORDER, horizon_days=84, activity_days=182),
        [instant(text) for text in ("1997-12-17", "1998-01-14", "1998-02-11", "1998-03-11", "1998-04-08")],
    )
    yield Shop(
        "Online Retail",
        convert(data / "online_retail").frames["order_lines"],
        ChurnDefinition(NO_ORDER, horizon_days=90, activity_days=600),
        [instant(text) for text in ("2011-06-19", "2011-07-17", "2011-08-14", "2011-09-11")],
    )


def judged(shop: Shop, history: History, cutoff: datetime, seed: int) -> dict[str, Any]:
    """What is learned before the cutoff, judged on what was seen after it."""
    settings = TrainingSettings(horizon_days=shop.definition.horizon_days)
    times = train_times(history, [shop.definition], settings, as_of=cutoff, steps=silent)
    features = population_features(history, shop.definition, cutoff, silent)
    first = shop.order_lines["ordered_at"].min().to_pydatetime()
    cutoffs = panel_cutoffs(cutoff, shop.definition.horizon_days, first)
    examples = churn_examples(history, cutoffs, shop.definition, before=cutoff, steps=silent)
    by_cutoff = {one.cutoff: (one.features, one.churned) for one in examples}
    panel = gather_panel(sorted(by_cutoff), by_cutoff.__getitem__)
    columns = [name for name in features.columns if panel.features[name].nunique(dropna=False) > 1]
    churn = create("churn", seed).fit(panel.features[columns], panel.churned, cutoffs=panel.cutoffs)
    seen = Seen.of(history, cutoff)
    return judge_times(seen, churn.predict_proba(features[columns]), shop.definition, times.models, seed=seed)


def table(shop: Shop, seed: int) -> Iterator[str]:
    """Figures of every cutoff, then nothing more: windows of different lengths have no mean."""
    with tempfile.TemporaryDirectory() as folder:
        history = History.create(Path(folder) / "history")
        number = shop.order_lines.groupby(["order_id", "item_id"]).cumcount()
        history.add("order_lines", shop.order_lines.assign(line_number=number.astype("Int64")))
        for cutoff in shop.cutoffs:
            started = time.process_time()
            found = judged(shop, history, cutoff, seed)
            seconds = time.process_time() - started
            curve, orders = found["curve"], found["next_order"]
            yield (
                f"{shop.name} {cutoff:%Y-%m-%d}: {found['customers']} customers, {found['seen_days']:.0f} days seen, "
                f"{curve['kind']}, learned to {curve['learned_days']} days, {seconds:.0f} s"
            )
            yield from _curve_lines(curve)
            yield from _order_lines(orders)


def _curve_lines(curve: dict[str, Any]) -> Iterator[str]:
    for day, one in curve["by_day"].items():
        told = "  ".join(
            f"{name} Brier {_number(figures['brier'])} ECE {_number(figures['ece'])}"
            for name, figures in one["models"].items()
        )
        yield f"  {day:>4} days, no order {one['base_rate']:.3f}:  {told}"
    integrated = "  ".join(f"{name} {_number(figure)}" for name, figure in curve["integrated_brier"].items())
    yield f"  integrated Brier over {curve['integrated_days']} days:  {integrated}"


def _order_lines(orders: dict[str, Any]) -> Iterator[str]:
    for middle in ("median", "mean"):
        errors = "  ".join(f"{name} {_number(figure, 2)}" for name, figure in orders[f"{middle}_error_days"].items())
        yield f"  next order, {middle} error in days:  {errors}"
    came = "  ".join(f"{one['wanted']:.0%} {_number(one)} of {one['customers']}" for one in orders["came_by"].values())
    inside = orders["within_interval"]
    yield f"  came by the instant told:  {came}  interval of 80% {_number(inside)} of {inside['customers']}"


def _number(figure: dict[str, Any], decimals: int = 4) -> str:
    mean, low, high = (f"{figure[part]:.{decimals}f}" for part in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of completejourney/, cdnow/, online_retail/")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shop", help="only the shop of this name")
    asked = parser.parse_args()
    for shop in shops(asked.data):
        if asked.shop in (None, shop.name):
            for line in table(shop, asked.seed):
                print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
