"""What drives churn over the population: how many customers each cause tells of, and how much expected loss it carries.

Counted over the reasons that are told, so that a figure can be found again in the churn list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from recommender.customer_answers import ChurnDriver, ChurnDrivers
from recommender.retention.causes import CAUSES
from recommender.retention.driver_store import DriverCount, DriverStore
from recommender.score_rows import ScoreRow

EVERYBODY = ""
GROUPS = ("segment", "region")
COMPARED_DAYS = 28
# Scorings are not made to the hour: a month ago is what was scored within this of it.
COMPARED_TOLERANCE_DAYS = 14


@dataclass
class DriverTally:
    """Counts rows of scores on their way into the store, over everybody and by segment and region."""

    _sums: dict[tuple[str, datetime, str, str, str], list[float]] = field(
        default_factory=lambda: defaultdict(lambda: [0.0, 0.0, 0.0])
    )

    def counting(self, rows: Iterable[ScoreRow]) -> Iterator[ScoreRow]:
        """The rows given, each counted once it was taken."""
        for row in rows:
            if row.churn_probability is not None:
                self._count(row)
            yield row

    def counts(self) -> list[DriverCount]:
        """All counts so far."""
        return [
            DriverCount(*key, customer_count=round(customers), contribution=contribution, expected_loss=loss)
            for key, (customers, contribution, loss) in sorted(self._sums.items())
        ]

    def _count(self, row: ScoreRow) -> None:
        loss = row.expected_loss or 0.0
        raising = [(one.code, one.contribution) for one in row.reasons if one.direction == "up"]
        total = sum(contribution for _, contribution in raising)
        for kind, name in ((EVERYBODY, EVERYBODY), *((kind, getattr(row, kind)) for kind in GROUPS)):
            if name is None:
                continue
            self._add((row.definition, row.as_of, kind, name, EVERYBODY), 0.0, loss)
            for code, contribution in raising:
                share = contribution / total if total > 0 else 0.0
                self._add((row.definition, row.as_of, kind, name, code), contribution, loss * share)

    def _add(self, key: tuple[str, datetime, str, str, str], contribution: float, loss: float) -> None:
        sums = self._sums[key]
        sums[0] += 1.0
        sums[1] += contribution
        sums[2] += loss


def drivers_of(store: DriverStore, definition: str, group: str = EVERYBODY, name: str = EVERYBODY) -> ChurnDrivers:
    """The causes of the last scoring by the loss that they carry, beside the scoring of about a month before.

    ``group`` is segment or region and ``name`` which; without, over everybody.
    """
    instants = store.instants(definition)
    if not instants:
        return ChurnDrivers(definition, None, None, 0, 0.0, ())
    as_of, before = instants[-1], _month_before(instants)
    now = {one.code: one for one in store.counts(definition, as_of, group, name)}
    then = {one.code: one for one in store.counts(definition, before, group, name)} if before else {}
    everybody = now.pop(EVERYBODY, None)
    drivers = [_driver(one, everybody, then) for one in now.values()] if everybody else []
    drivers.sort(key=lambda one: (-one.expected_loss, one.code))
    return ChurnDrivers(
        definition=definition,
        as_of=as_of,
        compared_with=before if EVERYBODY in then else None,
        customer_count=everybody.customer_count if everybody else 0,
        expected_loss=everybody.expected_loss if everybody else 0.0,
        drivers=tuple(drivers),
    )


def _month_before(instants: Sequence[datetime]) -> datetime | None:
    wanted = instants[-1] - timedelta(days=COMPARED_DAYS)
    nearest = min(instants[:-1], key=lambda one: abs(one - wanted), default=None)
    return nearest if nearest and abs(nearest - wanted) <= timedelta(days=COMPARED_TOLERANCE_DAYS) else None


def _driver(now: DriverCount, everybody: DriverCount, then: dict[str, DriverCount]) -> ChurnDriver:
    asked_before = then.get(EVERYBODY)
    before = then.get(now.code)
    share = now.customer_count / everybody.customer_count
    share_before = (before.customer_count if before else 0) / asked_before.customer_count if asked_before else None
    loss_before = (before.expected_loss if before else 0.0) if asked_before else None
    meaning, lever = _TOLD.get(now.code, (now.code, "none"))
    return ChurnDriver(
        code=now.code,
        meaning=meaning,
        lever=lever,
        customer_count=now.customer_count,
        customer_share=share,
        mean_contribution=now.contribution / now.customer_count,
        expected_loss=now.expected_loss,
        customer_share_before=share_before,
        customer_share_change=None if share_before is None else share - share_before,
        expected_loss_before=loss_before,
    )


_TOLD = {cause.code: (cause.meaning, cause.lever) for cause in CAUSES}
