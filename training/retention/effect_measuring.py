"""Measure what the treatments brought: from what scorings suggested and what customers did after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from recommender.bucket_files import bucket_of
from recommender.history import History
from recommender.outcomes import spend
from recommender.periods import Period
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.effect_answers import (
    ANY_TREATMENT,
    NO_OUTCOME,
    OTHER_SHARE,
    WINDOW_OPEN,
    MeasuredEffects,
)
from recommender.retention.effects import Units, measured_effect
from recommender.retention.suggestion_store import Suggestion
from recommender.retention.treatments import TreatmentPolicy
from training.examples import known_before
from training.progress import Steps

_COLUMNS = ("customer_id", "treatment", "as_of", "is_holdout", "holdout_share")


def measure_effects(
    history: History,
    suggestions: Iterable[Suggestion],
    policy: TreatmentPolicy,
    definition: ChurnDefinition,
    *,
    as_of: datetime,
    steps: Steps,
) -> MeasuredEffects:
    """The effect of every treatment of the ladder on the customers whose window is complete by ``as_of``.

    Customers for whom it was suggested while another share was held out are left out: to mix them would compare times.
    """
    meant = _with_any(_frame(suggestions))
    is_complete = meant["as_of"] + timedelta(days=definition.horizon_days) <= as_of
    is_drawn_alike = meant["holdout_share"] == policy.holdout_share
    measurable = meant[is_complete & is_drawn_alike]
    rows = _followed(history, measurable, definition, as_of, steps)
    costs = {one.name: one.cost for one in policy.ladder}
    effects = [
        measured_effect(name, _units(rows[rows["treatment"] == name], costs), holdout_share=policy.holdout_share)
        for name in _names(policy, rows)
    ]
    return MeasuredEffects(
        definition=definition.name,
        horizon_days=definition.horizon_days,
        experiment=policy.experiment,
        holdout_share=policy.holdout_share,
        as_of=as_of,
        effects=tuple(effects),
        left_out={
            WINDOW_OPEN: meant.loc[~is_complete & is_drawn_alike, "customer_id"].nunique(),
            NO_OUTCOME: measurable["customer_id"].nunique() - rows["customer_id"].nunique(),
            OTHER_SHARE: meant.loc[~is_drawn_alike, "customer_id"].nunique(),
        },
    )


def _frame(suggestions: Iterable[Suggestion]) -> pd.DataFrame:
    rows = pd.DataFrame([[getattr(one, name) for name in _COLUMNS] for one in suggestions], columns=_COLUMNS)
    rows = rows.astype({"customer_id": "string", "treatment": "string", "is_holdout": bool, "holdout_share": float})
    return rows.assign(as_of=pd.to_datetime(rows["as_of"], utc=True))


def _with_any(first: pd.DataFrame) -> pd.DataFrame:
    """The suggestions, and among those ``any``: of each customer the first of all; ``meant`` names the treatment."""
    named = first.assign(meant=first["treatment"])
    earliest = named.sort_values(["customer_id", "as_of"], kind="stable").drop_duplicates("customer_id")
    return pd.concat([earliest.assign(treatment=ANY_TREATMENT), named], ignore_index=True)


def _names(policy: TreatmentPolicy, rows: pd.DataFrame) -> list[str]:
    """All together, the ladder, and what stood on it before."""
    ladder = [one.name for one in policy.ladder]
    return [ANY_TREATMENT, *ladder, *sorted(set(rows["treatment"]) - {ANY_TREATMENT, *ladder})]


def _followed(
    history: History, meant: pd.DataFrame, definition: ChurnDefinition, as_of: datetime, steps: Steps
) -> pd.DataFrame:
    """The suggestions with what each customer did in the window after, bucket by bucket."""
    buckets = meant["customer_id"].map(lambda one: bucket_of(one, history.buckets))
    parts = [meant.head(0).assign(retained=False, revenue=0.0, revenue_before=0.0, contacted=False)]
    for bucket in steps("effects", sorted(buckets.unique())):
        tables = known_before(history, bucket, as_of)
        parts += _outcomes(tables, meant[buckets == bucket], definition)
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def _outcomes(
    tables: Mapping[str, pd.DataFrame], meant: pd.DataFrame, definition: ChurnDefinition
) -> Iterator[pd.DataFrame]:
    """One frame per scoring, windows that begin together at once; without the customers who have no outcome."""
    lines, returns = tables["order_lines"], tables["returns"]
    for scored_at, rows in meant.groupby("as_of"):
        at = pd.Timestamp(scored_at).to_pydatetime()
        window, before = Period.after(at, definition.horizon_days), Period.up_to(at, definition.horizon_days)
        ids = pd.Index(rows["customer_id"].unique(), dtype="string", name="customer_id")
        left = definition.happened(tables, ids, at).astype(bool)
        outcomes = pd.DataFrame(
            {
                "retained": ~left,
                "revenue": spend(lines, returns, left.index, window),
                "revenue_before": spend(lines, returns, left.index, before),
            }
        )
        followed = rows.join(outcomes, on="customer_id", how="inner")
        yield followed.assign(contacted=_contacted(tables["contacts"], followed, window))


def _contacted(contacts: pd.DataFrame, rows: pd.DataFrame, window: Period) -> np.ndarray:
    """Whether a contact of the campaign that bears the name of the treatment was sent within the window."""
    sent = contacts[contacts["sent_at"].between(window.start, window.end, inclusive="left")]
    pairs = pd.MultiIndex.from_frame(sent[["customer_id", "campaign"]])
    return pd.MultiIndex.from_frame(rows[["customer_id", "meant"]]).isin(pairs)


def _units(rows: pd.DataFrame, costs: Mapping[str, float]) -> Units:
    contacted = rows["contacted"].to_numpy(dtype=bool)
    return Units(
        held_out=rows["is_holdout"].to_numpy(dtype=bool),
        retained=rows["retained"].to_numpy(dtype=bool),
        revenue=rows["revenue"].to_numpy(dtype="float64"),
        revenue_before=rows["revenue_before"].to_numpy(dtype="float64"),
        costs=rows["meant"].map(lambda name: costs.get(name, 0.0)).to_numpy(dtype="float64"),
        contacted=contacted if contacted.any() else None,
    )
