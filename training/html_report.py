"""What a training or a backtest found as one page that opens from disk: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recommender.json_text import json_text
from recommender.periods import Period, instant
from training import report_plots
from training.list_choice import SLATES
from training.report import TITLES, decisive_of, title_of, value_sentences
from training.report_items import items_section
from training.report_lists import RULES, list_section
from training.report_page import render_page
from training.report_parts import Cell, Plot, Row, Section, Table, cell, measure_of, models_table
from training.report_times import times_sections
from training.retention.quality_report import quality_blocks, quality_sentences

# Items of a list that a training judges; a backtest says its own.
K_SHOWN = 10


def html_report(facts: Mapping[str, Any]) -> str:
    """The page of a manifest, as ``train`` keeps it, or of the ``metrics.json`` of a backtest."""
    known = json.loads(json_text(facts))
    return render_page(_title(known), list(_summary(known)), list(_sections(known)))


def write_report(facts: Mapping[str, Any], path: Path) -> None:
    """The page as a file; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html_report(facts), encoding="utf-8")


def _is_backtest(facts: Mapping[str, Any]) -> bool:
    return "cutoff" in facts


def _title(facts: Mapping[str, Any]) -> str:
    return f"Backtest as of {facts['cutoff']}" if _is_backtest(facts) else f"Bundle {facts['version']}"


def _window(facts: Mapping[str, Any]) -> str:
    """On what everything was judged: a backtest on the days after its cutoff, a training on those before ``as_of``."""
    days = facts["horizon_days"]
    if _is_backtest(facts):
        period = Period.after(instant(facts["cutoff"]), days)
        return f"judged on {period.start:%Y-%m-%d} to {period.end:%Y-%m-%d}, as of {facts['cutoff']}"
    return f"judged on the {days} days before {facts['as_of']}, by models fitted on what was known before those"


