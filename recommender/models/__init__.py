"""All models by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from recommender.errors import UnknownName

RECOMMENDERS: dict[str, Callable[..., Any]] = {}
CHURN_MODELS: dict[str, Callable[..., Any]] = {}
VALUE_MODELS: dict[str, Callable[..., Any]] = {}


def registry() -> dict[str, Callable[..., Any]]:
    """Every registered model class by its name."""
    return {**RECOMMENDERS, **CHURN_MODELS, **VALUE_MODELS}


def model_class(name: str) -> Callable[..., Any]:
    """The class registered under a name; raises UnknownName."""
    models = registry()
    if name not in models:
        raise UnknownName("model", name, models)
    return models[name]


def create(name: str, seed: int = 0, **keywords: Any) -> Any:
    """A new model of any registered name; ``seed`` goes to those that draw random numbers."""
    chosen = model_class(name)
    if "seed" in inspect.signature(chosen).parameters:
        keywords["seed"] = seed
    return chosen(**keywords)
