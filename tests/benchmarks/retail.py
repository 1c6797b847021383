"""How good the recommenders are on Online Retail: ``python -m tests.benchmarks.retail``.

Both years of the shop's invoices, cleaned as the importer does; everything is fitted before the cutoff and judged on
the 28 days after it. No setting of a model was chosen on these data.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recommender.interaction_matrix import InteractionMatrix
from recommender.periods import instant
from recommender.splits import Split, catalogue
from tests.benchmarks import _lists
from training.importers.online_retail import convert

DATA = Path(__file__).parents[3] / "shared" / "data" / "online_retail"


def read(source: Path) -> pd.DataFrame:
    """Purchases and returns as events."""
    frames = convert(source).frames
    times = {"order": ("order_lines", "ordered_at"), "return": ("returns", "returned_at")}
    events = [
        frames[table][["customer_id", "item_id"]].assign(at=frames[table][column], kind=kind)
        for kind, (table, column) in times.items()
    ]
    return pd.concat(events, ignore_index=True).astype({"kind": "string"})


def main() -> None:
    """Print the table."""
    parser = _lists.parser(__doc__, data=DATA, cutoff=instant("2011-11-01"))
    asked = parser.parse_args()
    if not asked.data.exists():
        parser.error(f"there is no folder {asked.data}; name the one of the files with --data")
    events = read(asked.data)
    matrix = InteractionMatrix.from_events(events, cutoff=asked.cutoff, items=catalogue(events, asked.cutoff))
    _lists.compare(asked, matrix, Split(asked.cutoff, asked.horizon_days).truth(events, matrix))


if __name__ == "__main__":
    main()
