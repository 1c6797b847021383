"""What the advisor answers about customers: who is likely to leave and why, what they are worth, where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class RiskReason:
    """Why a customer is likely to leave or to stay; ``contribution`` in log-odds, ``direction`` up or down."""

    code: str
    text: str
    lever: str
    direction: str
    contribution: float


# The definition of churn that is meant where none is named.
MAIN_DEFINITION = "churn"


@dataclass(frozen=True)
class ScorePoint:
    """What one scoring said of a customer."""

    as_of: datetime
    churn_probability: float
    band: str


@dataclass(frozen=True)
class ChurnRisk:
    """Probability that a customer leaves within the horizon, with what it costs, why, and what to do.

    The probability looks ahead from ``scored_at``, the instant of the last scoring; the dates and ``churn_curve`` are
    those of ``as_of``, the later of that and the customer's last event. ``churn_curve`` holds pairs of days and the
    probability of having left by then. Where leaving is to order nothing within the days, it falls as these grow
    longer; where it is the end of a contract, it rises. Beyond ``churn_curve_learned_days`` it is extrapolated.

    ``base_log_odds``, the contributions of the reasons and ``other_log_odds`` sum to the log-odds of the probability.
    ``previous_band`` is that of an earlier scoring and ``history`` what all of them said, oldest first, where they were
    asked for.
    """

    customer_id: str
    customer_known: bool
    in_population: bool
    churn_probability: float | None
    horizon_days: int
    population: str
    band: str | None
    expected_loss: float | None
    predicted_value: float | None
    lever: str
    action: str
    reasons: tuple[RiskReason, ...]
    model_version: str | None
    as_of: datetime | None
    definition: str = MAIN_DEFINITION
    segment: str | None = None
    region: str | None = None
    treatment: str | None = None
    is_holdout: bool = False
    consent_marketing: bool = True
    last_order_at: datetime | None = None
    expected_next_order_at: datetime | None = None
    next_order_earliest_at: datetime | None = None
    next_order_latest_at: datetime | None = None
    order_interval_days: float | None = None
    churn_curve: tuple[tuple[int, float], ...] | None = None
    churn_curve_learned_days: int | None = None
    scored_at: datetime | None = None
    base_log_odds: float | None = None
    other_log_odds: float | None = None
    previous_band: str | None = None
    history: tuple[ScorePoint, ...] | None = None


@dataclass(frozen=True)
class CustomerValue:
    """What a customer was worth and is expected to be worth within the horizon, in the account currency.

    ``value_is_margin``: costs were taken off; else value is revenue; None where there is no score of the bundle that
    is served. ``method`` names the model, ``horizon_method`` how another horizon than the model's was found, None for
    the model's own; then there are no bounds: they were read off windows of the model's horizon.
    """

    customer_id: str
    customer_known: bool
    horizon_days: int
    historic_value: float | None
    predicted_value: float | None
    total_value: float | None
    model_version: str | None
    as_of: datetime | None
    predicted_value_low: float | None = None
    predicted_value_high: float | None = None
    predicted_orders: float | None = None
    predicted_order_amount: float | None = None
    value_is_margin: bool | None = None
    method: str | None = None
    horizon_method: str | None = None


@dataclass(frozen=True)
class CustomerSummary:
    """What is known of a customer: profile, consents, and the figures of the last scoring."""

    customer_id: str
    customer_known: bool
    profile: dict[str, Any]
    consent_personalization: bool
    consent_marketing: bool
    segment: str | None
    rfm: str | None
    churn_probability: float | None
    predicted_value: float | None
    order_count: int
    last_order_at: datetime | None
    model_version: str | None
    as_of: datetime | None


@dataclass(frozen=True)
class CustomerBase:
    """What a training learned of all customers together: ``cohorts``, ``repurchase``, ``lifecycle``, ``rfm``."""

    model_version: str | None
    as_of: datetime | None
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class RiskFilter:
    """Which rows of the churn list are asked for; None and empty mean any.

    Bounds are inclusive, of several names any will do. ``segments`` may name lifecycle segments and saved ones;
    ``treatments`` may say ``none`` for no treatment. ``moved`` (up or down) keeps those whose band differs from that
    of the last scoring at or before ``since``.
    """

    min_probability: float | None = None
    max_probability: float | None = None
    min_loss: float | None = None
    max_loss: float | None = None
    min_value: float | None = None
    max_value: float | None = None
    segments: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    levers: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()
    is_holdout: bool | None = None
    consent_marketing: bool | None = None
    definition: str = MAIN_DEFINITION
    since: datetime | None = None
    moved: str | None = None


@dataclass(frozen=True)
class BandMove:
    """Customers that went from one band to another; None as a band: outside the population.

    ``expected_loss_before`` and ``expected_loss`` are what they were and are expected to cost, in the account currency.
    """

    from_band: str | None
    to_band: str | None
    customer_count: int
    expected_loss_before: float
    expected_loss: float


@dataclass(frozen=True)
class BandMoves:
    """How the customers moved between the bands of two scorings."""

    definition: str
    since: datetime
    as_of: datetime
    moves: tuple[BandMove, ...]


@dataclass(frozen=True)
class RiskPage:
    """One page of the churn list and the cursor of the next, None at the end."""

    risks: tuple[ChurnRisk, ...]
    next_cursor: str | None = None


@dataclass(frozen=True)
class ChurnDriver:
    """One cause over the population: whom it is told of as raising the risk, and the expected loss it carries.

    ``mean_contribution`` is in log-odds over those customers. What is compared is None where no scoring of about a
    month before is kept.
    """

    code: str
    meaning: str
    lever: str
    customer_count: int
    customer_share: float
    mean_contribution: float
    expected_loss: float
    customer_share_before: float | None
    customer_share_change: float | None
    expected_loss_before: float | None


@dataclass(frozen=True)
class ChurnDrivers:
    """The causes of a scoring, the one that carries most expected loss first."""

    definition: str
    as_of: datetime | None
    compared_with: datetime | None
    customer_count: int
    expected_loss: float
    drivers: tuple[ChurnDriver, ...]
