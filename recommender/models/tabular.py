"""Frames of numbers and texts as matrices: what is learned of each column, and how it is applied."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import DataError
from recommender.features import DAY_SECONDS

if TYPE_CHECKING:
    import pandas as pd

MAXIMUM_CATEGORIES = 20
MINIMUM_CATEGORY_ROWS = 10
# A text column in which this share of the filled values are numbers, and many different ones, is a number.
NUMBER_SHARE = 0.98


@dataclass(frozen=True)
class ColumnCode:
    """How one column is read: as a number, or as one of its frequent categories.

    ``low`` to ``high`` is the range of the signed logarithm in the fit, ``center`` and ``scale`` its mean and
    standard deviation; ``has_missing`` whether the fit saw rows without a value.
    """

    name: str
    categories: tuple[str, ...] | None = None
    low: float = 0.0
    high: float = 0.0
    center: float = 0.0
    scale: float = 1.0
    has_missing: bool = False

    @property
    def width(self) -> int:
        """How many columns of the design it takes."""
        return (1 if self.categories is None else len(self.categories)) + int(self.has_missing)


@dataclass(frozen=True)
class Encoding:
    """The columns of a frame in their order, each with what was learned of it."""

    columns: tuple[ColumnCode, ...]

    @classmethod
    def learn(cls, features: pd.DataFrame) -> Encoding:
        """Learn the kind, the frequent categories and the scale of each column."""
        names = [str(name) for name in features.columns]
        if not names:
            raise DataError("features", "there is no column; give at least one")
        if len(set(names)) < len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise DataError("features", f"there are several columns {repeated!r}; give each its own name")
        return cls(tuple(_learn_column(name, features.iloc[:, place]) for place, name in enumerate(names)))

    @classmethod
    def from_state(cls, state: list[dict[str, Any]]) -> Encoding:
        """The encoding that ``state`` was taken from."""
        return cls(tuple(ColumnCode(**one) for one in state))

    def state(self) -> list[dict[str, Any]]:
        """Plain values that make the encoding."""
        return [asdict(column) for column in self.columns]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @property
    def categorical_positions(self) -> list[int]:
        """Positions of the columns that hold codes of categories."""
        return [place for place, column in enumerate(self.columns) if column.categories is not None]

    @property
    def owners(self) -> np.ndarray:
        """For each column of the design, the position of the column it was made from."""
        return np.repeat(np.arange(len(self.columns)), [column.width for column in self.columns])

    def numbers(self, features: pd.DataFrame) -> np.ndarray:
        """Rows x columns: numbers as they are, categories as codes, NaN where missing or not finite.

        A category that is rare or was never seen gets the code after the last. Raises DataError for a missing column.
        """
        named = {str(name): place for place, name in enumerate(features.columns)}
        matrix = np.empty((len(features), len(self.columns)))
        for place, column in enumerate(self.columns):
            if column.name not in named:
                raise DataError(
                    "features", f"the column {column.name!r} of the fit is missing; add it, empty if unknown"
                )
            values = features.iloc[:, named[column.name]]
            matrix[:, place] = _as_numbers(values) if column.categories is None else _codes(values, column.categories)
        return matrix

    def design(self, numbers: np.ndarray) -> np.ndarray:
        """The matrix of a linear model: standardised signed logarithms, one column per category, missing indicators.

        Numbers beyond the range of the fit are held at its edge; a missing number stands at the mean.
        """
        design = np.zeros((len(numbers), len(self.owners)))
        start = 0
        for place, column in enumerate(self.columns):
            values = numbers[:, place]
            if column.categories is None:
                held = np.clip(signed_log(values), column.low, column.high)
                design[:, start] = np.nan_to_num((held - column.center) / column.scale)
            else:
                for code in range(len(column.categories)):
                    design[:, start + code] = values == code
            if column.has_missing:
                design[:, start + column.width - 1] = np.isnan(values)
            start += column.width
        return design


def signed_log(values: np.ndarray) -> np.ndarray:
    """``log(1 + x)`` for numbers of any sign."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _learn_column(name: str, values: pd.Series) -> ColumnCode:
    if not _is_number(values):
        texts = values.astype("string")
        return ColumnCode(name, categories=_frequent(texts), has_missing=bool(texts.isna().any()))
    numbers = signed_log(_as_numbers(values))
    # Sorted, so that the sums do not depend on the order of the rows.
    there = np.sort(numbers[~np.isnan(numbers)])
    has_missing = len(there) < len(numbers)
    if not len(there):
        return ColumnCode(name, has_missing=has_missing)
    spread = float(there.std())
    return ColumnCode(
        name,
        low=float(there[0]),
        high=float(there[-1]),
        center=float(there.mean()),
        scale=spread if spread > 1e-9 else 1.0,
        has_missing=has_missing,
    )


def _is_number(values: pd.Series) -> bool:
    import pandas as pd

    kinds = pd.api.types
    if kinds.is_numeric_dtype(values.dtype) or kinds.is_bool_dtype(values.dtype):
        return True
    if kinds.is_datetime64_any_dtype(values.dtype) or kinds.is_timedelta64_dtype(values.dtype):
        return True
    filled = values.astype("string").str.strip()
    filled = filled[filled.notna() & (filled != "")]
    numbers = pd.to_numeric(filled, errors="coerce")
    return bool(numbers.notna().mean() >= NUMBER_SHARE and numbers.nunique() > MAXIMUM_CATEGORIES)


def _as_numbers(values: pd.Series) -> np.ndarray:
    import pandas as pd

    kinds = pd.api.types
    found: np.ndarray
    if kinds.is_datetime64_any_dtype(values.dtype):
        origin = pd.Timestamp(0, tz=values.dt.tz)
        found = ((values - origin).dt.total_seconds() / DAY_SECONDS).to_numpy(dtype="float64")
    elif kinds.is_timedelta64_dtype(values.dtype):
        found = (values.dt.total_seconds() / DAY_SECONDS).to_numpy(dtype="float64")
    else:
        is_number = kinds.is_numeric_dtype(values.dtype) or kinds.is_bool_dtype(values.dtype)
        texts = values if is_number else values.astype("string").str.strip()
        found = pd.to_numeric(texts, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _frequent(texts: pd.Series) -> tuple[str, ...]:
    counts = texts.value_counts()
    frequent = counts[counts >= min(MINIMUM_CATEGORY_ROWS, max(1, len(texts) // 10))]
    ordered = sorted(frequent.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(str(text) for text, _ in ordered[:MAXIMUM_CATEGORIES])


def _codes(values: pd.Series, categories: tuple[str, ...]) -> np.ndarray:
    import pandas as pd

    texts = values.astype("string")
    codes = pd.Index(categories, dtype="string").get_indexer(pd.Index(texts))
    known = np.where(codes < 0, len(categories), codes).astype("float64")
    return np.where(texts.isna().to_numpy(), np.nan, known)
