"""The sections of a report about time: the curve of staying away, and the date of the next order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.report_parts import Block, Cell, Row, Section, Table, cell, measure_of, percent

_NAMES = {
    "shipped": "shipped",
    "bgnbd_curves": "BG/NBD",
    "own_interval": "last order + own mean interval",
    "expected_next_order_at": "expected",
    "next_order_earliest_at": "earliest",
    "next_order_latest_at": "latest",
}


def times_sections(times: Mapping[str, Any]) -> Iterator[Section]:
    """What ``curve_evaluation.judge_times`` found; nothing where nothing was judged."""
    seen = f"{times.get('customers', 0):,} customers, of whom {times.get('seen_days', 0):.0f} days were seen."
    if times.get("curve", {}).get("by_day"):
        curve = times["curve"]
        learned = f"{curve['kind']}, learned up to {curve['learned_days']} days; what lies beyond is extrapolated."
        yield Section("curve", "Who stays away for how long", [seen, learned], list(_curve_blocks(curve)))
    if times.get("next_order"):
        orders = times["next_order"]
        told = (
            f"{orders['ordered_share']:.1%} of {orders['customers']:,} customers ordered within what was seen; "
            f"{orders['told_share']:.1%} are told a date within a year."
        )
        yield Section("next-order", "When the next order comes", [seen, told], list(_order_blocks(orders)))


def _curve_blocks(curve: Mapping[str, Any]) -> Iterator[Block]:
    names = ("brier", "ece")
    rows = [
        Row(
            f"{day} days, {_NAMES[model]}",
            [Cell(percent(one["base_rate"])), *(cell(figures[part], measure_of(part)) for part in names)],
            is_shipped=model == "shipped",
        )
        for day, one in curve["by_day"].items()
        for model, figures in one["models"].items()
    ]
    heads = ["stayed away or kept the contract", *(measure_of(part).head for part in names)]
    yield Table("The probability told for each of some days; 95 % intervals.", heads, rows, first_head="within")
    whole = [
        Row(_NAMES[name], [cell(figure, measure_of("brier"))], is_shipped=name == "shipped")
        for name, figure in curve["integrated_brier"].items()
    ]
    caption = f"The whole curve: Brier score as a mean over the first {curve['integrated_days']} days (Graf 1999)."
    yield Table(caption, ["integrated Brier score (0 is perfect)"], whole)


def _order_blocks(orders: Mapping[str, Any]) -> Iterator[Block]:
    middles = ("median_error_days", "mean_error_days")
    errors = [
        Row(_NAMES[name], [cell(orders[one][name], measure_of(one)) for one in middles], is_shipped=name == "shipped")
        for name in orders["median_error_days"]
    ]
    caption = (
        "How far the date told lies from the order; an order that was not seen, and a date beyond, count as the end "
        "of what was seen; 95 % intervals."
    )
    yield Table(caption, [measure_of(one).head for one in middles], errors)
    shares = [
        Row(_NAMES.get(name, name), [Cell(percent(one["wanted"])), cell(one, measure_of("came_share")), _count(one)])
        for name, one in {**orders["came_by"], "between earliest and latest": orders["within_interval"]}.items()
    ]
    heads = ["share wanted", measure_of("came_share").head, "customers"]
    yield Table("How often the order came by the date told; 95 % intervals.", heads, shares, first_head="date")


def _count(figure: Mapping[str, Any]) -> Cell:
    return Cell(f"{figure['customers']:,}")
