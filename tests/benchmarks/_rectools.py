"""Lists of RecTools models: ``PYTHON _rectools.py TRAIN.npz LISTS.npz K``, run by an interpreter that has RecTools.

TRAIN.npz holds ``rows``, ``columns`` and ``weights``, the pairs of the split. LISTS.npz gets, per model, ``NAME:all``
and, without what each customer met, ``NAME:new`` (customers x K, -1 where a list is shorter), and ``NAME:seconds`` to
fit.
"""

import sys
import time

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import ImplicitItemKNNWrapperModel, PureSVDModel


def lists(model, data: Dataset, customers: np.ndarray, k: int, *, only_new: bool) -> np.ndarray:
    """Positions of the k best items of each customer."""
    found = model.recommend(users=customers, dataset=data, k=k, filter_viewed=only_new)
    positions = np.full((customers.max() + 1, k), -1, dtype=np.int32)
    positions[found[Columns.User], found[Columns.Rank] - 1] = found[Columns.Item]
    return positions


def main() -> None:
    """Fit both models and write their lists."""
    source, target, k = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with np.load(source) as split:
        pairs = pd.DataFrame({Columns.User: split["rows"], Columns.Item: split["columns"]})
        pairs[Columns.Weight] = split["weights"]
    pairs[Columns.Datetime] = pd.Timestamp("2020-01-01")
    data = Dataset.construct(pairs)
    models = {
        "RecTools item-kNN cosine": ImplicitItemKNNWrapperModel(CosineRecommender(K=200, num_threads=1)),
        "RecTools PureSVD 256": PureSVDModel(factors=256),
    }
    written = {}
    for name, model in models.items():
        started = time.perf_counter()
        model.fit(data)
        written[f"{name}:seconds"] = time.perf_counter() - started
        customers = np.unique(pairs[Columns.User])
        written[f"{name}:all"] = lists(model, data, customers, k, only_new=False)
        written[f"{name}:new"] = lists(model, data, customers, k, only_new=True)
    np.savez(target, **written)


if __name__ == "__main__":
    main()
