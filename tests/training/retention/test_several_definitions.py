"""Several definitions of churn side by side: trained, judged, scored and answered, each by its own name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from recommender.advisor import Advisor, open_advisor
from recommender.artifact_store import ArtifactStore
from recommender.customer_answers import RiskFilter
from recommender.errors import UnknownName
from recommender.event_store import open_event_store
from recommender.score_store import ScoreStore
from tests import small_shop
from tests.conftest import NOW
from tests.training.conftest import shop_history
from training.backtest import backtest
from training.evaluate import evaluate
from training.pipeline import Training, train
from training.progress import silent
from training.report import report_text
from training.retention.scoring import scored_customers
from training.settings import TrainingSettings, read_settings

DECLARED = """
panel_cutoffs = 2
generators = []

[churn_also.drop]
outcome = "spend_drop"

[churn_also.ever]
outcome = "no_order"
asked_of = "any_order"
horizon_days = 14

[churn_also.silent]
outcome = "no_event"
event_kind = "view"
"""


@dataclass(frozen=True)
class Served:
    """The small shop with four definitions of churn, scored."""

    advisor: Advisor
    training: Training
    artifacts: ArtifactStore


def declared(folder: Path) -> TrainingSettings:
    file = folder / "settings.toml"
    file.write_text(DECLARED)
    return read_settings(file)


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("several")
    store = open_event_store(f"sqlite:///{home / 'store.sqlite'}", clock=lambda: NOW)
    for name, frame in small_shop.tables().items():
        store.append(name, frame)
    history = shop_history(home / "history")
    training = train(history, declared(home), as_of=small_shop.END, seed=0, steps=silent)
    artifacts = ArtifactStore(home / "artifacts")
    artifacts.promote(artifacts.save(training.bundle), at=NOW)
    rows = scored_customers(history, artifacts.load(), as_of=small_shop.END, steps=silent)
    ScoreStore(store.engine).replace_all(rows)
    advisor = open_advisor(store, home / "artifacts", clock=lambda: NOW)
    yield Served(advisor, training, artifacts)
    store.close()


def test_each_definition_has_a_model_and_facts_under_its_name(served):
    bundle = served.artifacts.load()
    assert {"churn", "churn_also_drop", "churn_also_ever"} <= set(bundle.models)
    assert bundle.facts["churn"]["definition"]["outcome"] == "no_order"
    assert set(bundle.facts["churn_also"]) == {"drop", "ever", "silent"}
    assert bundle.facts["churn_also"]["ever"]["population"] == "an order ever"


def test_a_definition_without_rows_has_no_model_and_says_why(served):
    bundle = served.artifacts.load()
    assert "churn_also_silent" not in bundle.models
    assert "missing" in bundle.facts["churn_also"]["silent"]
    text = report_text(served.artifacts.manifest(bundle.version))
    assert "Who leaves, as ever (auc)" in text
    assert "who leaves, as silent: no model, because" in text


def test_the_same_customer_is_answered_by_the_definition_that_is_named(served):
    gone, staying = small_shop.customer_id(0), small_shop.customer_id(1)
    advisor = served.advisor
    # The main definition asks those with an order in the last 56 days; 60 days ago is too long.
    assert advisor.churn_risk(gone).in_population is False
    ever = advisor.churn_risk(gone, definition="ever")
    assert (ever.in_population, ever.definition, ever.horizon_days) == (True, "ever", 14)
    assert ever.churn_probability > 0.5 > advisor.churn_risk(staying, definition="ever").churn_probability
    assert advisor.churn_risk(gone, definition="ever", fresh=True).churn_probability == ever.churn_probability


def test_the_list_holds_the_rows_of_one_definition(served):
    for name in ("churn", "ever", "drop", "silent"):
        page = served.advisor.churn_risks(RiskFilter(definition=name), sort="customer_id", cursor=None, limit=500)
        assert len(page.risks) == small_shop.CUSTOMERS
        assert {one.definition for one in page.risks} == {name}


def test_a_definition_that_is_not_served_is_refused_with_those_that_are(served):
    with pytest.raises(UnknownName, match="no definition of churn 'gone'; there are: churn, drop, ever, silent"):
        served.advisor.churn_risk(small_shop.customer_id(1), definition="gone")
    with pytest.raises(UnknownName, match="no definition of churn 'gone'"):
        served.advisor.churn_risks(RiskFilter(definition="gone"), sort="customer_id", cursor=None, limit=5)


def test_a_backtest_judges_all_definitions_and_writes_the_main_one(tmp_path):
    history, settings = shop_history(tmp_path / "history"), declared(tmp_path)
    cutoff = small_shop.END - timedelta(days=41)
    training, answers = backtest(history, settings, cutoff=cutoff, k=5, seed=0, steps=silent)
    metrics = evaluate(history, training, answers, settings, k=5, seed=0)
    assert set(metrics["churn_also"]) == {"drop", "ever", "silent"}
    assert metrics["churn_also"]["ever"]["customers"] == small_shop.CUSTOMERS
    assert metrics["churn_also"]["ever"]["horizon_days"] == 14
    assert metrics["churn_also"]["silent"] is None
    assert len(answers.churn) == metrics["churn"]["customers"]
