"""Why a customer is likely to leave or to stay: the features that moved the score most, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recommender.answers import RiskReason
from recommender.features import Feature
from recommender.touchpoints import FEATURES

if TYPE_CHECKING:
    import pandas as pd

REASONS_AT_MOST = 3
LAPSED = RiskReason("lapsed", "Outside the population that this risk is asked about", "none", "up", 0.0)
NOT_MODELLED = RiskReason("not_modelled", "The data held do not support a churn model yet", "none", "up", 0.0)


def reasons_of(features: pd.DataFrame, contributions: pd.DataFrame) -> dict[str, tuple[RiskReason, ...]]:
    """By customer the features with the largest contributions that have a sentence, largest first.

    A feature that is unknown for a customer is no reason: there is no figure to tell.
    """
    import numpy as np

    named = [name for name in features.columns if FEATURES.features[name].sentence]
    values, parts = features[named].to_numpy(), contributions[named].to_numpy()
    strengths = np.where(np.isnan(values), 0.0, np.abs(parts))
    order = np.argsort(-strengths, axis=1, kind="stable")[:, :REASONS_AT_MOST]
    return {
        customer_id: tuple(
            _reason(FEATURES.features[named[one]], float(values[row, one]), float(parts[row, one]))
            for one in order[row]
            if strengths[row, one] > 0
        )
        for row, customer_id in enumerate(features.index)
    }


def _reason(feature: Feature, value: float, contribution: float) -> RiskReason:
    direction = "up" if contribution > 0 else "down"
    return RiskReason(feature.name, feature.say(value), feature.lever, direction, round(contribution, 4))
