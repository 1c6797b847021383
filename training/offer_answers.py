"""What is said of every customer and every offer, in the columns of ``offers.parquet``."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from recommender.bucket_files import bucket_of
from recommender.history import History
from recommender.identifiers import IdIndex
from recommender.models.lifetime_value import purchase_history
from recommender.models.uplift import UPLIFT_COLUMNS
from recommender.touchpoints import FEATURES
from training.examples import known_before
from training.offer_training import TrainedOffers, with_offer
from training.progress import Steps


def offers_frame(
    history: History, trained: TrainedOffers, customers: IdIndex, cutoff: datetime, steps: Steps
) -> pd.DataFrame:
    """``customer_id, offer_id, response_probability, uplift, uplift_low, uplift_high, value``: all customers x offers.

    The value is the uplift times what an order of the customer brings, less the expected cost of the offer. Where no
    uplift can be estimated it and the value are NaN.
    """
    amounts = expected_order_amounts(history, cutoff)
    buckets: dict[int, list[str]] = {bucket: [] for bucket in range(history.buckets)}
    for customer_id in customers.ids():
        buckets[bucket_of(customer_id, history.buckets)].append(customer_id)
    parts = []
    for bucket, ids in steps("offers", sorted(buckets.items())):
        customer_ids = pd.Index(ids, dtype="string", name="customer_id")
        features = FEATURES.compute(known_before(history, bucket, cutoff), customer_ids, cutoff)
        margins = amounts.reindex(customer_ids, fill_value=float(amounts.mean()) if len(amounts) else 0.0)
        parts += [_answers(features, margins, trained, offer_id) for offer_id in trained.offers.index]
    return pd.concat(parts, ignore_index=True).sort_values(["customer_id", "offer_id"], ignore_index=True)


def expected_order_amounts(history: History, cutoff: datetime) -> pd.Series:
    """Mean amount per order day of each customer with an order before the cutoff, in the account currency."""
    lines = history.read("order_lines", before=cutoff)
    purchases = purchase_history(lines, history.read("returns", before=cutoff), cutoff)
    return purchases["mean_order_amount"]


def _answers(features: pd.DataFrame, margins: pd.Series, trained: TrainedOffers, offer_id: str) -> pd.DataFrame:
    """The rows of one offer; an offer whose use has no known cost counts as free."""
    unknown = np.full(len(features), np.nan)
    asked = with_offer(features, trained.offers, pd.Series(offer_id, index=range(len(features)), dtype="string"))
    response = unknown if trained.response is None else trained.response.predict_proba(asked).to_numpy()
    uplifts = pd.DataFrame(dict.fromkeys(UPLIFT_COLUMNS, unknown), index=features.index)
    if offer_id in trained.uplift_of:
        uplifts = trained.uplifts[trained.uplift_of[offer_id]].predict(asked)
    unit_cost = trained.offers["unit_cost"].fillna(0.0)[offer_id]
    rows = pd.DataFrame(
        {
            "customer_id": features.index.astype("string"),
            "offer_id": pd.array([offer_id] * len(features), dtype="string"),
            "response_probability": response,
        }
    )
    value = uplifts["uplift"].to_numpy() * margins.to_numpy() - response * unit_cost
    return rows.assign(**{name: uplifts[name].to_numpy() for name in UPLIFT_COLUMNS}, value=value)
