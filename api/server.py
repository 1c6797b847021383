"""gunicorn with the API: several workers over one store and one set of bundles that they map into memory."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from api.config import Settings, read_settings
from recommender.errors import RecommenderError

if TYPE_CHECKING:
    from apiflask import APIFlask

# Requests run side by side in threads and workers: a library that starts threads of its own only gets in the way.
SINGLE_THREADED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Two servers may share one home: the folder in which workers add up their figures belongs to one server.
FIGURES = "PROMETHEUS_MULTIPROC_DIR"
GRACE_SECONDS = 30
# A worker that has not started by then is replaced: it checks the hashes of all files of the bundle first.
START_SECONDS = 120
# A path holds an identifier of 256 characters, each up to four bytes, percent-encoded.
LONGEST_REQUEST_LINE = 8_190


class Server(BaseApplication):
    """gunicorn, configured from the settings alone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Hand the settings to gunicorn."""
        for name, value in _options(self._settings).items():
            # gunicorn has had a control socket since version 25 only.
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> APIFlask:
        """The application of one worker; what it imports is not loaded by the parent."""
        from api.app import create_app
        from api.request_log import configure_logging

        configure_logging(self._settings.log_level)
        return create_app(self._settings)


def _options(settings: Settings) -> dict[str, Any]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return {
        "bind": f"{host}:{settings.port}",
        "workers": settings.workers,
        "threads": settings.threads,
        "worker_class": "api.worker.ProblemWorker",
        "timeout": START_SECONDS,
        "preload_app": False,
        "graceful_timeout": GRACE_SECONDS,
        "limit_request_line": LONGEST_REQUEST_LINE,
        "loglevel": settings.log_level,
        "proc_name": "regulars",
        "control_socket_disable": True,
        "when_ready": _tell_address,
        "worker_exit": _close_worker,
        "child_exit": _forget_worker,
        "on_exit": _remove_figures,
    }


def _tell_address(arbiter: Any) -> None:
    for listener in arbiter.LISTENERS:
        print(listener, flush=True)  # noqa: T201


def _close_worker(arbiter: Any, worker: Any) -> None:
    application = getattr(worker, "wsgi", None)
    if application is not None:
        from api.services import EXTENSION

        application.extensions[EXTENSION].close()


def _forget_worker(arbiter: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def _remove_figures(arbiter: Any) -> None:
    shutil.rmtree(os.environ[FIGURES], ignore_errors=True)


def prepare(settings: Settings) -> None:
    """Make the home, a folder for the figures of this server alone, and the schema of the store.

    Raises SettingError or StoreUnavailable.
    """
    settings.made_home()
    # Before prometheus_client and numpy are imported: both look at the environment then and never again.
    os.environ.update(SINGLE_THREADED, **{FIGURES: tempfile.mkdtemp(prefix="regulars-figures-")})
    from api.app import utc_now
    from recommender.event_store import open_event_store

    open_event_store(settings.store_url, clock=utc_now).close()


def main() -> None:
    """Serve until stopped; one line and exit code 1 where that cannot begin."""
    try:
        settings = read_settings(os.environ)
        prepare(settings)
    except (RecommenderError, OSError) as problem:
        print(f"regulars: {problem}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    Server(settings).run()


if __name__ == "__main__":
    main()
