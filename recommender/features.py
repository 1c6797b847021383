"""Features: pure functions of what was known of one touchpoint, gathered by customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from recommender.tables import Table

if TYPE_CHECKING:
    import pandas as pd

DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Feature:
    """One number per customer.

    ``fill`` is the value of a customer without a row in the block's tables: 0 for counts and sums, NaN for what is
    then unknown. ``sentence`` says the value to people (``"No order for {value:.0f} days"``); a feature without a
    sentence is never given as a reason. ``lever`` is what a company can pull: offer, service, product or none.
    """

    name: str
    meaning: str
    fill: float = 0.0
    sentence: str = ""
    lever: str = "none"


@dataclass(frozen=True)
class FeatureBlock:
    """The features of one touchpoint.

    ``compute`` gets the tables named, in order, each as of the cutoff, and the cutoff; it returns a frame with one
    row per customer that has any row, indexed by ``customer_id``, with one column per feature.
    """

    name: str
    tables: tuple[Table, ...]
    compute: Callable[..., pd.DataFrame]
    features: tuple[Feature, ...]


class FeatureSet:
    """All features of many customers at a cutoff."""

    def __init__(self, blocks: Sequence[FeatureBlock]) -> None:
        self.blocks = tuple(blocks)
        self.features = {feature.name: feature for block in self.blocks for feature in block.features}

    def compute(self, tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, cutoff: datetime) -> pd.DataFrame:
        """Features of the customers given, float64, one row each in their order.

        ``tables`` holds frames as of the cutoff by table name; a block whose tables are all absent or empty gives
        its fill values.
        """
        import pandas as pd

        parts = [self._block(block, tables, customer_ids, cutoff) for block in self.blocks]
        return pd.concat(parts, axis=1) if parts else pd.DataFrame(index=customer_ids)

    def _block(
        self, block: FeatureBlock, tables: Mapping[str, pd.DataFrame], customer_ids: pd.Index, cutoff: datetime
    ) -> pd.DataFrame:
        import pandas as pd

        names = [feature.name for feature in block.features]
        frames = [tables[table.name] if table.name in tables else table.empty() for table in block.tables]
        if all(frame.empty for frame in frames):
            computed = pd.DataFrame(index=customer_ids, columns=names, dtype="float64")
        else:
            computed = block.compute(*frames, cutoff)[names].reindex(customer_ids).astype("float64")
        absent = computed.isna().all(axis=1)
        fills = {feature.name: feature.fill for feature in block.features}
        computed.loc[absent] = computed.loc[absent].fillna(fills)
        return computed


def age_days(instants: pd.Series, cutoff: datetime) -> pd.Series:
    """Days from each instant to the cutoff; NaN where there is none."""
    import pandas as pd

    return (pd.Timestamp(cutoff) - instants).dt.total_seconds() / DAY_SECONDS


def gap_days(starts: pd.Series, ends: pd.Series) -> pd.Series:
    """Days from the start to the end of each row; NaN where one is missing."""
    return (ends - starts).dt.total_seconds() / DAY_SECONDS
