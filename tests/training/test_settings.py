"""Settings of a training: what a file adds to the defaults, and how it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from recommender.errors import SettingError, UnknownName
from training.settings import read_settings


def settings_from(folder: Path, text: str):
    file = folder / "settings.toml"
    file.write_text(text)
    return read_settings(file)


def test_a_keyword_of_one_recommender_keeps_the_others_and_its_other_keywords(tmp_path):
    settings = settings_from(tmp_path, "[recommenders.ease]\nregularisation = 100.0\n")
    assert settings.recommenders["ease"] == {"most_items": 5000, "regularisation": 100.0}
    assert set(settings.recommenders) == set(read_settings().recommenders)


def test_a_recommender_is_taken_away_by_false_from_the_generators_too(tmp_path):
    settings = settings_from(tmp_path, "[recommenders]\nease = false\n")
    assert "ease" not in settings.recommenders
    assert "ease" not in settings.generators


def test_what_lists_are_judged_against_cannot_be_taken_away(tmp_path):
    settings = settings_from(tmp_path, "[recommenders]\npopularity = false\npersonal_frequency = false\n")
    assert {"popularity", "personal_frequency"} <= set(settings.recommenders)


def test_what_was_tuned_stands_over_the_defaults_and_the_file_over_that(tmp_path):
    tuned, file = tmp_path / "tuned.toml", tmp_path / "settings.toml"
    tuned.write_text("[recommenders.als]\nfactors = 8\niterations = 3\n")
    file.write_text("[recommenders.als]\nfactors = 16\n")
    assert read_settings(file, tuned=tuned).recommenders["als"] == {"factors": 16, "iterations": 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[recommenders.eaze]\n", "there is no recommender 'eaze'"),
        ("[recommenders.ease]\nmost_itmes = 1\n", "there is no keyword of the recommender ease 'most_itmes'"),
        ("horizon_dais = 3\n", "unknown key 'horizon_dais'"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_those_that_do(tmp_path, text, said):
    with pytest.raises((UnknownName, SettingError), match=said):
        settings_from(tmp_path, text)


def test_keywords_that_are_no_table_are_refused(tmp_path):
    with pytest.raises(SettingError, match=r"recommenders\.ease is 5; give a table of keywords, or false for none"):
        settings_from(tmp_path, "[recommenders]\nease = 5\n")


def test_what_leaving_means_is_read_from_the_file_with_the_windows_of_the_training(tmp_path):
    text = """
    activity_days = 90
    [churn]
    outcome = "spend_drop"
    [churn_also.silent]
    outcome = "no_event"
    event_kind = "view"
    horizon_days = 7
    """
    settings = settings_from(tmp_path, text)
    assert settings.churn is not None
    assert (settings.churn.outcome, settings.churn.horizon_days, settings.churn.activity_days) == ("spend_drop", 28, 90)
    silent = settings.churn_also["silent"]
    assert (silent.name, silent.event_kind, silent.horizon_days) == ("silent", "view", 7)
    assert read_settings().churn is None


def test_the_horizon_of_a_backtest_is_that_of_the_main_definition_too(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('[churn]\noutcome = "no_order"\nhorizon_days = 90\n')
    settings = read_settings(file, horizon_days=56)
    assert settings.churn is not None
    assert settings.churn.horizon_days == 56


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[churn]\noutcom = "no_order"\n', r"there is no key of \[churn\] 'outcom'"),
        ("[churn]\nhorizon_days = 90\n", r"\[churn\] has no outcome; say what leaving is"),
        ('[churn]\noutcome = "left"\n', "outcome is 'left'; it must be one of"),
        ('churn = "no_order"\n', "churn is 'no_order'; give a table"),
        ('churn_also = "no_order"\n', "churn_also is 'no_order'; give a table"),
        ('[churn_also.churn]\noutcome = "no_order"\n', "has the name of the main definition"),
        ('[churn_also.a]\nname = "b"\noutcome = "no_order"\n', r"there is no key of \[churn_also.a\] 'name'"),
    ],
)
def test_a_definition_of_churn_that_cannot_be_used_is_refused_by_name(tmp_path, text, said):
    with pytest.raises((UnknownName, SettingError), match=said):
        settings_from(tmp_path, text)


def test_treatments_of_a_file_stand_over_the_default_ladder(tmp_path):
    text = "[treatments]\nholdout_share = 0.2\n[treatments.ladder.offer]\ncost = 5\n"
    policy = settings_from(tmp_path, text).treatments
    assert policy.holdout_share == 0.2
    assert [(one.name, one.cost) for one in policy.ladder if one.cost] == [("offer", 5)]


def test_an_unknown_key_of_a_treatment_is_refused_by_name(tmp_path):
    with pytest.raises(SettingError, match=r"treatments\.ladder\.offer: unknown key 'price'; known are cost"):
        settings_from(tmp_path, "[treatments.ladder.offer]\nprice = 5\n")