def _summary(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    data = facts["data"]
    yield "as of", facts.get("cutoff") or facts["as_of"]
    yield "horizon", f"{facts['horizon_days']} days"
    yield "customers", f"{data['customers']:,}"
    yield "items", f"{data['items']:,}"
    yield "interactions", f"{data['interactions']:,}"
    yield (
        "figures",
        _window(facts) if facts.get("judged", True) else "not judged: nothing is known at or after the cutoff",
    )
    if "gate" in facts:
        objections = "; ".join(facts["gate"]["objections"])
        yield "gate", "passed" if facts["gate"]["passed"] else f"refused: {objections}"


def _sections(facts: Mapping[str, Any]) -> Iterator[Section]:
    yield _shipped_section(facts)
    lists = facts.get("recommendations") or facts.get("lists") or {}
    for slate in SLATES:
        if lists.get(slate):
            shipped = facts["shipped"][slate]
            yield list_section(slate, lists[slate], shipped, window=_window(facts), days=facts["horizon_days"])
    if facts.get("item_answers"):
        yield items_section(facts["item_answers"], window=_window(facts), places=facts.get("k", K_SHOWN))
    gains = (facts.get("ranker") or {}).get("gains")
    if gains:
        drawing = report_plots.bars(gains, label="share of the gain of all splits", number="ranker")
        blocks = [Plot(f"What the ranker decides by: the strongest features; fitted as of {_as_of(facts)}.", drawing)]
        yield Section("ranker", "The ranker", (), blocks)
    yield from _churn_section(facts)
    yield from times_sections(facts.get("times") or {})
    yield from _value_section(facts)
    yield _left_out_section(facts)
    yield Section("rules", "How to read this", RULES)


def _as_of(facts: Mapping[str, Any]) -> str:
    return str(facts.get("cutoff") or facts["as_of"])


def _answers(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the models were chosen, by answer: always on the days before."""
    chosen: Mapping[str, Any] = facts.get("chosen_on_the_past") or facts.get("answers") or {}
    return chosen


def _shipped_section(facts: Mapping[str, Any]) -> Section:
    rows = []
    for answer, name in facts["shipped"].items():
        choice = _answers(facts).get(answer)
        rows.append(Row(title_of(answer), _shipped_cells(name, choice, decisive_of(answer))))
    caption = (
        f"What is shipped and why: chosen on the {facts['horizon_days']} days before {_as_of(facts)}, by models that "
        "did not know those days; a model is shipped where its paired gain over the baseline lies wholly above 0."
    )
    heads = ["shipped", "baseline", "decided by", "value", "gain over the baseline (95 % interval)"]
    return Section("shipped", "What is shipped and why", (), [Table(caption, heads, rows, first_head="answer")])


def _shipped_cells(name: str, choice: Mapping[str, Any] | None, decisive: str) -> list[Cell]:
    if choice is None:
        return [Cell(name), Cell("–"), Cell("not judged: too little is known"), Cell("–"), Cell("–")]
    measure = measure_of(decisive)
    gained = choice["gains_over_baseline"].get(name)
    compared = Cell("is the baseline") if name == choice["baseline"] else _gain_cell(gained, decisive)
    value = cell(choice["models"].get(name, {}).get(decisive), measure)
    return [Cell(name), Cell(choice["baseline"]), Cell(measure.head), value, compared]


def _gain_cell(gained: Any, decisive: str) -> Cell:
    """A gain, with its unit where it is not that of the value beside it: squared errors are shown by their root."""
    if decisive != "negative_squared_error":
        return cell(gained, measure_of("gain_over_baseline"))
    squared = cell(gained, measure_of("squared_error_gain"))
    return Cell(squared.text, f"{squared.interval} in squared error (account currency squared)")


def _churn_section(facts: Mapping[str, Any]) -> Iterator[Section]:
    judged = facts.get("churn") or {}
    choice = _answers(facts).get("churn")
    shipped = facts["shipped"].get("churn")
    panel = judged.get("quality")
    title, blocks, sentences = TITLES["churn"], [], []
    if "models" in judged:
        names = ("auc", "pr_auc", "lift_at_10_percent", "brier", "ece", "log_loss")
        sentences.append(f"{judged['customers']:,} customers, of whom {judged['base_rate']:.1%} left.")
        blocks.append(models_table(f"All models; {_window(facts)}.", judged["models"], names, shipped=shipped))
        blocks += _churn_plots(judged, _window(facts))
        blocks.append(_segments_table(judged["slices"], names[:5], "the shipped model by segment"))
    elif choice and not panel:
        caption = f"All models; judged on complete windows of {facts['horizon_days']} days before {_as_of(facts)}."
        blocks.append(_choice_table(caption, choice, ("auc", "negative_brier")))
    if panel:
        sentences += quality_sentences(panel)
        blocks += quality_blocks(panel, "quality")
    if judged.get("missing"):
        sentences.append(f"{judged.get('kind', 'no model')}, because {judged['missing']}.")
    if blocks or sentences:
        yield Section("churn", title, sentences, blocks)


def _churn_plots(judged: Mapping[str, Any], window: str) -> Iterator[Plot]:
    if judged.get("calibration"):
        drawing = report_plots.calibration(judged["calibration"], happened="share that left", number="churn1")
        yield Plot(f"Calibration: customers in ten bins of equal size; {window}.", drawing)
    if judged.get("cumulative_gains"):
        found = "share of those who left that is found"
        drawing = report_plots.cumulative_gains(judged["cumulative_gains"], found=found, number="churn2")
        yield Plot(f"Gains: how many of those who left are among the customers contacted first; {window}.", drawing)


def _value_section(facts: Mapping[str, Any]) -> Iterator[Section]:
    judged = facts.get("value") or {}
    choice = _answers(facts).get("value")
    if "models" in judged:
        names = ("rmse", "normalised_gini", "bias", "spearman", "top_10_percent_capture", "mae")
        shipped = facts["shipped"].get("value")
        blocks = [
            models_table(f"All models; {_window(facts)}.", judged["models"], names, shipped=shipped),
            _segments_table(judged["slices"], names[:3], "the shipped model by segment"),
        ]
        yield Section("value", TITLES["value"], list(_value_sentences(judged)), blocks)
    elif choice:
        yield Section(
            "value",
            TITLES["value"],
            [f"{line[:1].upper()}{line[1:]}." for line in value_sentences(judged)],
            [_choice_table(f"All models; {_window(facts)}.", choice, ("negative_squared_error",))],
        )


def _value_sentences(judged: Mapping[str, Any]) -> Iterator[str]:
    yield f"{judged['customers']:,} customers."
    yield "Value is margin." if judged["is_margin"] else "Value is revenue."
    if judged["interval_coverage"] is not None:
        yield f"{judged['interval_coverage']:.1%} lay between their bounds (80 % asked)."


def _choice_table(caption: str, choice: Mapping[str, Any], names: tuple[str, ...]) -> Table:
    squared = f"{measure_of('squared_error_gain').head}, paired"
    return models_table(
        caption,
        choice["models"],
        names,
        shipped=choice["shipped"],
        gains=choice["gains_over_baseline"],
        gain_head=squared if "negative_squared_error" in names else "gain over the baseline (paired)",
        baseline=choice["baseline"],
    )


def _segments_table(slices: Mapping[str, Any], names: tuple[str, ...], caption: str) -> Table:
    rows = [
        Row(name, [Cell(f"{one['customers']:,}"), *(cell(one.get(part), measure_of(part)) for part in names)])
        for name, one in slices.items()
    ]
    heads = ["customers", *(measure_of(part).head for part in names)]
    return Table(f"Slices: {caption}; 95 % intervals.", heads, rows, first_head="segment")


def _left_out_section(facts: Mapping[str, Any]) -> Section:
    left_out = facts.get("left_out") or {}
    if not left_out:
        return Section("left-out", "Left out", ["Nothing: every model that was asked for could be fitted."])
    rows = [Row(name, [Cell(why)]) for name, why in left_out.items()]
    caption = f"Models that could not be fitted, as of {_as_of(facts)}."
    return Section("left-out", "Left out", (), [Table(caption, ["reason"], rows)])
