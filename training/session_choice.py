"""What comes next in a session: the candidates, and which of them the window before the cutoff shows to be better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from recommender import metrics
from recommender.bundle import ModelBundle
from recommender.history import History
from recommender.identifiers import IdIndex
from recommender.interaction_matrix import InteractionMatrix
from recommender.item_candidates import SessionReading, next_in_session
from recommender.live_history import Event
from recommender.models import create
from recommender.models.next_item import Sequences, sessions_of
from recommender.periods import Period
from training.item_occasions import Occasions, padded, positions_of, session_halves, sessions_within
from training.item_slates import neighbour_slates
from training.selection import Choice, Judged, choose

BASELINE = "followers"
PLACES = 10
# So many of the newest events and sessions tell the candidates apart; more would cost a training too much.
EVENTS = 300_000
SESSIONS = 1_000


@dataclass(frozen=True)
class SessionModel:
    """A registered model, its constructor keywords, and how the events of a session are read with it."""

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)
    reading: SessionReading = field(default_factory=SessionReading)

    def fit(self, sequences: Sequences, seed: int) -> Any:
        """The fitted model; raises NotEnoughData where there is no event."""
        model = create(self.name, seed, **self.keywords)
        return model.fit(sequences) if self.name == "next_item" else model.fit_baskets(sessions_of(sequences))


# What followed what; or what was met in the same sessions in any order, where the order tells little: then all events
# count alike, and as many of them would add up to what is popular, what is rare gets more.
CANDIDATES: Mapping[str, SessionModel] = {
    BASELINE: SessionModel("next_item"),
    "company": SessionModel(
        "bought_together",
        {"popularity_power": 0.3},
        SessionReading(events=20, decay=1.0, strategy="same_session"),
    ),
}


def choose_session_model(
    history: History,
    matrix: InteractionMatrix,
    sequences: Sequences,
    *,
    as_of: datetime,
    horizon_days: int,
    seed: int,
) -> Choice | None:
    """Decide by NDCG on the sessions of the horizon before ``as_of``; None where there are none, or nothing before.

    ``sequences`` holds everything before ``as_of``; models are fitted on what was known before the window.
    """
    window = Period(as_of - timedelta(days=horizon_days), as_of)
    occasions = session_halves(sessions_within(history, window), matrix, window, seed, most=SESSIONS)
    past = sequences.earlier(horizon_days).newest(EVENTS)
    if not len(occasions.starts) or not len(past.columns):
        return None
    judged = {
        name: Judged(
            {"ndcg": metrics.ndcg(lists_of(one, past, matrix.items, occasions, seed), occasions.truth)}, "ndcg"
        )
        for name, one in CANDIDATES.items()
    }
    return choose("session", judged, baseline=BASELINE, seed=seed, clusters=occasions.clusters)


def lists_of(
    candidate: SessionModel, sequences: Sequences, items: IdIndex, occasions: Occasions, seed: int
) -> np.ndarray:
    """What a request would be answered for each start, by a candidate fitted on the sequences."""
    model = candidate.fit(sequences, seed)
    starts = {place for start in occasions.starts for place in start}
    slates = neighbour_slates(len(items), model.neighbours_of, only=sorted(starts))
    at = datetime.min
    bundle = ModelBundle(
        as_of=at,
        horizon_days=1,
        customers=IdIndex(()),
        items=items,
        slates={},
        history={},
        item_slates={"next_item": slates},
        lists={},
        models={},
        facts={"session": asdict(candidate.reading)},
    )
    found = (
        next_in_session(bundle, [Event(items[place], at, "view") for place in start]) for start in occasions.starts
    )
    return padded((positions_of(items, listed[:PLACES]) for listed in found), PLACES)
