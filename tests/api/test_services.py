"""What runs beside the requests."""

import threading

from api.services import Refresher
from recommender.errors import ArtifactError


def test_no_failure_ends_the_look_for_a_promoted_version(monkeypatch):
    monkeypatch.setattr("api.services.REFRESH_SECONDS", 0.0)
    failures = [ArtifactError("altered"), OSError("gone"), TypeError("a bug")]
    went_on = threading.Event()

    def refresh():
        if failures:
            raise failures.pop()
        went_on.set()

    refresher = Refresher(refresh)
    assert went_on.wait(timeout=60)
    refresher.stop()
