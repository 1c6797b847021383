"""Lists of RecTools models: ``PYTHON _rectools.py TRAIN.npz LISTS.npz K``, run by an interpreter that has RecTools.

TRAIN.npz holds ``rows`` and ``columns``, the pairs of the split. LISTS.npz gets, per model, ``NAME:positions``
(customers x K, -1 where a list is shorter) and ``NAME:seconds`` to fit.
"""

import sys
import time

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import ImplicitItemKNNWrapperModel, PureSVDModel


def lists(model, data: Dataset, customers: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    """Positions of the k best items that each customer did not meet, and the seconds to fit."""
    started = time.perf_counter()
    model.fit(data)
    spent = time.perf_counter() - started
    found = model.recommend(users=customers, dataset=data, k=k, filter_viewed=True)
    positions = np.full((customers.max() + 1, k), -1, dtype=np.int32)
    positions[found[Columns.User], found[Columns.Rank] - 1] = found[Columns.Item]
    return positions, spent


def main() -> None:
    """Fit both models and write their lists."""
    source, target, k = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with np.load(source) as split:
        pairs = pd.DataFrame({Columns.User: split["rows"], Columns.Item: split["columns"]})
    pairs[Columns.Weight] = 1.0
    pairs[Columns.Datetime] = pd.Timestamp("2020-01-01")
    data = Dataset.construct(pairs)
    models = {
        "RecTools item-kNN cosine": ImplicitItemKNNWrapperModel(CosineRecommender(K=200, num_threads=1)),
        "RecTools PureSVD 256": PureSVDModel(factors=256),
    }
    written = {}
    for name, model in models.items():
        written[f"{name}:positions"], written[f"{name}:seconds"] = lists(model, data, np.unique(pairs[Columns.User]), k)
    np.savez(target, **written)


if __name__ == "__main__":
    main()
