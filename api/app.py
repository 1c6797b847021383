"""The application factory: the only place in this package that looks at the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version

from apiflask import APIFlask
from flask import Response, request

from api.auth import Authenticator
from api.bodies import drain_refused
from api.config import Settings
from api.decision_log import DecisionLog
from api.documentation import DOCS_POLICY, install_documentation
from api.errors import install_error_handlers
from api.identifiers import IdentifierConverter
from api.json_provider import OrjsonProvider
from api.keys import KeyStore
from api.metrics import Metrics
from api.request_log import install_request_log
from api.services import Refresher, Services, install_services
from api.views import VIEWS
from api.waiting_room import WaitingRoom
from recommender.advisor import open_advisor
from recommender.event_store import open_event_store


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def create_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> APIFlask:
    """The API over the store and the bundles that the settings name; raises StoreUnavailable."""
    app = APIFlask(
        "api", title="Regulars", version=version("regulars"), docs_oauth2_redirect_path=None, json_errors=False
    )
    app.json = OrjsonProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.merge_slashes = False
    app.url_map.converters["identifier"] = IdentifierConverter
    opened = open_services(settings, clock)
    install_services(app, opened)
    install_request_log(app, opened.metrics)
    install_error_handlers(app)
    install_documentation(app)
    for views in VIEWS:
        app.register_blueprint(views)
    app.after_request(_protect)
    app.after_request(drain_refused)
    return app


def open_services(settings: Settings, clock: Callable[[], datetime]) -> Services:
    """What the views ask, opened; raises StoreUnavailable."""
    metrics = Metrics()
    store = open_event_store(settings.store_url, clock=clock)
    advisor = open_advisor(store, settings.artifacts, clock=clock)
    return Services(
        settings=settings,
        clock=clock,
        metrics=metrics,
        store=store,
        advisor=advisor,
        authenticator=Authenticator(KeyStore(store.engine), seconds=time.monotonic),
        decisions=DecisionLog(store, metrics.count_decisions),
        refresher=Refresher(advisor.refresh),
        waiting_room=WaitingRoom(settings.threads),
    )


def _protect(response: Response) -> Response:
    """Keep personal answers out of caches, and the documentation page from loading anything from outside."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.path.startswith("/v1/"):
        response.headers["Cache-Control"] = "private, no-store"
    if request.path == "/docs":
        response.headers["Content-Security-Policy"] = DOCS_POLICY
    return response
