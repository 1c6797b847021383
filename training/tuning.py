"""Search settings of the recommenders on past windows, within a budget of cells or minutes."""

from __future__ import annotations

import itertools
import json
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from recommender import metrics
from recommender.errors import NotEnoughData, SettingError
from recommender.history import History
from recommender.interaction_matrix import InteractionMatrix
from recommender.models import RECOMMENDERS, create
from recommender.models.blending import Blend
from recommender.randomness import rng_for
from recommender.ranking import best_items
from recommender.splits import Split, Truth
from training.interactions import events_before, interactions_before
from training.progress import Steps
from training.recommender_fitting import FAILURES
from training.settings import TrainingSettings

DEFAULT_GRID = Path(__file__).parent / "configs" / "tuning.toml"
WINDOWS = 2
K_JUDGED = 10
# More customers narrow the choice little and cost as much as they are.
CUSTOMERS_AT_MOST = 5_000
SLATES = ("all", "new")


@dataclass(frozen=True)
class Cell:
    """One recommender with keywords to try, and the slate that decides on it."""

    recommender: str
    slate: str
    keywords: Mapping[str, Any]


@dataclass(frozen=True)
class Tried:
    """What became of a cell: the mean NDCG over the windows, or why it could not be fitted."""

    cell: Cell
    ndcg: float | None
    problem: str | None = None


@dataclass(frozen=True)
class Window:
    """A past window: what was known before it, and what the customers listed bought in it."""

    past: InteractionMatrix
    known: InteractionMatrix
    truth: Truth


def read_grid(path: Path = DEFAULT_GRID) -> dict[str, dict[str, Any]]:
    """The values to try of each recommender; raises SettingError for a file that cannot be used."""
    try:
        grid = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingError(f"the grid {path} cannot be read: {problem}") from None
    for name, given in grid.items():
        if name not in RECOMMENDERS:
            raise SettingError(f"{path}: there is no recommender {name!r}")
        if given.get("slate") not in SLATES:
            raise SettingError(f"{path}: {name} needs a slate, one of {', '.join(SLATES)}")
        wrong = [key for key, values in given.items() if key != "slate" and not isinstance(values, list)]
        if wrong:
            raise SettingError(f"{path}: {name}.{wrong[0]} is not a list of values to try")
    return grid


def cells_of(grid: Mapping[str, Mapping[str, Any]], settings: TrainingSettings, *, seed: int) -> list[Cell]:
    """The present settings of every recommender first, then all combinations, recommenders in turn, each shuffled."""
    present = [Cell(name, one["slate"], dict(settings.recommenders.get(name, {}))) for name, one in grid.items()]
    shuffled = []
    for name, given in grid.items():
        keys = [key for key in given if key != "slate"]
        combinations = [dict(zip(keys, values, strict=True)) for values in itertools.product(*(given[k] for k in keys))]
        order = rng_for(seed, f"tuning {name}").permutation(len(combinations))
        base = settings.recommenders.get(name, {})
        shuffled.append([Cell(name, given["slate"], {**base, **combinations[one]}) for one in order])
    rest = [cell for row in itertools.zip_longest(*shuffled) for cell in row if cell is not None]
    return present + [cell for cell in rest if cell not in present]


def within(cells: Sequence[Cell], *, at_most: int | None, minutes: float | None) -> Iterator[Cell]:
    """The cells that a budget allows; one that was begun is finished."""
    begun = time.monotonic()
    for cell in cells[:at_most]:
        if minutes is not None and time.monotonic() - begun > minutes * 60:
            return
        yield cell


def past_windows(history: History, settings: TrainingSettings, *, as_of: datetime, seed: int) -> list[Window]:
    """The last windows before an instant that hold purchases of known customers; raises NotEnoughData without any."""
    matrix, events = interactions_before(history, as_of), events_before(history, as_of)
    found = []
    for number in range(1, WINDOWS + 1):
        days = number * settings.horizon_days
        past = matrix.earlier(days)
        known = past.of_those_with_events()
        if not len(known):
            break
        truth = Split(as_of - timedelta(days=days), settings.horizon_days).truth(events, known)
        buyers = np.flatnonzero(np.diff(truth.all.indptr))
        chosen = rng_for(seed, f"tuning customers {number}").permutation(buyers)[:CUSTOMERS_AT_MOST]
        if len(chosen):
            chosen = np.sort(chosen)
            found.append(Window(past, known.of_customers(chosen), truth.of_customers(chosen)))
    if not found:
        raise NotEnoughData(f"there is no purchase of a known customer in the {WINDOWS} windows before {as_of}")
    return found


def try_cells(cells: Iterable[Cell], windows: Sequence[Window], *, seed: int) -> Iterator[Tried]:
    """Fit and judge cell after cell; one that fails is told, and the others go on."""
    popularity = [create("popularity", seed).fit(window.past) for window in windows]
    for cell in cells:
        try:
            values = [_ndcg(cell, window, below, seed) for window, below in zip(windows, popularity, strict=True)]
            yield Tried(cell, float(np.mean(values)))
        except FAILURES as problem:
            yield Tried(cell, None, f"{type(problem).__name__}: {problem}")


def _ndcg(cell: Cell, window: Window, popularity: Any, seed: int) -> float:
    model = create(cell.recommender, seed, **cell.keywords).fit(window.past)
    lists = best_items(Blend.of_fitted((model, popularity)), window.known, k=K_JUDGED, exclude_seen=cell.slate == "new")
    return float(np.nanmean(metrics.ndcg(lists[0], getattr(window.truth, cell.slate))))


def best_of(tried: Iterable[Tried]) -> dict[str, Tried]:
    """The best cell of each recommender; of equals the first."""
    best: dict[str, Tried] = {}
    for one in tried:
        if one.ndcg is not None and (one.cell.recommender not in best or one.ndcg > best_value(best, one)):
            best[one.cell.recommender] = one
    return best


def best_value(best: Mapping[str, Tried], one: Tried) -> float:
    """The value of the best cell so far of the same recommender."""
    return best[one.cell.recommender].ndcg or 0.0


def tune(
    history: History,
    settings: TrainingSettings,
    grid: Mapping[str, Mapping[str, Any]],
    *,
    as_of: datetime,
    budget: Callable[[Sequence[Cell]], Iterator[Cell]],
    seed: int,
    steps: Steps,
) -> list[Tried]:
    """Try what the budget allows; nothing at or after ``as_of`` is looked at."""
    windows = past_windows(history, settings, as_of=as_of, seed=seed)
    cells = cells_of(grid, settings, seed=seed)
    return list(try_cells(steps("tune", budget(cells), total=len(cells)), windows, seed=seed))


def to_toml(settings: TrainingSettings, best: Mapping[str, Tried]) -> str:
    """All recommenders with the best keywords found, as a configuration that ``train`` reads."""
    lines = ["# Written by `regulars tune`; delete the file to go back to the defaults."]
    for name, given in settings.recommenders.items():
        keywords = {**given, **(best[name].cell.keywords if name in best else {})}
        # These values are written alike in JSON and in TOML.
        lines += ["", f"[recommenders.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keywords.items())]
    return "\n".join(lines) + "\n"
