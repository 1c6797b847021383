"""Learn when customers order next and when contracts end: examples at many past cutoffs, each as far as it was seen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from recommender.errors import NotEnoughData
from recommender.history import History
from recommender.models import create
from recommender.models.order_rhythm import RHYTHM
from recommender.models.survival_curves import NODES
from recommender.outcomes import days_to_order, days_to_subscription_end, running_subscribers
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.order_times import CONTRACT_TIMES, CONTRACTS, ORDER_TIMES, rhythm_of
from recommender.retention.panel import panel_cutoffs
from recommender.tables import as_of as known_at
from recommender.touchpoints import TABLES
from training.progress import Steps
from training.settings import TrainingSettings

logger = logging.getLogger(__name__)

# Buckets of customers are read until there are so many examples: a bucket is a fair sample of the customers.
EXAMPLES_AT_LEAST = 20_000
EXAMPLES_AT_MOST = 30_000

Durations = tuple[pd.DataFrame, pd.Series]


@dataclass(frozen=True)
class TimeExamples:
    """Customers at past cutoffs: numbers, the days until it happened (infinite: not yet), and the days seen."""

    features: pd.DataFrame
    days: np.ndarray
    known_days: np.ndarray


@dataclass(frozen=True)
class DurationSource:
    """The table whose rows begin or end a time, read in the columns named, and how durations come from them."""

    table: str
    begins: str
    durations: Callable[[pd.DataFrame, datetime], Durations]
    columns: Sequence[str] | None = None


@dataclass(frozen=True)
class TrainedTimes:
    """The models of time by their name in a bundle, and what was fitted or is missing."""

    models: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def with_model(self, name: str, model: Any) -> TrainedTimes:
        """One more model."""
        fact = {"kind": model.kind, "learned_days": model.learned_days}
        return TrainedTimes({**self.models, name: model}, {**self.facts, name: fact})

    def without(self, name: str, missing: str) -> TrainedTimes:
        """A model that the data do not support, and why."""
        return TrainedTimes(self.models, {**self.facts, name: {"missing": missing}})


def train_times(
    history: History,
    definitions: Sequence[ChurnDefinition],
    settings: TrainingSettings,
    *,
    as_of: datetime,
    steps: Steps,
) -> TrainedTimes:
    """The time to the next order, and to the end of a contract where a definition asks about it.

    Where the orders are too few or too young for a hazard, BG/NBD tells the time to the next; contracts have no such
    fallback.
    """
    trained = TrainedTimes()
    try:
        trained = trained.with_model(ORDER_TIMES, _order_times(history, settings, as_of, steps))
    except NotEnoughData as problem:
        trained = trained.without(ORDER_TIMES, str(problem))
    if not any(one.contractual for one in definitions):
        return trained
    try:
        examples = time_examples(history, CONTRACTS_ENDED, settings, as_of=as_of, steps=steps)
        return trained.with_model(CONTRACT_TIMES, _hazard(examples))
    except NotEnoughData as problem:
        return trained.without(CONTRACT_TIMES, str(problem))


def time_examples(
    history: History, source: DurationSource, settings: TrainingSettings, *, as_of: datetime, steps: Steps
) -> TimeExamples:
    """Examples at cutoffs a step apart, back to a year and a step; from rows before ``as_of`` alone.

    Raises NotEnoughData where no cutoff has a customer.
    """
    step = settings.panel_step_days
    parts: list[tuple[datetime, Durations]] = []
    cutoffs: list[datetime] = []
    for bucket in steps(f"times of {source.table}", range(history.buckets)):
        if sum(len(found) for _, (found, _) in parts) >= EXAMPLES_AT_LEAST:
            continue
        # Of an order line only who and when is read: the lines of an order are one row.
        rows = history.read(source.table, before=as_of, bucket=bucket, columns=source.columns).drop_duplicates()
        if len(rows) and not cutoffs:
            first = rows[source.begins].min().to_pydatetime()
            cutoffs = panel_cutoffs(as_of, step, first, int(NODES[-1]) // step + 2, step)
        parts += [(cutoff, source.durations(rows, cutoff)) for cutoff in cutoffs]
    if not any(len(found) for _, (found, _) in parts):
        raise NotEnoughData(f"no cutoff {step} days before {as_of:%Y-%m-%d} has a customer in {source.table}")
    return _joined(parts, as_of)


def order_durations(order_lines: pd.DataFrame, cutoff: datetime) -> Durations:
    """The rhythm of everybody who had ordered before the cutoff, and the days to the next order."""
    known = order_lines[order_lines["ordered_at"] < cutoff]
    customer_ids = pd.Index(known["customer_id"].unique(), name="customer_id").sort_values()
    rhythm = pd.DataFrame(rhythm_of(known, customer_ids, cutoff), index=customer_ids, columns=list(RHYTHM))
    return rhythm, days_to_order(order_lines, customer_ids, cutoff)


def contract_durations(subscriptions: pd.DataFrame, cutoff: datetime) -> Durations:
    """The contracts of everybody with one that ran at the cutoff, and the days until none did."""
    known = known_at(TABLES["subscriptions"], subscriptions, cutoff)
    customer_ids = running_subscribers(known, cutoff)
    features = CONTRACTS.compute({"subscriptions": known}, customer_ids, cutoff)
    return features, days_to_subscription_end(subscriptions, customer_ids, cutoff)


ORDERS = DurationSource("order_lines", "ordered_at", order_durations, ("customer_id", "ordered_at"))
CONTRACTS_ENDED = DurationSource("subscriptions", "started_at", contract_durations)


def _joined(parts: Sequence[tuple[datetime, Durations]], as_of: datetime) -> TimeExamples:
    """All examples in an order made by hash; of too many, the first: a fair sample."""
    features = pd.concat([found for _, (found, _) in parts])
    days = np.concatenate([days.to_numpy() for _, (_, days) in parts])
    known = [(as_of - cutoff).total_seconds() / 86_400.0 for cutoff, _ in parts]
    known_days = np.repeat(known, [len(found) for _, (found, _) in parts])
    keys = pd.DataFrame({"customer": features.index.astype("string"), "known": known_days})
    hashes = pd.util.hash_pandas_object(keys, index=False).to_numpy()
    chosen = np.argsort(hashes, kind="stable")[:EXAMPLES_AT_MOST]
    return TimeExamples(features.iloc[chosen].reset_index(drop=True), days[chosen], known_days[chosen])


def _order_times(history: History, settings: TrainingSettings, as_of: datetime, steps: Steps) -> Any:
    try:
        return _hazard(time_examples(history, ORDERS, settings, as_of=as_of, steps=steps))
    except NotEnoughData as problem:
        logger.info("no hazard of orders: %s; BG/NBD is fitted instead", problem)
        lines = history.read(ORDERS.table, before=as_of, columns=ORDERS.columns)
        return create("bgnbd_curves").fit(order_durations(lines, as_of)[0])


def _hazard(examples: TimeExamples) -> Any:
    return create("discrete_hazard").fit(examples.features, examples.days, examples.known_days)
