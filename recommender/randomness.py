"""One stream of random numbers per purpose, all from one seed."""

from __future__ import annotations

import zlib

import numpy as np


def rng_for(seed: int, purpose: str) -> np.random.Generator:
    """A generator that depends on the seed and the purpose alone."""
    return np.random.Generator(np.random.PCG64([seed, zlib.crc32(purpose.encode())]))


def seed_for(seed: int, purpose: str) -> int:
    """A seed below 2**31 for libraries that take an integer."""
    return int(rng_for(seed, purpose).integers(2**31))
