"""Straight from a history to files that anyone can judge: train before a cutoff, write what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from recommender.bundle import ModelBundle
from recommender.history import History, buckets_for
from recommender.json_text import json_text
from recommender.parquet_files import write_parquet
from training.examples import population_features
from training.ingest import consented_frames
from training.offer_answers import offers_frame
from training.offer_training import train_offers
from training.pipeline import Training, train
from training.progress import Steps
from training.ranking_training import TWO_STAGE
from training.retention.value_examples import value_histories
from training.settings import TrainingSettings

# Of a row in a compressed Parquet file; a CSV file has more, and gets more buckets than it needs.
_BYTES_PER_ROW = 20


@dataclass(frozen=True)
class Answers:
    """What a training says at its cutoff, in the columns of the files; an answer without a model is empty.

    ``features`` are those of the churn population, ``features_also`` those of further definitions by their name.
    """

    recommendations: pd.DataFrame
    churn: pd.DataFrame
    value: pd.DataFrame
    features: pd.DataFrame
    purchases: pd.DataFrame
    features_also: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    offers: pd.DataFrame | None = None
    offer_facts: Mapping[str, Any] = field(default_factory=dict)

    def write(self, out: Path) -> None:
        """One Parquet file per answer, rows sorted, byte-identical for equal answers; offers only if any was made."""
        for name in ("recommendations", "churn", "value", "offers"):
            frame: pd.DataFrame | None = getattr(self, name)
            if frame is not None:
                write_parquet(out / f"{name}.parquet", pa.Table.from_pandas(frame, preserve_index=False))
            else:
                (out / f"{name}.parquet").unlink(missing_ok=True)


def history_of(folder: Path, scratch: Path, *, now: datetime, steps: Steps) -> History:
    """The tables of a folder as a history, without the rows of customers who do not agree to personalization."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    history = History.create(scratch / "history", buckets_for(size // _BYTES_PER_ROW))
    for table, frame in consented_frames(folder, now, steps=steps):
        history.add(table, frame)
    history.compact()
    return history


def backtest(
    history: History, settings: TrainingSettings, *, cutoff: datetime, k: int, seed: int, steps: Steps
) -> tuple[Training, Answers]:
    """Train on what was known before the cutoff and answer for every customer; nothing later is looked at."""
    training = train(
        history, settings, as_of=cutoff, seed=seed, steps=steps, also_fit=(*settings.recommenders, TWO_STAGE)
    )
    features = population_features(history, training.churn.definition, cutoff, steps)
    offers = train_offers(history, horizon_days=settings.horizon_days, as_of=cutoff, seed=seed, steps=steps)
    purchases = value_histories(history, training.value.margins, cutoff, steps)
    answers = Answers(
        recommendations=recommendations_frame(training.bundle, k),
        churn=churn_frame(training.bundle, features),
        value=value_frame(training.bundle, purchases),
        features=features,
        purchases=purchases,
        features_also={
            name: population_features(history, one.definition, cutoff, steps)
            for name, one in training.churn_also.items()
        },
        offers=offers_frame(history, offers, training.bundle.customers, cutoff, steps) if offers else None,
        offer_facts=offers.facts if offers else {},
    )
    return training, answers


def recommendations_frame(bundle: ModelBundle, k: int) -> pd.DataFrame:
    """``customer_id, slate, rank, item_id, score``: the first k of both slates of every customer."""
    parts = []
    item_ids = np.array(bundle.items.ids(), dtype=object)
    customer_ids = np.array(bundle.customers.ids(), dtype=object)
    for slate in ("all", "new"):
        positions = bundle.slates[slate].positions[:, :k]
        rows, ranks = np.nonzero(positions >= 0)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": customer_ids[rows],
                    "slate": slate,
                    "rank": ranks + 1,
                    "item_id": item_ids[positions[rows, ranks]],
                    "score": bundle.slates[slate].scores[:, :k][rows, ranks].astype("float64"),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True).astype(
        {"customer_id": "string", "slate": "string", "item_id": "string"}
    )
    return frame.sort_values(["customer_id", "slate", "rank"], ignore_index=True)


def churn_frame(bundle: ModelBundle, features: pd.DataFrame) -> pd.DataFrame:
    """``customer_id, churn_probability`` of the population; empty where the data support no model."""
    if "churn" not in bundle.models or features.empty:
        return pd.DataFrame({"customer_id": pd.Series(dtype="string"), "churn_probability": pd.Series(dtype="float64")})
    probabilities = bundle.models["churn"].predict_proba(features[bundle.facts["churn"]["features"]])
    frame: pd.DataFrame = probabilities.rename("churn_probability").rename_axis("customer_id").reset_index()
    return frame.astype({"customer_id": "string"})


def value_frame(bundle: ModelBundle, purchases: pd.DataFrame) -> pd.DataFrame:
    """``customer_id, predicted_value`` of every customer with an order before the cutoff."""
    if "value" not in bundle.models or purchases.empty:
        return pd.DataFrame({"customer_id": pd.Series(dtype="string"), "predicted_value": pd.Series(dtype="float64")})
    predicted = bundle.models["value"].predict(purchases, bundle.horizon_days)
    frame: pd.DataFrame = predicted.rename("predicted_value").rename_axis("customer_id").reset_index()
    return frame.astype({"customer_id": "string"}).sort_values("customer_id", ignore_index=True)


def write_metrics(metrics: Mapping[str, Any], out: Path) -> None:
    """``metrics.json`` beside the answers."""
    (out / "metrics.json").write_text(json_text(metrics))
