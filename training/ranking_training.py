"""The ranker of the two stages: examples at past cutoffs, each from generators that were fitted before it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recommender.errors import NotEnoughData
from recommender.interaction_matrix import InteractionMatrix
from recommender.models.blending import RankBlend
from recommender.models.candidate_source import CandidateSource
from recommender.models.learned_ranking import learn_ranking
from recommender.models.ranking_examples import RankingExamples, Sampling, ranking_examples
from recommender.models.two_stage import TREES, TwoStage
from training.progress import Steps
from training.recommender_fitting import FAILURES, Fitted, fit_recommenders, told
from training.settings import TrainingSettings

logger = logging.getLogger(__name__)

TWO_STAGE = "two_stage"
RANK_BLEND = "rank_blending"


@dataclass(frozen=True)
class PastExamples:
    """Examples by window: window 1 is the horizon just before the cutoff, window 2 the one before that.

    ``left_out`` says why there is no ranker where a generator failed on the way.
    """

    by_window: Mapping[int, RankingExamples]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def before(self, window: int) -> list[RankingExamples]:
        """The examples whose window ended before that of ``window`` began, latest first."""
        return [self.by_window[one] for one in sorted(self.by_window) if one > window]


def source_of(fitted: Fitted, generators: Sequence[str]) -> CandidateSource:
    """The first stage from the generators named, as far as they could be fitted."""
    chosen = {name: fitted.alone[name] for name in generators if name in fitted.alone}
    return CandidateSource.of_fitted(chosen, fitted.matrix)


def past_examples(
    matrix: InteractionMatrix, latest: Fitted, settings: TrainingSettings, *, seed: int, steps: Steps
) -> PastExamples:
    """Examples at ``ranking_cutoffs`` past cutoffs; a choice on window 1 has those before it, one less.

    ``latest`` holds the recommenders fitted before window 1; for each earlier window the generators are fitted anew.
    Without generators there is nothing to rank.
    """
    if not settings.generators:
        return PastExamples({})
    sampling = Sampling(settings.ranking_customers, seed=seed)
    found: dict[int, RankingExamples] = {}
    for window in steps("ranking examples", range(1, settings.ranking_cutoffs + 1)):
        days = float(window * settings.horizon_days)
        try:
            fitted = latest if window == 1 else _fitted_before(matrix, days, settings, seed)
            found[window] = ranking_examples(
                source_of(fitted, settings.generators),
                matrix,
                days=days,
                horizon_days=settings.horizon_days,
                sampling=sampling,
            )
        except NotEnoughData as problem:
            logger.info("no ranking examples window=%d because %s", window, problem)
            break
        except FAILURES as problem:
            return PastExamples({}, {TWO_STAGE: told(TWO_STAGE, problem)})
    return PastExamples(found)


def _fitted_before(matrix: InteractionMatrix, days: float, settings: TrainingSettings, seed: int) -> Fitted:
    return fit_recommenders(matrix.earlier(days), settings.recommenders, seed=seed, names=settings.generators)


def with_combined(fitted: Fitted, examples: Sequence[RankingExamples], settings: TrainingSettings) -> Fitted:
    """The recommenders with those that stand on them: the blend of all generators by their ranks, and the ranker."""
    generators = [fitted.alone[name] for name in settings.generators if name in fitted.alone]
    blend = RankBlend.of_fitted(generators) if len(generators) > 1 else None
    return fitted.with_model(RANK_BLEND, blend).with_model(TWO_STAGE, two_stage(fitted, examples, settings))


def two_stage(fitted: Fitted, examples: Sequence[RankingExamples], settings: TrainingSettings) -> TwoStage | None:
    """Two stages on recommenders that are fitted; None where the examples do not suffice."""
    try:
        ranking = learn_ranking(examples, TREES) if examples else None
    except NotEnoughData as problem:
        logger.info("no ranker because %s", problem)
        return None
    return TwoStage.of_parts(source_of(fitted, settings.generators), ranking) if ranking else None
