"""Placements: where a list is shown, and what that place wants. They are data; a new one needs no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from recommender.errors import SettingError, UnknownName

FOR_YOU, NEW_FOR_YOU, BUY_AGAIN, POPULAR = "for_you", "new_for_you", "buy_again", "popular_items"
STRATEGIES = (FOR_YOU, NEW_FOR_YOU, BUY_AGAIN, POPULAR)


@dataclass(frozen=True)
class Placement:
    """One place: its strategy, and how much its list spreads over categories (``diversity``, 0 to 1).

    ``for_you`` ranks by relevance, bought items included; ``new_for_you`` only what the customer never bought;
    ``buy_again`` only what was bought; ``popular_items`` is the same for everybody.
    """

    name: str
    strategy: str = FOR_YOU
    diversity: float = 0.0

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise UnknownName(f"strategy for placement {self.name!r}:", self.strategy, STRATEGIES)
        if not 0 <= self.diversity <= 1:
            raise SettingError(f"placement {self.name!r}: diversity {self.diversity} is not within 0 to 1")


DEFAULT_PLACEMENTS = {
    placement.name: placement
    for placement in (
        Placement("home"),
        Placement("item", NEW_FOR_YOU),
        Placement("cart", NEW_FOR_YOU),
        Placement("post_purchase", NEW_FOR_YOU),
        Placement("discover", NEW_FOR_YOU, diversity=0.3),
        Placement("email"),
        Placement("win_back"),
        Placement("buy_again", BUY_AGAIN),
    )
}


def placements_from(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Placement]:
    """The default placements with those of a configuration added or replaced; raises SettingError."""
    known = {field.name for field in fields(Placement)} - {"name"}
    for name, given in settings.items():
        unknown = sorted(set(given) - known)
        if unknown:
            raise SettingError(f"placement {name!r}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return DEFAULT_PLACEMENTS | {name: Placement(name, **given) for name, given in settings.items()}


def placements_to_settings(placements: Mapping[str, Placement]) -> dict[str, dict[str, Any]]:
    """What ``placements_from`` reads, for a manifest."""
    return {name: {k: v for k, v in asdict(one).items() if k != "name"} for name, one in placements.items()}
