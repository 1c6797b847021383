"""Sparse matrices as plain arrays in a model's state, and as scores where a missing entry means unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse


def csr_state(matrix: sparse.csr_matrix) -> dict[str, Any]:
    """The arrays and the shape that make a CSR matrix."""
    return {
        "data": matrix.data,
        "indices": matrix.indices,
        "indptr": matrix.indptr,
        "rows": int(matrix.shape[0]),
        "columns": int(matrix.shape[1]),
    }


def csr_from_state(state: Mapping[str, Any]) -> sparse.csr_matrix:
    """The CSR matrix that ``csr_state`` described; the arrays are used as they are."""
    arrays = (state["data"], state["indices"], state["indptr"])
    return sparse.csr_matrix(arrays, shape=(state["rows"], state["columns"]), copy=False)


def known_scores(matrix: sparse.csr_matrix) -> np.ndarray:
    """A dense float32 block with the entries of the matrix, NaN where it has none."""
    scores = np.full(matrix.shape, np.nan, dtype=np.float32)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    scores[rows, matrix.indices] = matrix.data
    return scores
