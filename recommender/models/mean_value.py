"""The default value model: the mean of models that err in different ways."""

from __future__ import annotations

from typing import ClassVar

from recommender.models.log_linear_value import LogLinearLearner
from recommender.models.panel_value import RHYTHM, PanelValue
from recommender.models.tweedie_value import TweedieLearner
from recommender.models.two_part_value import TwoPartLearner


class MeanValue(PanelValue):
    """Mean of the two-part model, the Tweedie trees, BG/NBD x Gamma-Gamma, and twice the log-linear regression.

    So trees and regression weigh the same. The regression was the best alone on past windows of a grocery chain and
    of a shop of single purchases; the mean is the more even over windows.
    """

    name = "mean_value"
    learners: ClassVar = {"two_part": TwoPartLearner, "tweedie": TweedieLearner, "log_linear": LogLinearLearner}
    weights: ClassVar = {"two_part": 1.0, "tweedie": 1.0, "log_linear": 2.0, RHYTHM: 1.0}
