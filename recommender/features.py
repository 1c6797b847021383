"""Features: pure functions of what was known of one touchpoint, gathered by customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from recommender.errors import DataError
from recommender.tables import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

DAY_SECONDS = 86_400.0
UNKNOWN = float("nan")


@dataclass(frozen=True)
class Feature:
    """One number per customer.

    ``fill`` is the value of a customer without a row in the block's tables: 0 for counts and sums, NaN for what is
    then unknown. What a feature says to people is told by the cause that it belongs to: ``retention.causes``.
    """

    name: str
    meaning: str
    fill: float = 0.0


@dataclass(frozen=True)
class FeatureBlock:
    """The features of one touchpoint.

    ``compute`` gets the tables named, in order, each as of the cutoff, and the cutoff; it returns a frame with one
    row per customer that has any row, indexed by ``customer_id``, with one column per feature: a number or NaN.
    """

    name: str
    tables: tuple[Table, ...]
    compute: Callable[..., pd.DataFrame]
    features: tuple[Feature, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in order."""
        return tuple(feature.name for feature in self.features)


class FeatureSet:
    """All features of many customers at a cutoff.

    Raises DataError where two blocks declare a feature of one name.
    """

    def __init__(self, blocks: Sequence[FeatureBlock]) -> None:
        self.blocks = tuple(blocks)
        self.features: dict[str, Feature] = {}
        for block in self.blocks:
            for feature in block.features:
                if feature.name in self.features:
                    raise DataError(block.name, f"the feature {feature.name!r} is declared twice; rename one")
                self.features[feature.name] = feature

    @property
    def table_names(self) -> tuple[str, ...]:
        """Names of all tables that the blocks read, each once."""
        return tuple(dict.fromkeys(table.name for block in self.blocks for table in block.tables))

    def compute(self, tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, cutoff: datetime) -> pd.DataFrame:
        """Features of the customers given, float64, one row each in their order.

        ``tables`` holds frames as of the cutoff by table name; a table that is absent counts as empty. Customers
        without a row in any table of a block get its fill values.
        """
        import pandas as pd

        parts = [self._block(block, tables, customer_ids, cutoff) for block in self.blocks]
        return pd.concat(parts, axis=1) if parts else pd.DataFrame(index=customer_ids)

    def _block(
        self, block: FeatureBlock, tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, cutoff: datetime
    ) -> pd.DataFrame:
        import numpy as np
        import pandas as pd

        fills = np.array([feature.fill for feature in block.features], dtype="float64")
        values = np.tile(fills, (len(customer_ids), 1))
        frames = [tables[table.name] if table.name in tables else table.empty() for table in block.tables]
        if any(len(frame) for frame in frames):
            computed = block.compute(*frames, cutoff)
            places = computed.index.get_indexer(customer_ids)
            found = places >= 0
            columns = computed[list(block.feature_names)].to_numpy(dtype="float64", na_value=np.nan)
            values[found] = columns[places[found]]
        return pd.DataFrame(values, index=customer_ids, columns=list(block.feature_names))


def age_days(instants: pd.Series, cutoff: datetime) -> pd.Series:
    """Days from each instant to the cutoff; NaN where there is none."""
    import pandas as pd

    return (pd.Timestamp(cutoff) - instants).dt.total_seconds() / DAY_SECONDS


def gap_days(starts: pd.Series, ends: pd.Series) -> pd.Series:
    """Days from the start to the end of each row; NaN where one is missing."""
    return (ends - starts).dt.total_seconds() / DAY_SECONDS


def share(part: pd.Series, whole: pd.Series) -> pd.Series:
    """``part`` divided by ``whole``; NaN where the whole is not above 0."""
    return part / whole.where(whole > 0)


def last_by(rows: pd.DataFrame, group: str, order: Sequence[str]) -> pd.DataFrame:
    """The last row of each group in the order of the columns named, which must settle every tie that matters."""
    return rows.sort_values([group, *order], kind="stable").drop_duplicates(group, keep="last").set_index(group)


def event_days(rows: pd.DataFrame, group: str, age: str) -> pd.DataFrame:
    """One row per group and day with an event, oldest first: the day, and the days since the one before.

    Days are the 24 hours counted back from the cutoff, numbered from 0, so that windows hold whole days and no time
    zone is assumed; ``age`` names the column with the age of each event in days.
    """
    days = rows[[group]].assign(day=rows[age] // 1).drop_duplicates()
    days = days.sort_values([group, "day"], ascending=[True, False])
    return days.assign(interval=-days.groupby(group)["day"].diff())


def unique_pairs(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different pairs of two numberings that count from 0; pairs with a number below 0 are left out."""
    import numpy as np
    import pandas as pd

    known = (left >= 0) & (right >= 0)
    width = int(right.max(initial=0)) + 1
    # One whole number per pair is compared several times faster than two columns.
    pairs = pd.unique(left[known].astype("int64") * width + right[known])
    lefts, rights = np.divmod(pairs, width)
    return lefts, rights


def distinct_counts(owners: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """How many different values each of ``size`` owners has; both are numberings, below 0 is unknown."""
    import numpy as np

    return np.bincount(unique_pairs(owners, values)[0], minlength=size)
