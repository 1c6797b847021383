"""What a shop's customers are like as a whole: cohorts, repurchase curves, lifecycle states by month, RFM."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from recommender.history import History
from recommender.retention.cohorts import add_counts, cohort_counts, cohort_facts, whole_orders
from recommender.retention.definitions import ChurnDefinition
from recommender.retention.repurchase import repurchase_curves, waiting_counts
from recommender.retention.rfm import FIGURES, GROUP_NAMES, SCORES, learn_bounds, rfm_figures, rfm_group, rfm_scores
from recommender.retention.transitions import STATE_TABLES, month_by_month, month_cutoffs, transition_facts
from training.progress import Steps


def customer_base_facts(
    history: History, definition: ChurnDefinition, *, as_of: datetime, steps: Steps
) -> dict[str, Any]:
    """The facts of all customers from rows before the instant alone; memory is bounded by one bucket.

    ``rfm`` holds the bounds that scoring applies. Every part is empty where nobody has ordered or subscribed.
    """
    cutoffs = _cutoffs(history, as_of)
    cohorts, waiting, moves, figures = [], [], [], []
    for bucket in steps("customer base", range(history.buckets)):
        known = {
            name: history.read(name, before=as_of, bucket=bucket, columns=table.column_names)
            for name, table in STATE_TABLES.items()
        }
        returns = history.read("returns", before=as_of, bucket=bucket, columns=["customer_id", "amount"])
        orders = whole_orders(known["order_lines"])
        cohorts.append(cohort_counts(orders))
        waiting.append(waiting_counts(orders, as_of))
        moves.append(month_by_month({**known, "order_lines": orders}, cutoffs, definition))
        figures.append(_rfm_figures(orders, returns, as_of))
    return {
        "cohorts": cohort_facts(add_counts(cohorts), as_of),
        "repurchase": repurchase_curves({number: sum(one[number] for one in waiting) for number in waiting[0]}),
        "lifecycle": transition_facts(sum(moves, np.zeros_like(moves[0])), cutoffs, definition),
        "rfm": rfm_facts(pd.concat(figures)),
    }


def rfm_facts(figures: pd.DataFrame) -> dict[str, Any]:
    """Bounds, customers by recency and frequency (rows from 1 to 5), and the size and money of each group."""
    bounds = learn_bounds(figures)
    scores = rfm_scores(figures, bounds)
    recency, frequency = scores.str[0], scores.str[1]
    grid = pd.crosstab(recency, frequency).reindex(index=map(str, SCORES), columns=map(str, SCORES), fill_value=0)
    amounts = figures["net_amount"].groupby(scores.map(rfm_group)).agg(["size", "sum"])
    return {
        "bounds": bounds,
        "grid": grid.to_numpy().tolist(),
        "groups": {
            name: {"customers": int(size), "net_amount": round(float(amount), 2)}
            for name, (size, amount) in amounts.reindex(GROUP_NAMES, fill_value=0).iterrows()
        },
    }


def _rfm_figures(orders: pd.DataFrame, returns: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    by_customer = orders.groupby("customer_id")
    back = returns["amount"].fillna(0.0).groupby(returns["customer_id"]).sum()
    paid = by_customer["amount"].sum()
    net = paid - back.reindex(paid.index, fill_value=0.0)
    return rfm_figures(by_customer["ordered_at"].max(), by_customer.size(), net, as_of)[list(FIGURES)]


def _cutoffs(history: History, as_of: datetime) -> list[datetime]:
    firsts = [
        history.read(name, before=as_of, columns=[at])[at].min()
        for name, at in (("order_lines", "ordered_at"), ("subscriptions", "started_at"))
    ]
    first = min((one for one in firsts if not pd.isna(one)), default=None)
    return [] if first is None else month_cutoffs(first.to_pydatetime(), as_of)
