"""The customers of a shop as one page: cohorts, repurchase curves, lifecycle states and moves, RFM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from markupsafe import Markup

from recommender.retention.cohorts import MONTHS_FOLLOWED
from recommender.retention.repurchase import DAYS_FOLLOWED
from recommender.retention.rfm import SCORES
from recommender.retention.segments import STATES
from recommender.retention.transitions import ORIGINS
from training import report_plots
from training.report_page import render_page
from training.report_parts import NOT_KNOWN, Block, Cell, Plot, Row, Section, Table, amount, percent

# The moves that a shop works for or against.
_WATCHED = (
    ("new", "active"),
    ("active", "slipping"),
    ("slipping", "active"),
    ("slipping", "lapsed"),
    ("lapsed", "won_back"),
    ("won_back", "active"),
)
_TOLD_DAYS = (28, 56, 84, 182, 364)


def segment_page(facts: Mapping[str, Any], *, as_of: str) -> str:
    """The page of the facts of ``customer_base_facts``, which opens from disk and loads nothing."""
    customers = sum(one["customers"] for one in facts["rfm"]["groups"].values())
    summary = [
        ("as of", as_of),
        ("customers with an order", f"{customers:,}"),
        ("lifecycle told by", facts["lifecycle"]["told_by"]),
        ("activity window", f"{facts['lifecycle']['activity_days']} days"),
    ]
    sections = [*_lifecycle(facts["lifecycle"]), *_cohorts(facts["cohorts"]), *_repurchase(facts["repurchase"])]
    return render_page("Customers, as of " + as_of, summary, [*sections, *_rfm(facts["rfm"], customers)])


def _lifecycle(facts: Mapping[str, Any]) -> Iterator[Section]:
    sentences = [
        "Prospect: never ordered. Lapsed: no order within the activity window. Won back: ordered again within it after "
        "a longer silence. New: first order within it. Slipping: silent for longer than twice the own usual interval "
        "and than nine tenths of the own intervals. Active: everybody else. By subscriptions: lapsed has none that "
        "runs, slipping pays less than at the beginning of the window. States are as of each month's beginning (UTC); "
        "where the data begin everybody seems new."
    ]
    if not facts["states"]:
        yield Section("lifecycle", "Lifecycle", [*sentences, "No month has begun since the first order."])
        return
    standing = {one["at"][:7]: one["customers"] for one in facts["states"]}
    drawing = report_plots.stacked_bars(standing, label="customers", number="states")
    blocks: list[Block] = [Plot("Where customers stood at the beginning of each month.", drawing)]
    if facts["transitions"]:
        blocks += _moves(facts["transitions"])
    yield Section("lifecycle", "Lifecycle", sentences, blocks)


def _moves(transitions: list[Mapping[str, Any]]) -> Iterator[Block]:
    last = transitions[-1]
    origins = [origin for origin in ORIGINS if sum(last["customers"][origin].values())]
    shares = [[_share(last["customers"][origin], state) for state in STATES] for origin in origins]
    drawing = report_plots.heat_map(shares, origins, STATES, label="state a month later", shown=percent, number="moves")
    months = f"{last['from_at'][:10]} to {last['to_at'][:10]}"
    yield Plot(f"Moves of the last month, {months}: share of those who stood where the row says.", drawing)
    months_to = [one["to_at"][:7] for one in transitions]
    lines = {
        f"{origin} to {state}": {"x": months_to, "y": [_share(one["customers"][origin], state) for one in transitions]}
        for origin, state in _WATCHED
    }
    drawing = report_plots.curves(lines, x_label="month", y_label="share of the origin", number="watched")
    yield Plot("The moves that matter, month by month: share of those who stood at the origin a month before.", drawing)
    rows = [
        Row(f"{one['to_at'][:7]} {origin}", [Cell(f"{one['customers'][origin][state]:,}") for state in STATES])
        for one in transitions
        for origin in ORIGINS
        if sum(one["customers"][origin].values())
    ]
    yield Table("All moves: customers by month, origin and state at the end.", STATES, rows, "from", is_folded=True)


def _share(states: Mapping[str, int], state: str) -> float | None:
    everybody = sum(states.values())
    return states[state] / everybody if everybody else None


def _cohorts(cohorts: list[Mapping[str, Any]]) -> Iterator[Section]:
    sentences = [
        "Customers by the calendar month (UTC) of their first order that is known; a month is told when it is over. "
        "The first cohorts of a shop that is older than its data hold its regular customers too."
    ]
    if not cohorts:
        yield Section("cohorts", "Cohorts", [*sentences, "Nobody has ordered."])
        return
    kept = _cohort_map(cohorts, "ordered", 1, "{:.0%}".format)
    paid = _cohort_map(cohorts, "amount", 0, "{:,.0f}".format)
    blocks = [
        Plot("Share of each cohort that ordered in the month; in brackets how many customers it has.", kept),
        Plot("Paid in the month for each customer of the cohort (account currency).", paid),
    ]
    yield Section("cohorts", "Cohorts", sentences, blocks)


def _cohort_map(cohorts: list[Mapping[str, Any]], name: str, first_month: int, shown: Callable[[float], str]) -> Markup:
    months = range(first_month, MONTHS_FOLLOWED + 1)
    names = [f"{one['cohort']} ({one['customers']:,})" for one in cohorts]
    values = [[_of_cohort(one, name, month) for month in months] for one in cohorts]
    label = "months since the first order"
    return report_plots.heat_map(values, names, list(map(str, months)), label=label, shown=shown, number=name)


def _of_cohort(cohort: Mapping[str, Any], name: str, month: int) -> float | None:
    """What a cohort did in a month for each of its customers; None where the month is not over."""
    values = cohort[name]
    return values[month] / cohort["customers"] if month < len(values) else None


def _repurchase(curves: list[Mapping[str, Any]]) -> Iterator[Section]:
    sentences = [
        "By Kaplan and Meier: who has not ordered yet counts as long as watched, no longer. Bands are 95 % intervals."
    ]
    known = [one for one in curves if one["days"]]
    if not known:
        yield Section("repurchase", "Repurchase", [*sentences, "Nobody has ordered."])
        return
    lines = {
        f"order {one['order']}": {"x": one["days"], "y": one["share"], "low": one["low"], "high": one["high"]}
        for one in known
    }
    labels = ("days since the first order", "share of customers")
    drawing = report_plots.curves(lines, x_label=labels[0], y_label=labels[1], number="repurchase")
    rows = [Row(f"order {one['order']}", _told(one)) for one in known]
    heads = ["days until half have made it", *(f"within {days} days (share)" for days in _TOLD_DAYS)]
    blocks = [
        Plot("Share of customers who had made their Nth order within so many days of the first.", drawing),
        Table(f"Days until the Nth order; followed for {DAYS_FOLLOWED} days.", heads, rows, "order"),
    ]
    yield Section("repurchase", "Repurchase", sentences, blocks)


def _told(curve: Mapping[str, Any]) -> list[Cell]:
    median = curve["median_days"]
    points = dict(zip(curve["days"], zip(curve["share"], curve["low"], curve["high"], strict=True), strict=True))
    cells = [
        Cell(percent(points[days][0]), f"[{percent(points[days][1])}, {percent(points[days][2])}]")
        if days in points
        else Cell(NOT_KNOWN)
        for days in _TOLD_DAYS
    ]
    return [Cell(NOT_KNOWN if median is None else str(median)), *cells]


def _rfm(facts: Mapping[str, Any], customers: int) -> Iterator[Section]:
    sentences = [
        "Scores of 1 to 5 by fifths of all customers with an order, 5 is best: a score tells in which fifth the middle "
        "of those with the same figure lies. Groups follow from recency and frequency."
    ]
    if not customers:
        yield Section("rfm", "Recency, frequency, money", [*sentences, "Nobody has ordered."])
        return
    heads = [f"F {score}" for score in SCORES]
    names = [f"R {score}" for score in SCORES[::-1]]
    drawing = report_plots.heat_map(
        facts["grid"][::-1], names, heads, label="frequency", shown="{:,.0f}".format, number="rfm"
    )
    rows = [
        Row(name, [Cell(f"{one['customers']:,}"), Cell(percent(one["customers"] / customers)), *_money(one)])
        for name, one in facts["groups"].items()
    ]
    columns = ["customers", "share", "paid less returned (account currency)", "for each customer (account currency)"]
    blocks = [
        Plot("Customers by recency (R) and frequency (F).", drawing),
        Table("Groups of customers.", columns, rows, "group"),
    ]
    yield Section("rfm", "Recency, frequency, money", sentences, blocks)


def _money(group: Mapping[str, Any]) -> list[Cell]:
    each = group["net_amount"] / group["customers"] if group["customers"] else None
    return [Cell(amount(group["net_amount"])), Cell(NOT_KNOWN if each is None else amount(each))]
