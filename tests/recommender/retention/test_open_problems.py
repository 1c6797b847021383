"""Who has an open problem, from rows typed by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from recommender.periods import instant
from recommender.retention.open_problems import open_problems

NOW = instant("2024-05-01")
NOBODY_ASKED = pd.DataFrame(
    {
        "customer_id": pd.Series(dtype="string"),
        "answered_at": pd.Series(dtype="datetime64[us, UTC]"),
        "kind": pd.Series(dtype="string"),
        "score": pd.Series(dtype="float64"),
    }
)


def features(**columns: float) -> pd.DataFrame:
    given = {"ticket_open_severe_count": 0.0, "late_open_order_count": 0.0, **columns}
    return pd.DataFrame([given], index=pd.Index(["ann"], name="customer_id"))


def answers(*rows: tuple[str, float, str, float]) -> pd.DataFrame:
    """Survey answers of ``(customer, days ago, kind, score)``."""
    return pd.DataFrame(
        {
            "customer_id": pd.Series([who for who, *_ in rows], dtype="string"),
            "answered_at": pd.Series([NOW - pd.Timedelta(days=ago) for _, ago, *_ in rows]).dt.as_unit("us"),
            "kind": pd.Series([kind for *_, kind, _ in rows], dtype="string"),
            "score": [score for *_, score in rows],
        }
    )


@pytest.mark.parametrize("problem", ["ticket_open_severe_count", "late_open_order_count"])
def test_a_severe_ticket_that_is_open_and_an_order_that_is_late_are_problems(problem):
    assert open_problems(features(**{problem: 1.0}), NOBODY_ASKED, NOW) == {"ann"}
    assert open_problems(features(), NOBODY_ASKED, NOW) == frozenset()


@pytest.mark.parametrize(
    ("days_ago", "kind", "score", "is_problem"),
    [
        (1, "nps", 6, True),
        (1, "nps", 7, False),
        (29, "nps", 0, True),
        (30, "nps", 0, False),
        (1, "csat", 2, True),
        (1, "csat", 3, False),
        (1, "ces", 1, False),
    ],
)
def test_a_bad_answer_is_a_problem_as_long_as_it_is_fresh(days_ago, kind, score, is_problem):
    found = open_problems(features(), answers(("ann", days_ago, kind, score)), NOW)
    assert (found == {"ann"}) == is_problem


def test_the_last_answer_counts_and_others_are_not_asked_about():
    given = answers(("ann", 9, "nps", 1), ("ann", 2, "nps", 9), ("bob", 2, "nps", 1))
    assert open_problems(features(), given, NOW) == frozenset()
