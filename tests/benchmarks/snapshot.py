"""Who leaves in tables of one row per customer, by five folds: ``python -m tests.benchmarks.snapshot``.

The frames go to ``recommender.models.create("churn")`` as they are, with texts, blanks and identifiers; rows of the
Iranian table that repeat another one are left out. Scores of all folds are judged together for the calibration error,
fold by fold for the area under the curve.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from recommender.models import create
from recommender.probability_metrics import area_under_curve, average_precision, brier_score, calibration_error

DATA = Path(__file__).parents[3] / "shared" / "data"


def telco(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """IBM's customers of a telephone company; who left is a text."""
    frame = pd.concat(map(pd.read_parquet, sorted((folder / "telco_churn").glob("*.parquet"))), ignore_index=True)
    return frame.drop(columns="Churn"), frame["Churn"] == "Yes"


def iranian(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """UCI 563, without repeated rows."""
    frame = pd.concat(map(pd.read_parquet, sorted((folder / "iranian_churn").glob("*.parquet"))), ignore_index=True)
    distinct = frame.drop_duplicates(ignore_index=True)
    return distinct.drop(columns="Churn"), distinct["Churn"].astype(bool)


def main() -> None:
    """Print a row per table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds telco_churn/ and iranian_churn/")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for name, read in (("telco", telco), ("iranian", iranian)):
        features, churned = read(asked.data)
        outcomes, said, areas = churned.to_numpy(dtype="float64"), np.zeros(len(churned)), []
        folds = StratifiedKFold(5, shuffle=True, random_state=asked.seed).split(features, churned)
        for known, judged in folds:
            model = create("churn", asked.seed).fit(features.iloc[known], churned.iloc[known])
            said[judged] = model.predict_proba(features.iloc[judged]).to_numpy()
            areas.append(area_under_curve(outcomes[judged], said[judged]))
        print(  # noqa: T201
            f"{name:<10}{len(said):>7,} rows  AUC {np.mean(areas):.4f} ({min(areas):.4f} to {max(areas):.4f})"
            f"  PR-AUC {average_precision(outcomes, said):.4f}  Brier {brier_score(outcomes, said):.4f}"
            f"  ECE {calibration_error(outcomes, said):.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
