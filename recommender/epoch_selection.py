"""How long to learn, chosen on a past window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from recommender.errors import NotEnoughData
from recommender.interaction_matrix import InteractionMatrix
from recommender.metrics import ndcg
from recommender.models.lightfm_hybrid import LightFMHybrid
from recommender.ranking import best_items


@dataclass(frozen=True)
class EpochChoice:
    """The number of epochs with the best mean NDCG on the window, the fewest of equals, and the means of all.

    ``model`` is the one that did best, as it was after that many epochs.
    """

    epochs: int
    ndcg: dict[int, float]
    model: LightFMHybrid = field(compare=False)


def choose_epochs(
    model: LightFMHybrid,
    train: InteractionMatrix,
    truth: sparse.csr_matrix,
    *,
    candidates: Sequence[int] = (5, 10, 20, 30),
    k: int = 10,
    exclude_seen: bool = True,
    on_epoch: Callable[[int], None] | None = None,
) -> EpochChoice:
    """Learn one model from what lies before a past cutoff, and judge it on the window after, at each candidate.

    ``truth`` belongs to the customers and items of ``train``: with ``exclude_seen`` it is ``Truth.new``, else
    ``Truth.all``. The model given only lends its settings. Raises NotEnoughData where the window holds no truth.
    """
    buyers = np.flatnonzero(np.diff(truth.indptr))
    if len(buyers) == 0:
        raise NotEnoughData(
            "the window to choose epochs on holds no purchase of a known customer; take an earlier or longer one"
        )
    histories, wanted = train.of_customers(buyers), truth[buyers]
    means: dict[int, float] = {}
    best: tuple[float, LightFMHybrid] | None = None
    for stage in model.stages(train, sorted(candidates), on_epoch):
        positions, _ = best_items(stage, histories, k=k, exclude_seen=exclude_seen)
        means[stage.epochs] = float(np.nanmean(ndcg(positions, wanted)))
        if best is None or means[stage.epochs] > best[0]:
            best = (means[stage.epochs], stage)
    if best is None:
        raise NotEnoughData("there is no number of epochs to choose from; name at least one")
    return EpochChoice(best[1].epochs, means, best[1])
