"""Whether customers with few baskets are served better by their own lists or by what is popular:
``python -m tests.benchmarks.few_baskets``.

The ranker and popularity are judged on the 28 days after each of several cutoffs, customer by customer, and the
customers of all cutoffs of a shop are put together: at one cutoff too few of them have few baskets to tell. The
cutoffs lie before the windows that figures are reported for.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from recommender import metrics, models
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.blending import Blend
from recommender.periods import instant
from recommender.splits import Split, Truth, catalogue
from tests.benchmarks import _lists, journey, retail
from training.list_evaluation import Customers
from training.ranking_training import TWO_STAGE

DAYS = 28
SHOPS = {
    "journey": ("2017-03-27", "2017-05-22", "2017-07-31", "2017-10-09"),
    "retail": ("2011-05-01", "2011-08-01"),
}
# Days with a purchase, from and to.
LEVELS = ((0, 1), (2, 2), (0, 2), (3, 4), (5, 9), (10, 366))


def windows(shop: str, data: Path) -> Iterator[tuple[InteractionMatrix, Truth]]:
    """What was known before each cutoff of a shop, and what was bought in the window after it."""
    made = journey.read(data) if shop == "journey" else None
    events = made.events if made is not None else retail.read(data)
    for cutoff in map(instant, SHOPS[shop]):
        if made is not None:
            matrix = journey.history(made, cutoff, journey.choices(made, cutoff, "all"))
        else:
            items: IdIndex = catalogue(events, cutoff)
            matrix = InteractionMatrix.from_events(events, cutoff=cutoff, items=items)
        yield matrix, Split(cutoff, DAYS).truth(events, matrix)


def judged(matrix: InteractionMatrix, truth: Truth, seed: int) -> pd.DataFrame:
    """NDCG@10 of both lists of every customer, with the number of days with a purchase."""
    popularity, ranker = (
        models.create(name, seed=seed, **_lists.settings_of(name)).fit(matrix) for name in ("popularity", TWO_STAGE)
    )
    lists = {"popularity": popularity, TWO_STAGE: Blend.of_fitted((ranker, popularity))}
    values = {
        name: metrics.ndcg(_lists.best_items(model, matrix, k=_lists.PLACES, exclude_seen=False)[0], truth.all)
        for name, model in lists.items()
    }
    return pd.DataFrame({"days": Customers.of(matrix).basket_days, **values}).dropna()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--journey", type=Path, default=journey.folder(), help="folder with its public files")
    parser.add_argument("--retail", type=Path, default=retail.DATA, help="folder with its public files")
    asked = parser.parse_args()
    for shop in SHOPS:
        folder = getattr(asked, shop)
        if folder is None or not folder.exists():
            parser.error(f"there is no data of {shop}; name a folder with --{shop}")
        found = pd.concat([judged(*window, asked.seed) for window in windows(shop, folder)])
        for low, high in LEVELS:
            inside = found[found["days"].between(low, high)]
            ours, theirs = inside[TWO_STAGE].to_numpy(), inside["popularity"].to_numpy()
            gain = metrics.paired_interval(ours, theirs, seed=asked.seed)
            print(  # noqa: T201
                f"{shop:<8} {low:>3} to {high:>3} days with a purchase, {len(inside):>5} customers: NDCG@10 of "
                f"popularity {theirs.mean():.4f}, of the ranker {ours.mean():.4f}, gain {gain.mean:+.4f} "
                f"[{gain.low:+.4f}, {gain.high:+.4f}]",
                flush=True,
            )


if __name__ == "__main__":
    main()
