"""How good the answers that start from items are: ``python -m tests.benchmarks.items``.

Everything is fitted before the cutoff by what ``train`` calls, and judged on the 28 days after it by what ``backtest``
calls: bought together, similar, the next item of a session and buy again, each beside popularity and plain co-purchase
counts. Settings were chosen at the default cutoff, 2017-10-09. ``--shop`` takes another shop than Complete Journey:
Online Retail, or TMS, where a set is an order, the last sets of the train and validate users are the window, and a day
lies between two sets.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from recommender.bundle import ModelBundle
from recommender.frame_validation import validate_frame
from recommender.history import History
from recommender.interaction_matrix import InteractionMatrix
from recommender.periods import Period, instant
from recommender.touchpoints import TABLES
from tests.benchmarks import journey, retail, tms
from training.importers import completejourney, online_retail
from training.interactions import events_before, interactions_before
from training.item_evaluation import judge_on
from training.item_occasions import sessions_within
from training.item_training import train_items
from training.progress import silent
from training.recommender_fitting import fit_recommenders
from training.settings import TrainingSettings, read_settings
from training.slates import blank

Frames = Mapping[str, pd.DataFrame]
PLACES = 10
RIVALS = ("popularity", "co_purchase_counts")
# Where the sets of TMS, which have no times, are cut.
TMS_CUTOFF = instant("2024-01-01")


def of_files(convert: Callable[[Path], Any]) -> Callable[[Path], Frames]:
    """The tables of a public layout that the answers are made from."""

    def read(folder: Path) -> Frames:
        frames = convert(folder).frames
        return {name: frames[name] for name in ("items", "order_lines") if name in frames}

    return read


def sets_of_tms(path: Path) -> Frames:
    """The sets of the train and validate users as orders a day apart, the last one an hour after ``TMS_CUTOFF``."""
    frame = pd.read_parquet(path)
    frame = frame[frame["split"] != "test"]
    user = frame["split"] + " " + frame["user"].astype("string")
    after = frame.groupby(user)["set_index"].transform("max") - frame["set_index"]
    lines = pd.DataFrame(
        {
            "order_id": (user + " " + frame["set_index"].astype("string")).astype("string"),
            "customer_id": user.astype("string"),
            "item_id": frame["item"].astype("string"),
            "ordered_at": pd.Timestamp(TMS_CUTOFF) + pd.Timedelta(hours=1) - pd.to_timedelta(after, unit="D"),
        }
    )
    return {"order_lines": lines}


SHOPS: dict[str, tuple[Callable[[Path], Frames], Path | None, datetime]] = {
    "journey": (of_files(completejourney.convert), journey.folder(), instant("2017-10-09")),
    "retail": (of_files(online_retail.convert), retail.DATA, instant("2011-09-06")),
    "tms": (sets_of_tms, tms.DATA, TMS_CUTOFF),
}


def history_of(frames: Frames, folder: Path) -> History:
    """The tables as a history."""
    history = History.create(folder)
    for name, frame in frames.items():
        history.add(name, validate_frame(TABLES[name], frame, now=instant("2030-01-01")).rows)
    return history


def bundle_of(history: History, matrix: InteractionMatrix, settings: TrainingSettings, as_of: datetime) -> ModelBundle:
    """What ``train`` lays down of items, without lists for customers."""
    fitted = fit_recommenders(matrix, settings.recommenders, seed=0, names=["popularity"])
    nothing = dict.fromkeys(("all", "new"), blank(len(matrix.customers), 1))
    answers = train_items(history, matrix, fitted, nothing, settings, as_of=as_of, seed=0, steps=silent)
    return ModelBundle(
        as_of=as_of,
        horizon_days=settings.horizon_days,
        customers=matrix.customers,
        items=matrix.items,
        slates=nothing,
        history={},
        item_slates=answers.item_slates,
        lists=answers.lists,
        models=answers.models,
        due=answers.due,
        categories=answers.categories,
        category_lists=answers.category_lists,
        facts=answers.facts,
    )


def lines_of(figures: Mapping[str, Any]) -> Iterator[str]:
    """The table: hit@10 of each answer and its rivals with 95 % intervals, and the paired gains over the rivals."""
    yield f"{'answer':<28}  {'lists':>5}  {'ours':<22}  " + "  ".join(f"{name:<22}  {'gain':<25}" for name in RIVALS)
    for name, one in figures.items():
        if one is None:
            yield f"{name:<28}  nothing of the kind happened"
            continue
        cells = [f"{name:<28}", f"{one['observations']:>5}", interval(one["hit"]["ours"])]
        for rival in RIVALS:
            cells += [interval(one["hit"][rival]), interval(one["hit"][f"gain_over_{rival}"], "+")]
        yield "  ".join(cells)
    due = (figures["buy_again"] or {}).get("due_date")
    if due:
        ours, item = due["median_absolute_days"]["median"], due["item_median_interval_absolute_days"]["median"]
        yield (
            f"due date, median absolute error: {ours:.2f} days, by the item's median interval {item:.2f}, "
            f"gain {interval(due['gain_days'], '+')} days, {due['customers']} customers"
        )


def interval(figure: Mapping[str, float], sign: str = "") -> str:
    """A mean with its bounds."""
    mean, low, high = (format(figure[name], f"{sign}.4f") for name in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", choices=list(SHOPS), default="journey")
    parser.add_argument("--data", type=Path, help="the public files, by default beside the project")
    parser.add_argument("--cutoff", type=instant)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    read, folder, cutoff = SHOPS[asked.shop]
    folder, cutoff = asked.data or folder, asked.cutoff or cutoff
    if folder is None or not folder.exists():
        parser.error(f"there is no data at {folder}; name its place with --data")
    settings = read_settings()
    with tempfile.TemporaryDirectory(prefix="regulars-items-") as scratch:
        history = history_of(read(folder), Path(scratch) / "history")
        matrix = interactions_before(history, cutoff)
        started = time.perf_counter()
        bundle = bundle_of(history, matrix, settings, cutoff)
        seconds = time.perf_counter() - started
        window = Period.after(cutoff, settings.horizon_days)
        events, sessions = events_before(history, window.end), sessions_within(history, window)
    print(  # noqa: T201
        f"{asked.shop}, cutoff {cutoff:%Y-%m-%d %H:%M}Z, {settings.horizon_days} days: {len(matrix.items)} items, "
        f"{len(matrix)} events, fitted in {seconds:.0f} s; seed {asked.seed}"
    )
    for line in lines_of(judge_on(bundle, matrix, events, sessions, k=PLACES, seed=asked.seed)):
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
