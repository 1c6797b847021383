"""Running numbers of rows that share a key, over a whole file that is read in chunks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd

from recommender.tables import Table

_RUN_ROWS = 16_000_000


class RunningNumbers:
    """Fills the number column of a table: the n-th row with the same rest of the key gets n, refused rows included.

    So the number of a row does not change when another row is corrected. Of earlier chunks it remembers one 64-bit
    hash per row: in memory up to 16 million rows, on disk beyond, at most 128 MB each at a time. Two different keys
    with one hash, a matter of one in billions, skip a number and lose nothing.
    """

    def __init__(self, table: Table) -> None:
        self._numbered = table.numbered
        self._others = [name for name in table.key if name != table.numbered]
        self._runs: list[np.ndarray] = []
        self._spill = tempfile.TemporaryDirectory(prefix="regulars-")

    def __enter__(self) -> RunningNumbers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runs.clear()
        self._spill.cleanup()

    def fill(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The chunk with the number column filled where it was not given; the same chunk where there is no need."""
        if self._numbered is None or not set(self._others) <= set(frame.columns):
            return frame
        given = self._given(frame)
        hashes = pd.util.hash_pandas_object(frame[self._others].astype("string"), index=False).to_numpy()
        numbers = pd.Series(hashes).groupby(hashes).cumcount().to_numpy() + 1 + self._earlier(hashes)
        self._remember(hashes)
        if given is None:
            return frame.assign(**{self._numbered: pd.array(numbers, dtype="Int64")})
        missing = (given.isna() | (given == "").fillna(False)).to_numpy(dtype=bool)
        filled = given.astype(object).where(~missing, numbers.astype(str) if given.dtype == "string" else numbers)
        return frame.assign(**{self._numbered: filled.astype(given.dtype)})

    def _given(self, frame: pd.DataFrame) -> pd.Series | None:
        return frame[self._numbered] if self._numbered in frame.columns else None

    def _earlier(self, hashes: np.ndarray) -> np.ndarray:
        """How often each hash occurred in earlier chunks."""
        counts = np.zeros(len(hashes), dtype=np.int64)
        for run in self._runs:
            counts += np.searchsorted(run, hashes, side="right") - np.searchsorted(run, hashes, side="left")
        return counts

    def _remember(self, hashes: np.ndarray) -> None:
        # Runs at least double in length towards the front: each hash is sorted again a few times only.
        self._runs.append(np.sort(hashes))
        while len(self._runs) > 1 and len(self._runs[-2]) <= min(2 * len(self._runs[-1]), _RUN_ROWS - 1):
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate([self._runs[-1], last]))
        if len(self._runs[-1]) >= _RUN_ROWS:
            path = Path(self._spill.name) / f"{len(self._runs)}.npy"
            np.save(path, self._runs[-1])
            self._runs[-1] = np.load(path, mmap_mode="r")
