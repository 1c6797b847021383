"""Identifiers as positions and back, in arrays that can be mapped into memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np


class IdIndex:
    """Distinct identifiers in code point order; the position of one is its place in that order.

    The texts lie in one UTF-8 array with offsets, so that workers share an index of millions of ids by mapping
    it into memory; looking one up is a binary search.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        encoded = [one.encode() for one in sorted(set(ids))]
        lengths = np.fromiter((len(one) for one in encoded), dtype=np.int64, count=len(encoded))
        self._offsets: np.ndarray = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._text: np.ndarray = np.frombuffer(b"".join(encoded), dtype=np.uint8)

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> IdIndex:
        """The index that ``state`` was taken from; the arrays are used as they are."""
        index = cls.__new__(cls)
        # A plain view of a mapped file: each access of a memmap costs ten times as much.
        index._offsets = np.asarray(state["offsets"])
        index._text = np.asarray(state["text"])
        return index

    def state(self) -> dict[str, np.ndarray]:
        """The two arrays that make the index."""
        return {"offsets": self._offsets, "text": self._text}

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, position: int) -> str:
        return self._encoded(position).decode()

    def __contains__(self, one: str) -> bool:
        return self.position(one) is not None

    def _encoded(self, position: int) -> bytes:
        return self._text[self._offsets[position] : self._offsets[position + 1]].tobytes()

    def position(self, one: str) -> int | None:
        """Position of an identifier, or None where it is not in the index."""
        return self._position(one.encode(errors="surrogatepass"))

    def _position(self, wanted: bytes) -> int | None:
        place = bisect_left(range(len(self)), wanted, key=self._encoded)
        return place if place < len(self) and self._encoded(place) == wanted else None

    def ids(self, positions: Sequence[int] | np.ndarray | None = None) -> list[str]:
        """The identifiers at the positions given, by default all."""
        chosen = range(len(self)) if positions is None else positions
        return [self._encoded(int(position)).decode() for position in chosen]

    def between(self, start: int, stop: int) -> IdIndex:
        """The index of the identifiers from position ``start`` (included) to ``stop`` (excluded)."""
        offsets = self._offsets[start : stop + 1]
        return IdIndex.from_state({"offsets": offsets - offsets[0], "text": self._text[offsets[0] : offsets[-1]]})

    def positions_of(self, other: IdIndex) -> np.ndarray:
        """Positions of the identifiers of another index, -1 for those that are not in this one; needs no pandas."""
        if len(other) == 0 or len(self) == 0:
            return np.full(len(other), -1, dtype=np.int64)
        wanted = [other._encoded(position) for position in range(len(other))]
        start = bisect_left(range(len(self)), wanted[0], key=self._encoded)
        stop = min(bisect_left(range(len(self)), wanted[-1], key=self._encoded) + 1, len(self))
        # Neighbours of a sorted index are looked up in one dict; ids that lie far apart one by one.
        if stop - start <= 64 * len(wanted):
            known = {self._encoded(position): position for position in range(start, stop)}
            found = [known.get(one, -1) for one in wanted]
        else:
            found = [-1 if place is None else place for place in map(self._position, wanted)]
        return np.array(found, dtype=np.int64)

    def positions(self, ids: Any) -> np.ndarray:
        """Positions of many identifiers at once, -1 for those that are not in the index."""
        import pandas as pd

        codes, distinct = pd.factorize(pd.Series(ids, dtype="string"))
        found = pd.Index(self.ids(), dtype="string").get_indexer(pd.Index(distinct, dtype="string"))
        return np.where(codes < 0, -1, np.append(found, -1)[codes])
