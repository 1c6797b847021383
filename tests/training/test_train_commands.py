"""The commands from tables to answers, as a user types them, on the small shop."""

from __future__ import annotations

import json
from datetime import timedelta

import pandas as pd

from tests import small_shop
from tests.training.conftest import CUTOFF, backtested, done, run


def test_training_stands_after_the_last_event_unless_told_otherwise(home):
    listed = json.loads(done(home, "models", "--json"))
    instants = [one["as_of"] for one in listed["versions"]]
    last = small_shop.tables()["order_lines"]["ordered_at"].max() + timedelta(microseconds=1)
    assert instants == ["2024-02-20T00:00:00Z", last.isoformat().replace("+00:00", "Z")]
    assert listed["current"] == listed["versions"][1]["version"]


def test_a_rollback_serves_the_bundle_before_and_promote_serves_it_again(home):
    first, second = (one["version"] for one in json.loads(done(home, "models", "--json"))["versions"])
    assert done(home, "rollback") == f"served: {first}\n"
    assert f"* {first}" in done(home, "models")
    assert done(home, "promote", second) == f"served: {second}\n"


def test_an_unknown_version_is_one_line_and_exit_code_1(home):
    result = run(home, "promote", "v9")
    assert result.exit_code == 1
    assert result.stderr.startswith("regulars: there is no version 'v9'; there are: ")
    assert result.stderr.count("\n") == 1


def test_a_usage_error_is_exit_code_2(home):
    assert run(home, "promote").exit_code == 2


def test_an_altered_bundle_is_refused_by_name(home, tmp_path):
    version = json.loads(done(home, "models", "--json"))["current"]
    path = home / "artifacts" / "versions" / version / "list_popular_scores.npy"
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"!")
    result = run(home, "score")
    path.write_bytes(kept)
    assert result.exit_code == 1
    assert "list_popular_scores.npy was altered; train again or roll back" in result.stderr


def test_score_fills_the_list_and_writes_the_file_that_was_asked_for(home, tmp_path):
    out = tmp_path / "scores.csv"
    told = json.loads(done(home, "score", "--out", str(out)))
    assert told["scored"] == small_shop.CUSTOMERS
    scores = pd.read_csv(out)
    assert len(scores) == small_shop.CUSTOMERS
    assert {"customer_id", "churn_probability", "expected_loss", "action", "treatment", "reason_1"} <= set(scores)
    assert "suggested_treatment" not in scores


def test_a_scoring_from_before_the_served_bundle_is_refused_and_changes_nothing(home):
    result = run(home, "score", "--as-of", "2023-01-01")
    assert result.exit_code == 1
    assert "score as of then or later" in result.stderr


def test_slates_for_a_mailing_hold_every_customer_of_the_file_with_a_reason(home, tmp_path):
    (tmp_path / "ids.txt").write_text("c001\nnobody-yet\n")
    out = tmp_path / "slates.parquet"
    arguments = ["recommend", "--placement", "email", "--customers", str(tmp_path / "ids.txt"), "--limit", "3"]
    assert json.loads(done(home, *arguments, "--out", str(out)))["rows"] == 6
    slates = pd.read_parquet(out)
    assert slates.groupby("customer_id")["rank"].agg(list).tolist() == [[1, 2, 3], [1, 2, 3]]
    assert slates.loc[slates["customer_id"] == "nobody-yet", "fallback"].unique().tolist() == ["popular_items"]
    assert slates["reason"].str.len().min() > 0


def test_a_file_of_another_ending_is_refused(home, tmp_path):
    (tmp_path / "ids.txt").write_text("c001\n")
    result = run(
        home, "recommend", "--placement", "home", "--customers", str(tmp_path / "ids.txt"), "--out", "slates.xls"
    )
    assert result.exit_code == 1
    assert "ends in neither .csv nor .parquet" in result.stderr


