"""What a report is made of: sections of text, tables and plots, with every number formatted once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

Figure = Mapping[str, float | None]
NOT_KNOWN = "–"


@dataclass(frozen=True)
class Cell:
    """A number as text, and its 95 % interval as text where it has one."""

    text: str
    interval: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a table; ``is_shipped`` marks the model that is shipped, ``note`` says more about the label."""

    label: str
    cells: Sequence[Cell]
    is_shipped: bool = False
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under heads; every head names the unit of its column. A folded table is opened by who wants it."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Row]
    first_head: str = "model"
    is_folded: bool = False


@dataclass(frozen=True)
class Plot:
    """A drawing as an inline SVG, with the sentence that says what it shows."""

    caption: str
    drawing: Markup


@dataclass(frozen=True)
class Heading:
    """A title inside a section."""

    text: str


Block = Table | Plot | Heading


@dataclass(frozen=True)
class Section:
    """A part of the report under a title; blocks are shown in their order."""

    anchor: str
    title: str
    sentences: Sequence[str] = ()
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Measure:
    """How a measure is shown: its head with the unit, its number format, and what turns the kept value into it."""

    head: str
    shown: Callable[[float], str]
    turned: Callable[[float], float] = float


def score(value: float) -> str:
    """Four decimals: shares and scores of 0 to 1."""
    return f"{value:.4f}"


def percent(value: float) -> str:
    """A share as percent, with more decimals where it is small."""
    return f"{value:.1%}" if abs(value) >= 0.01 or value == 0 else f"{value:.2%}"


def amount(value: float) -> str:
    """Two decimals and thousands apart."""
    return f"{value:,.2f}"


def gain(value: float) -> str:
    """A difference with its sign."""
    return f"{value:+.4f}" if abs(value) < 100 else f"{value:+,.0f}"


def _root_of_minus(value: float) -> float:
    return float(max(-value, 0.0) ** 0.5)


def _minus(value: float) -> float:
    return -value


MEASURES: Mapping[str, Measure] = {
    "ndcg": Measure("NDCG (0 to 1)", score),
    "recall": Measure("recall (share of what was bought)", score),
    "precision": Measure("precision (share of places)", score),
    "hit": Measure("hit (share of customers)", score),
    "mrr": Measure("MRR (1 / rank of the first hit)", score),
    "overlap": Measure("overlap (share of a list that another customer sees too)", percent),
    "novelty": Measure("novelty (bits)", amount),
    "diversity": Measure("diversity (share of pairs from different categories)", percent),
    "popularity_percentile": Measure("popularity percentile (1 = most bought)", score),
    "head_share": Measure("places with best sellers (share)", percent),
    "coverage": Measure("coverage (share of the catalogue)", percent),
    "auc": Measure("AUC (0.5 = chance, 1 = perfect)", score),
    "pr_auc": Measure("PR-AUC (0 to 1)", score),
    "brier": Measure("Brier score (0 is perfect)", score),
    "negative_brier": Measure("Brier score (0 is perfect)", score, _minus),
    "ece": Measure("calibration error (share, 0 is perfect)", score),
    "lift_at_10_percent": Measure("lift among the top 10 % (times the average)", amount),
    "log_loss": Measure("log loss (nats)", score),
    "negative_squared_error": Measure("RMSE (account currency)", amount, _root_of_minus),
    "normalised_gini": Measure("normalised Gini (1 is perfect)", score),
    "rmse": Measure("RMSE (account currency)", amount),
    "mae": Measure("MAE (account currency)", amount),
    "spearman": Measure("rank correlation (−1 to 1)", score),
    "bias": Measure("bias (predicted / actual, 1 is right)", score),
    "top_10_percent_capture": Measure("spend with the top 10 % (share)", percent),
    "value_capture": Measure("spend of those who left that is found (share)", percent),
    "median_error_days": Measure("median absolute error (days)", amount),
    "mean_error_days": Measure("mean absolute error (days)", amount),
    "came_share": Measure("share that came by then", percent),
    "gain_over_baseline": Measure("NDCG gain over the baseline", gain),
    "squared_error_gain": Measure("gain in squared error (account currency squared)", gain),
    "gain_over_popularity": Measure("NDCG gain over popularity", gain),
}


def measure_of(name: str) -> Measure:
    """How a measure is shown, also one that this list does not name."""
    return MEASURES.get(name) or Measure(name.replace("_", " "), score)


def cell(figure: Any, measure: Measure) -> Cell:
    """A figure with its interval, a bare number, or a dash where nothing is known."""
    if not isinstance(figure, Mapping):
        return Cell(NOT_KNOWN if figure is None else measure.shown(measure.turned(float(figure))))
    values = [figure.get(name) for name in ("mean", "low", "high")]
    if values[0] is None:
        return Cell(NOT_KNOWN)
    if values[1] is None or values[2] is None:
        return Cell(measure.shown(measure.turned(values[0])))
    low, high = sorted(measure.turned(one) for one in values[1:] if one is not None)
    return Cell(measure.shown(measure.turned(values[0])), f"[{measure.shown(low)}, {measure.shown(high)}]")


def models_table(
    caption: str,
    models: Mapping[str, Mapping[str, Any]],
    names: Iterable[str],
    *,
    shipped: str | None = None,
    gains: Mapping[str, Any] | None = None,
    gain_head: str = "gain over the baseline (paired)",
    baseline: str | None = None,
    is_folded: bool = False,
) -> Table:
    """One row per model, best first by the first measure; with ``gains`` a last column of them under ``gain_head``."""
    chosen = [name for name in names if any(name in one for one in models.values())]
    ordered = sorted(models.items(), key=lambda one: -_first(one[1], chosen))
    rows = []
    for name, figures in ordered:
        cells = [cell(figures.get(one), measure_of(one)) for one in chosen]
        if gains is not None:
            cells.append(
                Cell("baseline") if name == baseline else cell(gains.get(name), measure_of("gain_over_baseline"))
            )
        rows.append(Row(name, cells, name == shipped, "shipped" if name == shipped else ""))
    heads = [measure_of(one).head for one in chosen]
    heads += [gain_head] if gains is not None else []
    return Table(caption, heads, rows, is_folded=is_folded)


def _first(figures: Mapping[str, Any], names: Sequence[str]) -> float:
    figure = figures.get(names[0]) if names else None
    mean = figure.get("mean") if isinstance(figure, Mapping) else figure
    return float("-inf") if mean is None else float(mean)
