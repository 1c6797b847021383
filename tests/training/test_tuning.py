"""Search of settings on past windows."""

from __future__ import annotations

import tomllib

import pytest

from recommender.errors import NotEnoughData, SettingError
from tests import small_shop
from tests.training.conftest import TrainedShop, run
from training.progress import silent
from training.settings import read_settings
from training.tuning import Cell, Tried, best_of, cells_of, past_windows, read_grid, to_toml, tune, within

GRID = {
    "popularity": {"slate": "new", "tau_days": [7, 28]},
    "personal_frequency": {"slate": "all", "tau_days": [30, 120]},
}


def tried(name: str, ndcg: float | None, **keywords: float) -> Tried:
    return Tried(Cell(name, "all", keywords), ndcg)


def test_the_present_settings_are_tried_first_and_no_setting_twice():
    settings = read_settings()
    cells = cells_of(GRID, settings, seed=0)
    assert cells[:2] == [
        Cell("popularity", "new", {"tau_days": 28}),
        Cell("personal_frequency", "all", {"tau_days": 120}),
    ]
    assert {cell.keywords["tau_days"] for cell in cells[2:]} == {7, 30}
    assert cells == cells_of(GRID, settings, seed=0)


def test_a_budget_of_cells_ends_the_search():
    cells = cells_of(GRID, read_settings(), seed=0)
    assert list(within(cells, at_most=3, minutes=None)) == cells[:3]
    assert list(within(cells, at_most=None, minutes=60)) == cells


def test_the_best_of_each_recommender_counts_and_of_equals_the_first():
    first, worse, failed = tried("a", 0.5, x=1), tried("a", 0.4, x=2), tried("b", None)
    assert best_of([first, worse, tried("a", 0.5, x=3), failed]) == {"a": first}


def test_what_is_written_is_what_train_reads(tmp_path):
    settings = read_settings()
    best = {"personal_frequency": tried("personal_frequency", 0.4, tau_days=60)}
    file = tmp_path / "tuned.toml"
    file.write_text(to_toml(settings, best))
    read = read_settings(tuned=file)
    assert read.recommenders["personal_frequency"] == {"tau_days": 60}
    assert read.recommenders["popularity"] == settings.recommenders["popularity"]
    assert read_settings(tuned=tmp_path / "nothing.toml") == settings


def test_settings_are_tried_on_windows_that_end_by_the_instant(trained_shop: TrainedShop):
    found = tune(
        trained_shop.history,
        read_settings(),
        GRID,
        as_of=small_shop.END,
        budget=lambda cells: within(cells, at_most=None, minutes=None),
        seed=0,
        steps=silent,
    )
    assert len(found) == 4
    assert all(0 < one.ndcg <= 1 for one in found)
    windows = past_windows(trained_shop.history, read_settings(), as_of=small_shop.END, seed=0)
    assert all((window.past.age_days > 0).all() for window in windows)


def test_a_setting_that_fails_is_told_and_the_others_go_on(trained_shop: TrainedShop):
    grid = {"lightfm_hybrid": {"slate": "new", "learning_rate": [1e30], "epochs": [20]}, **GRID}
    settings = read_settings(recommenders={"popularity": {}, "personal_frequency": {}, "lightfm_hybrid": {}})
    wanted = [cell for cell in cells_of(grid, settings, seed=0) if cell.keywords]
    found = tune(
        trained_shop.history,
        settings,
        grid,
        as_of=small_shop.END,
        budget=lambda cells: (cell for cell in cells if cell in wanted),
        seed=0,
        steps=silent,
    )
    problems = [one.problem for one in found if one.ndcg is None]
    assert len(problems) == 1
    assert "LightFM diverged" in problems[0]


def test_without_a_past_window_there_is_nothing_to_tune_on(trained_shop: TrainedShop):
    with pytest.raises(NotEnoughData, match="no purchase of a known customer"):
        past_windows(trained_shop.history, read_settings(), as_of=small_shop.START, seed=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[magic]\nslate = 'all'", "there is no recommender 'magic'"),
        ("[popularity]\ntau_days = [1]", "popularity needs a slate"),
        ("[popularity]\nslate = 'new'\ntau_days = 1", "popularity.tau_days is not a list"),
        ("[popularity", "cannot be read"),
    ],
)
def test_a_grid_that_cannot_be_used_is_refused_by_name(tmp_path, text, message):
    file = tmp_path / "grid.toml"
    file.write_text(text)
    with pytest.raises(SettingError, match=message):
        read_grid(file)


def test_the_command_writes_what_it_found_and_train_takes_it_up(tmp_path, shop_folder):
    home = tmp_path / "home"
    assert run(home, "ingest", str(shop_folder)).exit_code == 0
    grid = tmp_path / "grid.toml"
    grid.write_text("[personal_frequency]\nslate = 'all'\ntau_days = [1, 300]\n")
    result = run(home, "tune", "--grid", str(grid), "--cells", "2")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("NDCG@10") == 2
    written = tomllib.loads((home / "tuned.toml").read_text())
    assert "personal_frequency" in written["recommenders"]
