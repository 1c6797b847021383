"""The ways to find items for a list, asked in turn and only as far as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from recommender.item_lists import Candidate
from recommender.placements import POPULAR

Way = tuple[str, Callable[[], Sequence[Candidate]]]


@dataclass
class Ways:
    """Ways by name, the wanted one first; iterating asks them and keeps what each of them found.

    A name may stand again, where its way goes on.
    """

    ways: Sequence[Way]
    found_by: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Sequence[Candidate]]:
        for name, find in self.ways:
            listed = find()
            self.counts[name] = self.counts.get(name, 0) + len(listed)
            for one in listed:
                self.found_by.setdefault(one.item_id, name)
            yield listed

    def answered(self, shown: Sequence[Candidate]) -> str:
        """The way that found the first of what is shown; where nothing is, the first that found anything at all."""
        used = self._used(shown)
        wanted = self.ways[0][0]
        if not used:
            return wanted if self.counts.get(wanted) or not self.counts else list(self.counts)[-1]
        return next(name for name in self.counts if name in used)

    def filled(self, shown: Sequence[Candidate]) -> Iterator[str]:
        """Which places were filled by others than the way that answered."""
        used = self._used(shown)
        for name in [name for name in self.counts if name in used][1:]:
            by = "with popular items" if name == POPULAR else f"by {name}"
            yield f"{used[name]} places are filled {by}" if used[name] > 1 else f"1 place is filled {by}"

    def _used(self, shown: Sequence[Candidate]) -> dict[str, int]:
        names = [self.found_by[one.item_id] for one in shown if one.item_id in self.found_by]
        return {name: names.count(name) for name in names}
