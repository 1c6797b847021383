"""What treatments brought, as text for people and as a page with plots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from recommender.periods import rfc3339
from recommender.retention.effect_answers import (
    ANY_TREATMENT,
    NO_OUTCOME,
    OTHER_SHARE,
    VERDICTS,
    WINDOW_OPEN,
    Estimate,
    MeasuredEffects,
    TreatmentEffect,
)
from training import report_plots
from training.report_page import render_page
from training.report_parts import NOT_KNOWN, Block, Cell, Plot, Row, Section, Table, amount, percent

_LEFT_OUT = {
    WINDOW_OPEN: "suggested so late that the window is not complete",
    NO_OUTCOME: "left in a way that the definition does not count",
    OTHER_SHARE: "suggested while another share was held out",
}
HOW_TO_READ = (
    "Every customer counts once per treatment, from the first scoring that suggested it on, in the group that the draw "
    "put the customer into, whether or not anybody acted (intention to treat).",
    "An interval that includes 0 is no effect; the detectable effect is the smallest that groups of this size would "
    "show in four of five cases. Of twenty treatments that do nothing, one is still said to have an effect.",
    f"The row {ANY_TREATMENT!r} compares all treatments together, from the first suggestion of any on. Who came to be "
    "meant for one of the others may depend on what an earlier treatment did; the split of the groups is tested, and "
    "one that chance does not explain is not trusted.",
    "Revenue is orders less returns within the horizon, adjusted for the same figure before (CUPED).",
)


def effects_text(measured: MeasuredEffects) -> str:
    """The effects as text, one treatment under the other."""
    return "\n".join(_lines(measured))


def write_effects_page(measured: MeasuredEffects, path: Path) -> None:
    """The effects as a page that opens from disk; its folder is made where it is missing."""
    summary = [
        ("as of", _as_of(measured)),
        ("horizon", f"{measured.horizon_days} days"),
        ("definition of churn", measured.definition),
        ("experiment", measured.experiment),
        ("held out", percent(measured.holdout_share)),
        *_left_out(measured),
    ]
    sections = [
        Section("retention", "Customers kept", (), list(_retention_blocks(measured))),
        Section("revenue", "Revenue and cost", (), list(_revenue_blocks(measured))),
        Section("rules", "How to read this", HOW_TO_READ),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_page("Effects of treatments", summary, sections), encoding="utf-8")


def _lines(measured: MeasuredEffects) -> Iterator[str]:
    share = percent(measured.holdout_share)
    yield f"effects of treatments as of {_as_of(measured)}, within {measured.horizon_days} days"
    yield f"experiment {measured.experiment!r}, {share} held out, definition of churn {measured.definition!r}"
    yield from (f"left out: {count}, {why}" for why, count in _left_out(measured))
    for effect in measured.effects:
        yield ""
        yield f"{effect.treatment}: {effect.verdict_text} ({effect.treated:,} treated, {effect.held_out:,} held out)"
        yield from (f"  {line}" for line in _effect_lines(effect))


def _left_out(measured: MeasuredEffects) -> list[tuple[str, str]]:
    """Why customers are left out, and how many."""
    counts = [(why, measured.left_out.get(key, 0)) for key, why in _LEFT_OUT.items()]
    return [(why, f"{count:,} customers") for why, count in counts if count]


def _effect_lines(effect: TreatmentEffect) -> Iterator[str]:
    if effect.retention is None:
        return
    shares = f"{percent(effect.retained_treated or 0.0)} against {percent(effect.retained_held_out or 0.0)}"
    yield f"stayed: {shares}, {_told(_points(effect.retention))} points; detectable {_detectable(effect)} points"
    if effect.revenue is not None:
        yield f"revenue per customer: {_told(_signed(effect.revenue))}"
    yield f"cost per saved customer: {_told(_saved(effect))}"
    if effect.contacted_treated is not None:
        yield f"contacted: {percent(effect.contacted_treated)} of those treated"
    yield from effect.notes


def _retention_blocks(measured: MeasuredEffects) -> Iterator[Block]:
    known = {one.treatment: one.retention for one in measured.effects if one.retention is not None}
    if known:
        drawing = report_plots.forest(_drawn(known), shipped=None, label="share kept by the treatment", number="kept")
        yield Plot(f"Share of customers kept, with 95 % intervals; {_window(measured)}.", drawing)
    heads = [
        "what can be said",
        "treated (customers)",
        "held out (customers)",
        "stayed if treated",
        "stayed if held out",
        "kept by it (percentage points)",
        "detectable (percentage points)",
        "chance of so uneven a split",
    ]
    yield Table(f"Customers kept; {_window(measured)}.", heads, [*map(_retention_row, measured.effects)], "treatment")


def _retention_row(effect: TreatmentEffect) -> Row:
    shares = effect.retained_treated, effect.retained_held_out
    chance = effect.mismatch_probability
    cells = [
        Cell(VERDICTS[effect.verdict]),
        Cell(f"{effect.treated:,}"),
        Cell(f"{effect.held_out:,}"),
        *(Cell(NOT_KNOWN if one is None else percent(one)) for one in shares),
        _points(effect.retention),
        Cell(_detectable(effect)),
        Cell(NOT_KNOWN if chance is None else f"{chance:.3f}"),
    ]
    return Row(effect.treatment, cells, note="; ".join(effect.notes))


def _revenue_blocks(measured: MeasuredEffects) -> Iterator[Block]:
    known = {one.treatment: one.revenue for one in measured.effects if one.revenue is not None}
    if known:
        label = "revenue per customer brought by the treatment (account currency)"
        drawing = report_plots.forest(_drawn(known), shipped=None, label=label, number="revenue")
        yield Plot(f"Revenue less returns per customer, with 95 % intervals; {_window(measured)}.", drawing)
    heads = ["revenue per customer", "contacted", "cost per customer", "cost per saved customer"]
    caption = f"Revenue and cost, in the account currency; {_window(measured)}."
    yield Table(caption, heads, [*map(_revenue_row, measured.effects)], "treatment")


def _revenue_row(effect: TreatmentEffect) -> Row:
    reached, cost = effect.contacted_treated, effect.cost_per_customer
    cells = [
        _signed(effect.revenue),
        Cell(NOT_KNOWN if reached is None else percent(reached)),
        Cell(NOT_KNOWN if cost is None else amount(cost)),
        _saved(effect),
    ]
    return Row(effect.treatment, cells, note="; ".join(effect.notes))


def _drawn(known: dict[str, Estimate]) -> dict[str, dict[str, float]]:
    return {name: {**asdict(one), "mean": one.value} for name, one in known.items()}


def _points(estimate: Estimate | None) -> Cell:
    """A difference of shares in percentage points."""
    if estimate is None:
        return Cell(NOT_KNOWN)
    value, low, high = (f"{100 * one:+.1f}" for one in (estimate.value, estimate.low, estimate.high))
    return Cell(value, f"[{low}, {high}]")


def _signed(estimate: Estimate | None) -> Cell:
    if estimate is None:
        return Cell(NOT_KNOWN)
    value, low, high = (f"{one:+,.2f}" for one in (estimate.value, estimate.low, estimate.high))
    return Cell(value, f"[{low}, {high}]")


def _saved(effect: TreatmentEffect) -> Cell:
    """What a saved customer cost, or why that is not known."""
    saved = effect.cost_per_saved
    if saved is not None:
        return Cell(amount(saved.value), f"[{amount(saved.low)}, {amount(saved.high)}]")
    if effect.cost_per_customer == 0:
        return Cell("no cost is set: tell it in [treatments.ladder.<name>]")
    return Cell(NOT_KNOWN if effect.retention is None else "not measurable: it may have kept nobody")


def _detectable(effect: TreatmentEffect) -> str:
    return NOT_KNOWN if effect.detectable is None else f"{100 * effect.detectable:.1f}"


def _told(cell: Cell) -> str:
    return f"{cell.text} {cell.interval}".rstrip()


def _window(measured: MeasuredEffects) -> str:
    return f"within {measured.horizon_days} days of the first suggestion, as of {_as_of(measured)}"


def _as_of(measured: MeasuredEffects) -> str:
    return "–" if measured.as_of is None else rfc3339(measured.as_of)
