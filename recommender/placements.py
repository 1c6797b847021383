"""Placements: where a list is shown, and what that place wants. They are data; a new one needs no code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from recommender.errors import SettingError, UnknownName
from recommender.filters import Filter, parse_filter
from recommender.placement_rules import Rule, rule_from, rule_to_settings

FOR_YOU, NEW_FOR_YOU, BUY_AGAIN, POPULAR = "for_you", "new_for_you", "buy_again", "popular_items"
SIMILAR, SIMILAR_TO_LAST, BASKET = "similar_items", "similar_to_last", "complete_the_basket"
SESSION, VIEWED, ON_SALE = "next_in_session", "recently_viewed", "on_sale_for_you"
TRENDING, BEST_SELLERS, NEW_ARRIVALS = "trending", "best_sellers", "new_arrivals"
STRATEGIES = (
    *(FOR_YOU, NEW_FOR_YOU, BUY_AGAIN, SIMILAR, SIMILAR_TO_LAST, BASKET, SESSION, VIEWED, ON_SALE),
    *(TRENDING, BEST_SELLERS, NEW_ARRIVALS, POPULAR),
)
BOUGHT, IN_CART, RETURNED, DISLIKED = "bought", "in_cart", "returned", "disliked"
EXCLUSIONS = (BOUGHT, IN_CART, RETURNED, DISLIKED)
_SHARES = ("diversity", "new_share", "rotation", "min_relevance", "exploration_share")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class Placement:
    """One place, and what its list must keep to.

    ``strategy`` names how items are found; several are tried in turn, and what is popular is always the last.
    ``is_filled``: the later ones also fill a list that is too short. ``exclude`` names what is not shown of that which
    the customer ``bought``, has ``in_cart``, ``returned`` or ``disliked``; with ``reoffers_when_due`` an item that is
    used up and bought again comes back when it is due. What cannot be sold is never shown.

    Shares and weights are 0 to 1. ``new_share`` of the places goes at least to what the customer never bought.
    ``diversity`` spreads the list over categories. ``rotation`` moves down what was shown here to the same customer
    within ``rotation_hours``. ``min_relevance`` is the lowest score, as a share of the best one, that is shown: such a
    list is not filled. ``exploration_share`` of the places goes to new items, drawn at random. ``filter`` is one that
    every item passes. ``rules`` pin, boost, bury and hide.
    """

    name: str
    strategy: tuple[str, ...] = (FOR_YOU,)
    is_filled: bool = True
    exclude: tuple[str, ...] = (RETURNED, DISLIKED)
    reoffers_when_due: bool = True
    new_share: float = 0.0
    diversity: float = 0.0
    rotation: float = 0.0
    rotation_hours: float = 2.0
    min_relevance: float = 0.0
    exploration_share: float = 0.0
    filter: str = ""
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        for name in ("strategy", "exclude"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))
        for unknown in [one for one in self.strategy if one not in STRATEGIES]:
            raise UnknownName(f"strategy for placement {self.name!r}:", unknown, STRATEGIES)
        if not self.strategy:
            raise SettingError(f"placement {self.name!r}: strategy is empty; name one of {', '.join(STRATEGIES)}")
        for unknown in [one for one in self.exclude if one not in EXCLUSIONS]:
            raise UnknownName(f"exclusion for placement {self.name!r}:", unknown, EXCLUSIONS)
        for name in _SHARES:
            if not _is_number(getattr(self, name)) or not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"placement {self.name!r}: {name} {getattr(self, name)} is not within 0 to 1")
        if not _is_number(self.rotation_hours) or not 0 < self.rotation_hours <= 8_784:
            raise SettingError(f"placement {self.name!r}: rotation_hours {self.rotation_hours} is not within 0 to 8784")
        for name in ("is_filled", "reoffers_when_due"):
            if not isinstance(getattr(self, name), bool):
                raise SettingError(f"placement {self.name!r}: {name} must be true or false")
        _ = self.parsed

    @cached_property
    def parsed(self) -> Filter | None:
        """The filter that every item passes; raises SettingError where it cannot be read."""
        try:
            return parse_filter(self.filter) if self.filter else None
        except SettingError as problem:
            raise SettingError(f"placement {self.name!r}: filter: {problem}") from None


# Browsing a long list again wants new sights at once; a weekly mail wants them after a week.
_MAIL_HOURS = 14 * 24.0
DEFAULT_PLACEMENTS = {
    placement.name: placement
    for placement in (
        Placement("home"),
        Placement("item", (SIMILAR, NEW_FOR_YOU)),
        Placement("cart", (BASKET, NEW_FOR_YOU), exclude=EXCLUSIONS),
        Placement("post_purchase", (BASKET, NEW_FOR_YOU), exclude=(BOUGHT, RETURNED, DISLIKED)),
        Placement("discover", (NEW_FOR_YOU,), diversity=0.3, rotation=0.5, exploration_share=0.1),
        Placement("session", (SESSION, FOR_YOU), exclude=(IN_CART, RETURNED, DISLIKED)),
        Placement("search_page", (SESSION, FOR_YOU), exclude=(IN_CART, RETURNED, DISLIKED)),
        Placement("email", (FOR_YOU,), rotation=0.5, rotation_hours=_MAIL_HOURS),
        Placement("win_back", (FOR_YOU,), new_share=0.2, rotation=0.5, rotation_hours=_MAIL_HOURS),
        Placement("buy_again", (BUY_AGAIN,), is_filled=False),
        Placement("recently_viewed", (VIEWED,), is_filled=False, exclude=(DISLIKED,)),
        Placement("on_sale", (ON_SALE,), is_filled=False),
        Placement("more_like_last", (SIMILAR_TO_LAST, NEW_FOR_YOU)),
        Placement("trending", (TRENDING,)),
        Placement("best_sellers", (BEST_SELLERS,)),
        Placement("new_arrivals", (NEW_ARRIVALS,)),
    )
}


def placements_from(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Placement]:
    """The default placements with those of a configuration added or replaced; raises SettingError."""
    return DEFAULT_PLACEMENTS | {name: _placement(name, given) for name, given in settings.items()}


def _placement(name: str, given: Any) -> Placement:
    if not isinstance(given, Mapping):
        raise SettingError(f"placement {name!r} is {given!r}; it must be a table of keys and values")
    known = {field.name for field in fields(Placement)} - {"name"}
    unknown = sorted(set(given) - known)
    if unknown:
        raise SettingError(f"placement {name!r}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for key, (is_right, wanted) in _SHAPES.items():
        if key in given and not is_right(given[key]):
            raise SettingError(f"placement {name!r}: {key} is {given[key]!r}; it must be {wanted}")
    try:
        rules = tuple(rule_from(one) for one in given.get("rules", ()))
    except SettingError as problem:
        raise SettingError(f"placement {name!r}: {problem}") from None
    return Placement(name, **{**given, "rules": rules})


def _is_name_or_names(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(one, str) for one in value))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, Mapping) for one in value)


# What a configuration may give wrongly before any of it can be looked into.
_SHAPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "strategy": (_is_name_or_names, "a name or a list of names"),
    "exclude": (_is_name_or_names, "a name or a list of names"),
    "filter": (lambda value: isinstance(value, str), "a text"),
    "rules": (_is_tables, "a list of tables"),
}


def placements_to_settings(placements: Mapping[str, Placement]) -> dict[str, dict[str, Any]]:
    """What ``placements_from`` reads, for a manifest."""
    names = [one.name for one in fields(Placement) if one.name != "name"]
    return {
        name: {
            **{key: getattr(one, key) for key in names},
            "strategy": list(one.strategy),
            "exclude": list(one.exclude),
            "rules": [rule_to_settings(rule) for rule in one.rules],
        }
        for name, one in placements.items()
    }
