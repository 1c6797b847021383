"""What a training found, as text for people: every answer, its models beside the baseline, and the gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DECISIVE = {
    "all": "ndcg",
    "new": "ndcg",
    "profile": "ndcg",
    "churn": "auc",
    "value": "negative_squared_error",
    "session": "ndcg",
}
TITLES = {
    "all": "What to show (bought items included)",
    "new": "What to show of what was never bought",
    "profile": "What to show to customers of whom only attributes are known",
    "churn": "Who leaves",
    "value": "What a customer is worth",
    "session": "What comes next in a session",
}
ALSO = "churn_also_"


def title_of(answer: str) -> str:
    """What an answer is about; a further definition of churn is called by its name."""
    if answer.startswith(ALSO):
        return f"{TITLES['churn']}, as {answer.removeprefix(ALSO)}"
    return TITLES.get(answer, answer)


def decisive_of(answer: str) -> str:
    """The measure that decides between the models of an answer."""
    return DECISIVE["churn"] if answer.startswith(ALSO) else DECISIVE.get(answer, "ndcg")


def report_text(manifest: Mapping[str, Any]) -> str:
    """The manifest of a bundle as a report; figures are means on the window before ``as_of`` with 95 % intervals."""
    return "\n".join(_lines(manifest))


def _lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    data = manifest["data"]
    yield f"bundle {manifest['version']}, as of {manifest['as_of']}, horizon {manifest['horizon_days']} days"
    yield f"{data['customers']:,} customers, {data['items']:,} items, {data['interactions']:,} interactions"
    yield ""
    yield f"judged on the {manifest['horizon_days']} days before, by models fitted on what was known before those:"
    answers = {**manifest["answers"], "session": manifest.get("session_choice")}
    for answer in (*TITLES, *(name for name in answers if name.startswith(ALSO))):
        if answers.get(answer):
            yield from _answer_lines(answer, answers[answer])
            yield from _list_lines((manifest.get("lists") or {}).get(answer))
        if answer == "value":
            yield from (f"   {line}" for line in value_sentences(manifest.get("value") or {}))
    for name, churn in {"": manifest["churn"], **manifest.get("churn_also", {})}.items():
        subject = f"who leaves, as {name}" if name else "who leaves"
        if churn.get("missing"):
            yield f"{subject}: {churn.get('kind', 'no model')}, because {churn['missing']}"
        for warning in churn.get("drift", {}).get("warnings", ()):
            yield f"warning: {subject}: {warning}"
    for name, why in manifest["left_out"].items():
        yield f"left out: {name} ({why})"
    gate = manifest["gate"]
    yield ""
    yield "gate: passed" if gate["passed"] else "gate: refused, " + "; ".join(gate["objections"])


def _answer_lines(answer: str, facts: Mapping[str, Any]) -> Iterator[str]:
    measure = decisive_of(answer)
    yield ""
    yield f"{title_of(answer)} ({measure})"
    for name, figures in sorted(facts["models"].items(), key=lambda one: -(one[1][measure]["mean"] or 0.0)):
        figure = figures[measure]
        gain = facts["gains_over_baseline"].get(name)
        compared = "baseline" if gain is None else "gain " + _with_interval(gain, "+")
        mark = "*" if name == facts["shipped"] else " "
        yield f" {mark} {name:<20} {_with_interval(figure, '')}  {compared}"


def value_sentences(facts: Mapping[str, Any]) -> Iterator[str]:
    """What a value means, how far off the sum of all was on the last window, and how good the bounds were there."""
    if "is_margin" not in facts:
        return
    if facts["is_margin"]:
        margins = facts["margins"]
        yield (
            f"value is margin: costs are {margins['cost_share']:.1%} of the revenue, "
            f"and known of {margins['known_share']:.1%} of it"
        )
    else:
        yield "value is revenue: the costs of less than half of it are known"
    if "missing" in facts:
        yield facts["missing"]
    if "window" in facts:
        window = facts["window"]
        said = "" if facts["bias"] is None else f": predicted {facts['bias']:.2f} times what was spent"
        yield f"{window['customers']:,} customers of the window from {window['cutoff']}{said}"
    if "interval_coverage" in facts:
        covered = f"{facts['interval_coverage']:.1%} of them"
        yield f"{covered} lay between bounds that were read off a window before (80 % asked)"


def _list_lines(figures: Mapping[str, Any] | None) -> Iterator[str]:
    """What the shipped list is like beyond the measure that decided; all of it is in the page of the report."""
    if not figures:
        return
    shipped, basket = figures["shipped"], figures["next_basket"]["shipped"]
    yield f"   next basket: ndcg {_with_interval(basket['ndcg'], '')}, recall {_with_interval(basket['recall'], '')}"
    for name, one in figures["slices"].items():
        if one["customers"]:
            gain = _with_interval(one["gain_over_popularity"], "+")
            yield f"   {name}: ndcg {_with_interval(one['ndcg'], '')}, gain over popularity {gain}"
    yield "   " + "; ".join(_variety(shipped, figures["truth"]))


def _variety(shipped: Mapping[str, Any], truth: Mapping[str, Any]) -> Iterator[str]:
    """How much is shown and how alike the lists are; nothing of what nobody can know."""
    yield f"shows {shipped['coverage']:.1%} of the catalogue"
    overlap, listed, bought = (one["mean"] for one in (shipped["overlap"], shipped["head_share"], truth["head_share"]))
    if overlap is not None:
        yield f"two customers share {overlap:.1%} of their lists"
    if listed is not None:
        yield f"{listed:.1%} of the places have best sellers"
    if bought is not None:
        yield f"{bought:.1%} of what was bought are best sellers"


def _with_interval(figure: Mapping[str, float | None], sign: str) -> str:
    if figure["mean"] is None:
        return "not judged: nobody did anything of the kind"
    mean, low, high = (_number(figure[name] or 0.0, sign) for name in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def _number(value: float, sign: str) -> str:
    return f"{value:{sign}.4f}" if abs(value) < 100 else f"{value:{sign},.0f}"
