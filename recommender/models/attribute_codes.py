"""Attributes of items as codes: one row per attribute, one column per item, -1 where the item has no value."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy import sparse

from recommender.interaction_matrix import FeatureMatrix


def attribute_codes(features: FeatureMatrix) -> np.ndarray:
    """Codes of the attributes whose values items share, in the order of the names of the features.

    A feature is named ``attribute=value``. Of several values of one attribute the first by name counts. Attributes
    with a single value, or with another value for every item, are left out: they tell nothing about another item.
    """
    names = [name.partition("=")[0] for name in features.names]
    attributes = {name: number for number, name in enumerate(dict.fromkeys(names))}
    owner = np.array([attributes[name] for name in names], dtype=np.int64)
    entries = features.values.tocoo()
    columns, items = np.asarray(entries.col)[::-1], np.asarray(entries.row)[::-1]
    order = np.argsort(-columns, kind="stable")
    codes = np.full((len(attributes), features.values.shape[0]), -1, dtype=np.int64)
    codes[owner[columns[order]], items[order]] = columns[order]
    return _stacked([_compact(one) for one in codes if _is_shared(one)], codes.shape[1])


def with_pairs(codes: np.ndarray) -> np.ndarray:
    """The codes and those of all pairs of attributes that tell more than either of the two and are shared."""
    found = list(codes)
    for first, second in combinations(codes, 2):
        both = (first >= 0) & (second >= 0)
        pair = np.where(both, first * (second.max(initial=0) + 1) + second, -1)
        count = len(np.unique(pair[both]))
        refines = count > max(len(np.unique(first[both])), len(np.unique(second[both])))
        if refines and _is_shared(pair):
            found.append(_compact(pair))
    return _stacked(found, codes.shape[1])


def one_hot(codes: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Items x the values of all attributes, one after the other, and the position of the attribute of each value."""
    sizes = codes.max(axis=1, initial=-1) + 1
    starts = np.concatenate([[0], np.cumsum(sizes)])
    attributes, items = np.nonzero(codes >= 0)
    values = starts[attributes] + codes[attributes, items]
    shape = (codes.shape[1], int(starts[-1]))
    ones = np.ones(len(values), dtype=np.float32)
    return sparse.csr_matrix((ones, (items, values)), shape=shape), np.repeat(np.arange(len(codes)), sizes)


def _is_shared(codes: np.ndarray) -> bool:
    known = codes[codes >= 0]
    return 1 < len(np.unique(known)) < len(known)


def _compact(codes: np.ndarray) -> np.ndarray:
    _, places = np.unique(codes[codes >= 0], return_inverse=True)
    compact = np.full(len(codes), -1, dtype=np.int64)
    compact[codes >= 0] = places
    return compact


def _stacked(rows: list[np.ndarray], item_count: int) -> np.ndarray:
    return np.stack(rows) if rows else np.zeros((0, item_count), dtype=np.int64)
