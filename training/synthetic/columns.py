"""Columns made at once from arrays of numbers: identifiers of fixed width, and words chosen from a list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Columns = dict[str, np.ndarray | pa.Array]


def numbered(prefix: str, numbers: np.ndarray, digits: int, missing: np.ndarray | None = None) -> pa.Array:
    """Identifiers such as ``c00000012``, null where ``missing``; all have one width, so text order is number order."""
    width = len(prefix) + digits
    text = np.empty((len(numbers), width), dtype=np.uint8)
    text[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    rest: np.ndarray = np.asarray(numbers).astype(np.int64 if digits > 9 else np.uint32)
    for place in range(width - 1, len(prefix) - 1, -1):
        quotient = rest // 10
        text[:, place] = rest - quotient * 10 + ord("0")
        rest = quotient
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * np.int32(width)
    values = pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(text))
    return values if missing is None else pc.if_else(pa.array(~missing), values, pa.scalar(None, pa.string()))


def chosen(words: Sequence[str], places: np.ndarray, missing: np.ndarray | None = None) -> pa.DictionaryArray:
    """The words at the places given, null where ``missing``."""
    # A dictionary with a word twice is written with bytes of old memory behind it, different in every run.
    distinct = pa.array(list(words)).dictionary_encode()
    return within(distinct.dictionary, distinct.indices.to_numpy()[places], missing)


def within(ids: pa.Array, places: np.ndarray, missing: np.ndarray | None = None) -> pa.DictionaryArray:
    """The identifiers (all different) at the places given, null where ``missing``."""
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32), mask=missing), ids)
