"""Lists of several models judged on one window, with paired gains: what the benchmarks of lists share."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recommender import metrics, models
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.base import Recommender
from recommender.periods import instant
from recommender.probability_metrics import calibration_error
from recommender.ranking import best_items
from recommender.splits import Truth
from tests.benchmarks._peers import peers, rectools_lists
from training.ranking_training import TWO_STAGE
from training.settings import read_settings

PLACES = 10
# Whether bought items are left out of the list, and the model that gains are counted from.
SLATES = {"all": (False, "personal_frequency"), "new": (True, "popularity"), "next": (False, "personal_frequency")}


@dataclass(frozen=True)
class Judged:
    """One model's lists: seconds to fit and to list, and per slate the values of every customer.

    ``calibration`` sums up, where scores are probabilities, how they agree with what was bought of the places shown.
    """

    name: str
    fit_seconds: float
    list_seconds: float
    values: dict[str, dict[str, np.ndarray]]
    calibration: str | None


Lists = dict[str, tuple[np.ndarray, np.ndarray]]


def lists(model: Recommender, matrix: InteractionMatrix) -> Lists:
    """The ten best items of every customer and their scores, for each slate.

    ``next`` is the list of ``all`` judged on another day.
    """
    listed = partial(best_items, model, matrix, k=PLACES)
    found = {is_new: listed(exclude_seen=is_new) for is_new in (False, True)}
    return {slate: found[is_new] for slate, (is_new, _) in SLATES.items()}


def judge(name: str, model: Recommender, matrix: InteractionMatrix, truth: Truth) -> Judged:
    """Fit, list and measure one model."""
    started = time.perf_counter()
    model.fit(matrix)
    fitted = time.perf_counter()
    found = lists(model, matrix)
    listed = time.perf_counter()
    truths = _truths(truth)
    values = {slate: metrics.accuracy(found[slate][0], truths[slate]) for slate in SLATES}
    says_probabilities = name == TWO_STAGE and model.ranking_ is not None
    calibration = calibration_of(found, truths) if says_probabilities else None
    return Judged(name, fitted - started, listed - fitted, values, calibration)


def _truths(truth: Truth) -> dict[str, sparse.csr_matrix]:
    return {"all": truth.all, "new": truth.new, "next": truth.next_basket}


def others(asked: argparse.Namespace, matrix: InteractionMatrix, truth: Truth) -> Iterator[Judged]:
    """Other libraries on the same split, by the same measures: implicit, LightFM and, where it is named, RecTools."""
    for name, peer in peers(asked.seed).items():
        if not asked.models or name in asked.models:
            yield judge(name, peer, matrix, truth)
    if asked.rectools is None:
        return
    truths = _truths(truth)
    for name, (found, seconds) in rectools_lists(asked.rectools, matrix.counts(), PLACES).items():
        values = {slate: metrics.accuracy(found[is_new], truths[slate]) for slate, (is_new, _) in SLATES.items()}
        yield Judged(name, seconds, float("nan"), values, None)


def calibration_of(found: Lists, truths: Mapping[str, sparse.csr_matrix]) -> str:
    """Mean probability said and share bought of the places of each slate, and the expected calibration error."""
    parts = []
    for slate in ("all", "new"):
        positions, scores = found[slate]
        shown = positions >= 0
        bought, said = metrics.hits(positions, truths[slate])[shown].astype(float), scores[shown].astype(float)
        error = calibration_error(bought, said)
        parts.append(f"{slate}: said {said.mean():.3f}, bought {bought.mean():.3f}, calibration error {error:.4f}")
    return "; ".join(parts)


def rows(judged: Judged, earlier: Mapping[str, Judged], seed: int) -> Iterator[str]:
    """Lines of the table: means with 95 % intervals, and the paired gain where the reference was judged earlier."""
    for slate, (_, reference) in SLATES.items():
        cells = [f"{judged.name:<28}", f"{slate:<4}"]
        for measure in ("ndcg", "recall"):
            found = metrics.interval(judged.values[slate][measure], seed=seed)
            cells.append(f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]")
        if reference in earlier:
            theirs = earlier[reference].values[slate]["ndcg"]
            gain = metrics.paired_interval(judged.values[slate]["ndcg"], theirs, seed=seed)
            cells.append(f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]")
        yield "  ".join(cells)


def parser(description: str | None, *, data: Path | None, cutoff: datetime) -> argparse.ArgumentParser:
    """The flags that the benchmarks of lists have in common, with these defaults."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--data", type=Path, default=data, help="folder with the public files")
    made.add_argument("--cutoff", type=instant, default=cutoff)
    made.add_argument("--horizon-days", type=float, default=28)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--models", nargs="*", help="names of models, by default all")
    made.add_argument("--rectools", type=Path, help="Python of an environment that has RecTools")
    return made


def settings_of(name: str) -> dict[str, Any]:
    """The keywords that ``train`` gives a recommender by default; the two stages get the default generators."""
    settings = read_settings()
    if name == TWO_STAGE:
        generators = {one: settings.recommenders[one] for one in settings.generators}
        return {"generators": generators, "cutoffs": settings.ranking_cutoffs}
    return dict(settings.recommenders.get(name, {}))


def compare(asked: argparse.Namespace, matrix: InteractionMatrix, truth: Truth) -> None:
    """Print the table of all registered models, or of those asked for, with their default settings."""
    print(  # noqa: T201
        f"cutoff {asked.cutoff:%Y-%m-%d %H:%M}Z, {asked.horizon_days:g} days: {len(matrix.items)} items, "
        f"{(np.diff(truth.all.indptr) > 0).sum()} of {len(matrix.customers)} customers buy, "
        f"{truth.reachable_share:.1%} of their pairs are reachable; seed {asked.seed}"
    )
    print(f"{'model':<28}  list  NDCG@10 [95 %]             recall@10 [95 %]           gain of NDCG [95 %] over")  # noqa: T201
    print(f"{'':<90}  {', '.join(f'{name} ({slate})' for slate, (_, name) in SLATES.items())}")  # noqa: T201
    judged: dict[str, Judged] = {}
    chosen = [name for name in models.RECOMMENDERS if not asked.models or name in asked.models]
    ours = (judge(one, models.create(one, seed=asked.seed, **settings_of(one)), matrix, truth) for one in chosen)
    for found in chain(ours, others(asked, matrix, truth)):
        judged[found.name] = found
        for line in rows(found, judged, asked.seed):
            print(line, flush=True)  # noqa: T201
        print(f"{'':<28}  fit {found.fit_seconds:.1f} s, lists {found.list_seconds:.1f} s", flush=True)  # noqa: T201
        if found.calibration:
            print(f"{'':<28}  {found.calibration}", flush=True)  # noqa: T201