def test_an_unknown_key_of_the_configuration_is_named(home, tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text("horizon = 28\n")
    result = run(home, "train", "--config", str(path))
    assert result.exit_code == 1
    assert "unknown key 'horizon'; known are activity_days" in result.stderr


def test_without_data_training_says_what_to_do(tmp_path):
    result = run(tmp_path, "train")
    assert (result.exit_code, result.stderr) == (
        1,
        "regulars: the store holds no event; run the command ingest first\n",
    )


def test_a_backtest_writes_k_distinct_items_of_both_slates_for_every_customer(answers):
    frame = pd.read_parquet(answers / "recommendations.parquet")
    assert list(frame) == ["customer_id", "slate", "rank", "item_id", "score"]
    by_list = frame.groupby(["customer_id", "slate"])
    assert len(by_list) == 2 * small_shop.CUSTOMERS
    assert (by_list["rank"].agg(list).map(tuple) == (1, 2, 3, 4, 5)).all()
    assert (by_list["item_id"].nunique() == 5).all()
    assert frame.equals(frame.sort_values(["customer_id", "slate", "rank"], ignore_index=True))


def test_a_backtest_asks_about_customers_with_an_order_in_the_window_before(answers):
    lines = small_shop.tables()["order_lines"]
    before = pd.Timestamp(CUTOFF, tz="UTC") - lines["ordered_at"]
    active = lines.loc[(before > pd.Timedelta(0)) & (before <= pd.Timedelta(days=56)), "customer_id"].unique()
    churn = pd.read_parquet(answers / "churn.parquet")
    assert churn["customer_id"].tolist() == sorted(active)
    assert churn["churn_probability"].between(0, 1).all()
    value = pd.read_parquet(answers / "value.parquet")
    assert len(value) == small_shop.CUSTOMERS
    assert (value["predicted_value"] >= 0).all()


def test_a_backtest_judges_all_models_with_intervals(answers):
    metrics = json.loads((answers / "metrics.json").read_text())
    assert metrics["judged"] is True
    assert set(metrics["recommendations"]["all"]["models"]) >= {"popularity", "personal_frequency", "item_similarity"}
    for name in ("mean", "low", "high"):
        assert name in metrics["recommendations"]["new"]["shipped"]["ndcg"]
    assert metrics["churn"]["models"].keys() == {"churn", "rfm_logistic", "bgnbd_no_order"}
    assert metrics["value"]["shipped"]["rmse"]["mean"] > 0


def test_without_rows_after_the_cutoff_the_answers_are_byte_identical_and_not_judged(
    answers, shop_folder, config_file, tmp_path
):
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    for name in small_shop.tables():
        frame = pd.read_csv(shop_folder / f"{name}.csv", dtype=str)
        kept = frame[frame["ordered_at"] < CUTOFF] if "ordered_at" in frame else frame
        kept.to_csv(earlier / f"{name}.csv", index=False)
    out = backtested(tmp_path, earlier, config_file)
    for name in ("recommendations", "churn", "value"):
        assert (out / f"{name}.parquet").read_bytes() == (answers / f"{name}.parquet").read_bytes()
    assert json.loads((out / "metrics.json").read_text())["judged"] is False


def test_a_folder_that_is_not_empty_is_refused_without_force(answers, shop_folder, tmp_path):
    arguments = ["--cutoff", CUTOFF, "--horizon-days", "28", "--out", str(answers)]
    result = run(tmp_path, "backtest", str(shop_folder), *arguments)
    assert result.exit_code == 1
    assert "is not empty; choose another folder or add --force" in result.stderr


def test_a_customer_without_consent_is_in_no_answer(shop_folder, tmp_path):
    plain = tmp_path / "plain.toml"
    plain.write_text("panel_cutoffs = 1\n[recommenders.popularity]\n[recommenders.personal_frequency]\n")
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in small_shop.tables():
        frame = pd.read_csv(shop_folder / f"{name}.csv", dtype=str)
        if name == "customers":
            frame["consent_personalization"] = ["false" if one == "c001" else "true" for one in frame["customer_id"]]
        frame.to_csv(folder / f"{name}.csv", index=False)
    out = backtested(tmp_path, folder, str(plain))
    for name in ("recommendations", "churn", "value"):
        assert "c001" not in set(pd.read_parquet(out / f"{name}.parquet")["customer_id"])


def test_a_damaged_bundle_is_named_beside_the_others_and_mended_by_training_again(tmp_path, config_file):
    tables = tmp_path / "tables"
    tables.mkdir()
    lines = "order_id,item_id,customer_id,ordered_at\no,milk,ann,2024-01-01T00:00:00Z\n"
    (tables / "order_lines.csv").write_text(lines)
    home = tmp_path / "home"
    done(home, "ingest", str(tables))
    done(home, "train", "--config", config_file)
    version = json.loads(done(home, "models", "--json"))["current"]
    (home / "artifacts" / "versions" / version / "manifest.json").write_text("{")
    listed = run(home, "models")
    assert listed.exit_code == 0
    assert f"warning: the manifest of bundle {version} cannot be read" in listed.stderr
    done(home, "train", "--config", config_file)
    assert f"* {version}" in done(home, "models")


def test_a_training_and_a_backtest_write_their_report_as_a_page(home, answers):
    versions = sorted(path.name for path in (home / "artifacts" / "versions").iterdir())
    pages = sorted((home / "reports").glob("*.html"))
    assert [page.stem for page in pages] == versions
    assert versions[0] in pages[0].read_text()
    assert f"Backtest as of {CUTOFF}T00:00:00Z" in (answers / "report.html").read_text()
