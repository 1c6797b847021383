"""The quality panel as a part of the report: tables and plots of the figures that ``quality`` found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training import report_plots
from training.report_parts import (
    Block,
    Cell,
    Heading,
    Plot,
    Row,
    Table,
    amount,
    cell,
    measure_of,
    models_table,
    percent,
)

_MEASURES = ("auc", "pr_auc", "lift_at_10_percent", "brier", "ece", "log_loss")
_SEGMENT_MEASURES = _MEASURES[:5]


def quality_sentences(panel: Mapping[str, Any]) -> Iterator[str]:
    """What was judged, in words."""
    windows = panel["windows"]
    dates = ", ".join(one["cutoff"][:10] for one in reversed(windows))
    rates = ", ".join(percent(one["base_rate"]) for one in reversed(windows))
    yield f"Judged at {len(windows)} past cutoffs ({dates}), where {rates} left; no model knew those days."
    captured = cell(panel["value_capture"], measure_of("value_capture"))
    yield (
        f"The tenth of the customers with the highest expected loss holds {captured.text} {captured.interval} of what "
        "those who left had paid lately."
    )


def quality_blocks(panel: Mapping[str, Any], number: str) -> Iterator[Block]:
    """Models beside the baselines, calibration, deciles, gains, stability over the cutoffs, segments.

    ``number`` keeps the ids of the plots apart from those of other panels.
    """
    shipped = panel["shipped"]
    caption = "All models, means over the cutoffs with 95 % intervals; the gain in AUC is paired."
    gains = {name: _reversed(one) for name, one in panel["auc_gains"].items()}
    head = "AUC above the shipped model (paired)"
    yield models_table(caption, panel["models"], _MEASURES, shipped=shipped, gains=gains, gain_head=head)
    yield Heading("Calibration")
    drawing = report_plots.calibration(panel["calibration"], happened="share that left", number=f"{number}1")
    yield Plot("Customers of all cutoffs in ten bins of equal size.", drawing)
    yield Heading("Who is found")
    yield _deciles_table(panel["deciles"])
    if panel["cumulative_gains"]:
        found = "share of those who left that is found"
        drawing = report_plots.cumulative_gains(panel["cumulative_gains"], found=found, number=f"{number}2")
        yield Plot("How many of those who left are among the customers contacted first.", drawing)
    yield Heading("Stability")
    yield Plot("AUC at each cutoff, with 95 % intervals.", _stability(panel, number))
    yield _windows_table(panel)
    if panel["segments"]:
        yield _segments_table(panel["segments"])


def _reversed(gain: Mapping[str, Any]) -> dict[str, Any]:
    """What the shipped model is ahead of another, told of the other."""
    turned = {name: None if gain[name] is None else -gain[name] for name in ("mean", "low", "high")}
    return {**gain, "mean": turned["mean"], "low": turned["high"], "high": turned["low"]}


def _deciles_table(found: list[Mapping[str, Any]]) -> Table:
    rows = [
        Row(
            f"{one['decile']}",
            [Cell(f"{one['customers']:,}"), *_shares(one, ("predicted", "left")), Cell(_number(one["lift"]))],
        )
        for one in found
    ]
    heads = ["customers", "mean probability", "share that left", "lift (times the average)"]
    return Table("Tenths of the customers, highest probability first.", heads, rows, first_head="tenth")


def _shares(one: Mapping[str, Any], names: tuple[str, ...]) -> list[Cell]:
    return [Cell(percent(one[name])) for name in names]


def _number(value: float | None) -> str:
    return "–" if value is None else amount(value)


def _stability(panel: Mapping[str, Any], number: str) -> Any:
    shipped = panel["shipped"]
    found = {one["cutoff"][:10]: one["models"][shipped]["auc"] for one in panel["windows"]}
    return report_plots.over_time(found, label="AUC of the shipped model", number=f"{number}3")


def _windows_table(panel: Mapping[str, Any]) -> Table:
    shipped, others = panel["shipped"], list(panel["auc_gains"])
    rows = []
    for one in reversed(panel["windows"]):
        said = one["models"][shipped]
        cells = [
            Cell(f"{one['customers']:,}"),
            Cell(percent(one["base_rate"])),
            Cell(percent(said["mean_probability"])),
        ]
        cells += [cell(said[name], measure_of(name)) for name in ("auc", "ece")]
        cells += [cell(one["models"][name]["auc"], measure_of("auc")) for name in others]
        rows.append(Row(one["cutoff"][:10], cells))
    heads = ["customers", "share that left", "mean probability", measure_of("auc").head, measure_of("ece").head]
    return Table(
        "The shipped model at each cutoff, and the AUC of the others.",
        [*heads, *(f"AUC of {name}" for name in others)],
        rows,
        first_head="cutoff",
    )


def _segments_table(segments: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            name,
            [
                Cell(f"{one['customers']:,}"),
                Cell(percent(one["base_rate"])),
                *(cell(one.get(part), measure_of(part)) for part in _SEGMENT_MEASURES),
            ],
        )
        for name, one in segments.items()
    ]
    heads = ["customers", "share that left", *(measure_of(part).head for part in _SEGMENT_MEASURES)]
    return Table("The shipped model by segment, all cutoffs together.", heads, rows, first_head="segment")
