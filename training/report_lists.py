"""The sections of a report about lists: models by slate and target, gains, slices, and what lies beyond accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training import report_plots
from training.list_evaluation import FEW_BASKETS
from training.report import TITLES
from training.report_parts import Block, Cell, Heading, Plot, Row, Section, Table, cell, measure_of, models_table

_ACCURACY = ("ndcg", "recall", "precision", "hit", "mrr")
_VARIETY = ("coverage", "novelty", "diversity", "popularity_percentile", "head_share", "overlap")
_SLICES = (
    "repeat items",
    "new items",
    "cold items",
    "heavy customers",
    "light customers",
    "customers with few baskets",
)
_IN_SLICES = ("ndcg", "recall", "gain_over_baseline", "gain_over_popularity")


def list_section(slate: str, figures: Mapping[str, Any], shipped: str, *, window: str, days: int) -> Section:
    """All that is known of the lists of a slate; ``window`` says on what they were judged, and as of when."""
    targets = {f"next {days} days": figures, "next basket": figures["next_basket"]}
    blocks: list[Block] = []
    for number, (target, found) in enumerate(targets.items()):
        blocks.append(Heading(f"Judged by the {target}"))
        blocks += _target_blocks(found, figures["baseline"], shipped, target, window, f"{slate}{number}")
    blocks.append(Heading("Beyond accuracy"))
    blocks.append(_variety_table(figures, shipped, window))
    if figures.get("calibration"):
        blocks.append(Heading("Purchase probability"))
        drawing = report_plots.calibration(
            figures["calibration"], happened="share of places that was bought", number=f"{slate}c"
        )
        blocks.append(
            Plot(f"Purchase probability of the shipped list: places in ten bins of equal size; {window}.", drawing)
        )
    sentences = [_why(slate, figures, shipped), f"Lists of {figures['places']} items from {figures['items']:,}."]
    return Section(slate, TITLES[slate], sentences, blocks)


def _why(slate: str, figures: Mapping[str, Any], shipped: str) -> str:
    baseline = figures["baseline"]
    one = figures.get("shipped_gains_over_baseline")
    if shipped == baseline:
        return f"Shipped is the baseline, {baseline}: nothing was shown to be better on the days that decided."
    if not one or one["mean"] is None:
        return f"Shipped is {shipped}; the gain over {baseline} is not known here."
    gained = cell(one, measure_of("gain_over_baseline"))
    return f"Shipped is {shipped}: NDCG {gained.text} {gained.interval} over {baseline} (paired, 95 % interval)."


def _target_blocks(
    figures: Mapping[str, Any], baseline: str, shipped: str, target: str, window: str, number: str
) -> Iterator[Table | Plot]:
    gains = figures["gains_over_baseline"]
    yield models_table(
        f"All models, {target}: means over customers with 95 % intervals; {window}.",
        figures["models"],
        _ACCURACY,
        shipped=shipped,
        gains=gains,
        baseline=baseline,
    )
    if any(one["mean"] is not None for one in gains.values()):
        drawing = report_plots.forest(gains, shipped=shipped, label=f"NDCG gain, {target}", number=number)
        yield Plot(
            f"Gain in NDCG over {baseline}, {target}: paired by customer, 95 % intervals; right of the line is better; "
            f"{window}.",
            drawing,
        )
    yield _slices_table(figures, f"The shipped list in slices, {target}; {window}")
    yield _models_by_slice(figures, shipped, f"NDCG of every model in every slice, {target}; {window}.")


def _slices_table(figures: Mapping[str, Any], caption: str) -> Table:
    rows = []
    for name in _ordered(figures["slices"]):
        one = figures["slices"][name]
        cells = [Cell(f"{one['customers']:,}"), *(cell(one.get(part), measure_of(part)) for part in _IN_SLICES)]
        rows.append(Row(name, cells))
    heads = ["customers", *(measure_of(part).head for part in _IN_SLICES)]
    return Table(f"{caption}. Means and paired gains with 95 % intervals.", heads, rows, first_head="slice")


def _models_by_slice(figures: Mapping[str, Any], shipped: str, caption: str) -> Table:
    slices = _ordered(figures["slices"])
    rows = [
        Row(
            model,
            [cell(figures["slices"][one]["models"].get(model, {}).get("ndcg"), measure_of("ndcg")) for one in slices],
            model == shipped,
            "shipped" if model == shipped else "",
        )
        for model in sorted(figures["models"])
    ]
    return Table(caption, slices, rows, is_folded=True)


def _ordered(slices: Mapping[str, Any]) -> list[str]:
    """Slices by item before those by customer, each in their order in the text."""
    return sorted(slices, key=lambda one: (one not in _SLICES, _SLICES.index(one) if one in _SLICES else 0, one))


def _variety_table(figures: Mapping[str, Any], shipped: str, window: str) -> Table:
    models = models_table(
        f"How much of the catalogue is shown, how new, varied, popular and alike the lists are; {window}.",
        figures["models"],
        _VARIETY,
        shipped=shipped,
    )
    truth = figures["truth"]
    bought = Row("what was bought", [cell(truth.get(name), measure_of(name)) for name in _VARIETY], note="to compare")
    ratio = _ratio(figures["models"].get(shipped, {}), truth)
    row = Row("shipped / bought", [ratio if name == "head_share" else Cell("") for name in _VARIETY])
    return Table(models.caption, models.heads, [*models.rows, bought, row])


def _ratio(listed: Mapping[str, Any], bought: Mapping[str, Any]) -> Cell:
    """How many times as often as customers buy best sellers the shipped list shows them."""
    ours, theirs = (one.get("head_share", {}).get("mean") for one in (listed, bought))
    return Cell(f"{ours / theirs:.2f} times") if ours is not None and theirs else Cell("")


RULES = (
    f"Light customers have at most the median number of purchases; few baskets are at most {FEW_BASKETS} days with a "
    "purchase. Slices may hold the same customer.",
    "Repeat items were bought before by the customer, new items were not. Cold items were first met by anybody less "
    "than a horizon before the cutoff, or never.",
    "The next basket is what a customer bought on the first day with a purchase; days are counted from the cutoff.",
    "Best sellers are the fewest items that together have a fifth of all buyers. Overlap is the share of a list that "
    "another customer's list holds too, on average over all pairs.",
    "Intervals are 95 % bootstrap intervals over customers. A gain is paired: the same customers with both lists. "
    "Whoever bought nothing counts nowhere. All items compete; nothing is sampled.",
    "An occasion of the answers about items is a customer or a session; a customer is drawn with all sessions of the "
    "own, a session of nobody known stands for itself.",
)
