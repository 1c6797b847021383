"""The section of a report about answers that start from items, sessions and intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.report_parts import Block, Cell, Heading, Measure, Row, Section, Table, amount, cell, measure_of

_TITLES = {
    "bought_together_same_basket": "Bought together: the rest of the same basket",
    "bought_together": "Bought together: all that is bought from then on",
    "similar": "Similar items: all that is bought from then on",
    "similar_same_category": "Similar items: what is bought of the same category from then on",
    "session": "Next in a session",
    "buy_again": "Buy again",
}
_RIVALS = {"ours": "ours", "popularity": "popularity", "co_purchase_counts": "plain co-purchase counts"}
_HEADS = {"hit": "hit (share of occasions)", "ndcg": measure_of("ndcg").head}
_DAYS = Measure("absolute error of the due date (days)", amount)


def items_section(answers: Mapping[str, Any], *, window: str, places: int) -> Section:
    """Each answer beside popularity and plain counts, as ``judge_item_answers`` says; None where nothing was judged."""
    blocks: list[Block] = []
    judged = {name: one for name, one in answers.items() if one}
    for name in sorted(judged, key=lambda one: (list(_TITLES).index(one) if one in _TITLES else len(_TITLES), one)):
        blocks += _answer_blocks(name, judged[name], window, places)
    missing = [_TITLES.get(name, name) for name in answers if name not in judged]
    sentences = [f"Not judged, because nothing of the kind happened: {'; '.join(missing)}."] if missing else []
    return Section("item-answers", "Answers about items", sentences, blocks)


def _answer_blocks(name: str, figures: Mapping[str, Any], window: str, places: int) -> Iterator[Block]:
    yield Heading(_TITLES.get(name, name.replace("_", " ")))
    measures = [one for one in ("hit", "ndcg") if isinstance(figures.get(one), Mapping)]
    if measures:
        rows = [
            Row(title, [one for measure in measures for one in _pair(figures[measure], rival)], rival == "ours")
            for rival, title in _RIVALS.items()
            if rival in figures[measures[0]]
        ]
        heads = [head for one in measures for head in (_HEADS[one], f"gain of ours in {one} (paired)")]
        count = f"{figures.get('observations', 0):,} occasions"
        yield Table(f"{count}, lists of {places}, 95 % intervals; {window}.", heads, rows)
    if figures.get("due_date"):
        yield _due_date(figures["due_date"], window)


def _pair(figures: Mapping[str, Any], rival: str) -> list[Cell]:
    """The measure of a rival, and what ours gains over it."""
    gained = figures.get(f"gain_over_{rival}")
    return [
        cell(figures[rival], measure_of("ndcg")),
        Cell("") if rival == "ours" else cell(gained, measure_of("gain_over_baseline")),
    ]


def _due_date(figures: Mapping[str, Any], window: str) -> Table:
    rows = [
        Row(title, [cell({**figures[name], "mean": figures[name]["median"]}, _DAYS)], name == "median_absolute_days")
        for name, title in (
            ("median_absolute_days", "ours"),
            ("item_median_interval_absolute_days", "the item's median interval"),
        )
        if figures.get(name)
    ]
    gained = Measure("", lambda value: f"{value:+.2f}")
    rows.append(Row("gain of ours, mean over customers (paired)", [cell(figures.get("gain_days"), gained)]))
    caption = f"When it is due: {figures['customers']:,} customers, {figures['pairs']:,} items bought again; {window}."
    return Table(f"{caption} Medians over customers with 95 % intervals.", [_DAYS.head], rows)
