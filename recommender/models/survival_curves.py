"""Curves of staying as they are: the probability that something has not happened by each of some days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Days that curves are learned at: 7 to 365 are told, the first two hold the shape of the first week.
NODES = np.array([1, 3, 7, 14, 28, 56, 91, 182, 365], dtype=np.float64)
# Nothing is certain: below this, a probability is told as this.
CERTAINTY = 1e-9


@dataclass(frozen=True)
class SurvivalCurves:
    """Logarithms of the probability that it has not happened by each node, rows x ``nodes`` (days, ascending).

    Between two nodes the hazard of a day is constant. Beyond the last the probability falls as a power of time, as it
    does where customers differ in their rates: a constant hazard would let everybody come in the end.
    """

    nodes: np.ndarray
    log_survival: np.ndarray

    @classmethod
    def of(cls, nodes: np.ndarray, survival: np.ndarray) -> SurvivalCurves:
        """Curves from probabilities, which are made to fall and kept from 0 and 1."""
        held = np.minimum.accumulate(np.clip(survival, CERTAINTY, 1.0 - CERTAINTY), axis=1)
        return cls(np.asarray(nodes, dtype=np.float64), np.log(held))

    @classmethod
    def of_hazards(cls, nodes: np.ndarray, hazards: np.ndarray) -> SurvivalCurves:
        """Curves from the probability of each interval between nodes that it happens there if not before."""
        kept = np.cumsum(np.log1p(-np.clip(hazards, CERTAINTY, 1.0 - CERTAINTY)), axis=1)
        return cls(np.asarray(nodes, dtype=np.float64), np.maximum(kept, np.log(CERTAINTY)))

    def at(self, days: np.ndarray) -> np.ndarray:
        """Probability that it has not happened within so many days, rows x days."""
        return np.asarray(np.exp(self._log_at(np.asarray(days, dtype=np.float64))))

    def days_until(self, share: float) -> np.ndarray:
        """Days by which it has happened with probability ``share``, infinite where that is beyond the last node."""
        level = np.log1p(-share)
        times = np.concatenate([[0.0], self.nodes])
        logs = np.hstack([np.zeros((len(self.log_survival), 1)), self.log_survival])
        reached = logs <= level
        place = np.where(reached.any(axis=1), reached.argmax(axis=1), 1)
        rows = np.arange(len(logs))
        before, behind = logs[rows, place - 1], logs[rows, place]
        part = (before - level) / np.maximum(before - behind, 1e-300)
        days = times[place - 1] + np.minimum(part, 1.0) * (times[place] - times[place - 1])
        return np.where(reached.any(axis=1), days, np.inf)

    def after(self, elapsed_days: float) -> SurvivalCurves:
        """The curves of those to whom it has not happened within ``elapsed_days``, counted from then on."""
        if elapsed_days <= 0.0:
            return self
        passed = self._log_at(np.array([elapsed_days]))
        return SurvivalCurves(self.nodes, _falling(self._log_at(self.nodes + elapsed_days) - passed))

    def anchored(self, horizon_days: float, survival: np.ndarray) -> SurvivalCurves:
        """The curves moved so that they go through one probability each at the horizon, which becomes a node.

        Where more stay than the curve says, the rest are customers to whom it will not happen within the horizon, and
        the others keep their times; moving all log-odds or hazards alike would delay the first days of everybody.
        Where fewer stay, all hazards before the horizon are multiplied. Beyond it the hazards stay as they are. Where
        the probability is NaN the row stays as it is.
        """
        nodes = np.union1d(self.nodes, [horizon_days])
        logs = self._log_at(nodes)
        place = int(np.searchsorted(nodes, horizon_days))
        before = np.minimum(logs[:, [place]], np.log1p(-CERTAINTY))
        wanted = np.clip(survival, CERTAINTY, 1.0 - CERTAINTY)[:, None]
        staying = np.clip((wanted - np.exp(before)) / -np.expm1(before), 0.0, 1.0)
        mixed = np.log(staying + (1.0 - staying) * np.exp(logs))
        moved = np.where(wanted > np.exp(before), mixed, logs * (np.log(wanted) / before))
        moved[:, place:] = np.log(wanted) + logs[:, place:] - before
        return SurvivalCurves(
            nodes, np.where(np.isnan(wanted), logs, np.minimum.accumulate(np.minimum(moved, 0.0), axis=1))
        )

    def over(self, nodes: np.ndarray) -> SurvivalCurves:
        """The curves at other nodes."""
        return SurvivalCurves(np.asarray(nodes, dtype=np.float64), self._log_at(nodes))

    def where(self, chosen: np.ndarray) -> SurvivalCurves:
        """The rows chosen by a mask or by positions."""
        return SurvivalCurves(self.nodes, self.log_survival[chosen])

    def _log_at(self, days: np.ndarray) -> np.ndarray:
        times = np.concatenate([[0.0], self.nodes])
        logs = np.hstack([np.zeros((len(self.log_survival), 1)), self.log_survival])
        place = np.clip(np.searchsorted(times, days), 1, len(times) - 1)
        start, end = times[place - 1], times[place]
        part = np.clip((days - start) / (end - start), 0.0, 1.0)
        inside = logs[:, place - 1] * (1.0 - part) + logs[:, place] * part
        return np.asarray(inside - self._power()[:, None] * np.log(np.maximum(days / self.nodes[-1], 1.0)))

    def _power(self) -> np.ndarray:
        """How fast the probability falls beyond the last node: as ``days ** -power``, as between the last two."""
        if len(self.nodes) == 1:
            return np.asarray(-self.log_survival[:, -1])
        fallen = self.log_survival[:, -2] - self.log_survival[:, -1]
        return np.asarray(np.maximum(fallen, 0.0) / np.log(self.nodes[-1] / self.nodes[-2]))


def _falling(logs: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities that rounding has not let rise, nor above 0."""
    return np.asarray(np.minimum.accumulate(np.minimum(logs, 0.0), axis=1))
