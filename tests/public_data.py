"""Where the public data sets lie; tests that need them are skipped where they are not there."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"


def public_data(name):
    """The folder of a public data set beside the checkout."""
    folder = FOLDER / name
    if not folder.is_dir():
        pytest.skip(f"the public data set {name} is not at ../shared/data/{name}")
    return folder
