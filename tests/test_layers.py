"""The layers that CONTRIBUTING.md draws, held by reading the syntax trees of the package."""

from __future__ import annotations

from collections import Counter

import pytest
from layer_rules import (
    LAYERS,
    LONGEST_FILE,
    ROOT,
    WIDEST_PACKAGE,
    asserted,
    astray,
    flags,
    module_of,
    outward,
    package_of,
    spoken,
)

FILES = sorted(ROOT.rglob("*.py"))
each_file = pytest.mark.parametrize("path", FILES, ids=[module_of(p) for p in FILES])


@each_file
def test_imports_point_down(path):
    assert list(outward(path.read_text(), module_of(path))) == []


@each_file
def test_libraries_stay_in_their_packages(path):
    assert list(astray(path.read_text(), module_of(path))) == []


@each_file
def test_nothing_is_asserted_that_a_user_can_cause(path):
    assert list(asserted(path.read_text())) == []


def test_a_file_is_one_idea():
    folders = (ROOT, ROOT.parent / "tests", ROOT.parent / "benchmarks")
    lengths = {p: len(p.read_text().splitlines()) for at in folders for p in at.rglob("*.py")}
    assert [str(path) for path, length in lengths.items() if length > LONGEST_FILE] == []


@each_file
def test_only_output_and_cli_speak(path):
    # what starts Keras holds back what TensorFlow writes to descriptor 2, and flushes before
    package = package_of(module_of(path))
    if package in ("output", "cli") or module_of(path) == "forecaster.model.devices":
        return
    assert list(spoken(path.read_text())) == []


COMMANDS = ("cli", "jobs", "output")
"""Packages with a module for each command, of the command's name."""

SHARED_NAMES = {
    "bars": {"market", "market.store"},
    "calendars": {"market", "market.store"},
    "journal": {"market.store", "output"},
    "gradients": {"model", *COMMANDS},
    "backtest": {*COMMANDS, "output.charts"},
}
"""Names that several packages use for one thing: what it is, how it is stored, how it is shown."""


def test_a_module_s_name_stands_for_one_thing():
    packages: dict[str, set[str]] = {}
    for path in FILES:
        package, _, name = module_of(path).removeprefix("forecaster.").rpartition(".")
        if path.stem != "__init__":
            packages.setdefault(name, set()).add(package)
    twice = {
        name: where
        for name, where in packages.items()
        if len(where) > 1 and not where <= SHARED_NAMES.get(name, set(COMMANDS))
    }
    assert twice == {}


def test_a_package_can_be_looked_over():
    widths = Counter(path.parent for path in FILES if path.stem != "__init__")
    commands = {ROOT / "cli", ROOT / "jobs", ROOT / "output"}  # a file for each command
    assert {p.name: n for p, n in widths.items() if n > WIDEST_PACKAGE and p not in commands} == {}


@each_file
def test_only_cli_knows_flags(path):
    if package_of(module_of(path)) != "cli":
        assert list(flags(path.read_text())) == []


def test_every_package_has_a_layer():
    packages = {package_of(module_of(path)) for path in FILES}
    assert packages <= {name for names in LAYERS for name in names}
    assert len(FILES) > 40


class TestTheRulesThemselves:
    """A rule that nothing can break holds nothing."""

    @pytest.mark.parametrize(
        ("module", "line"),
        [
            ("forecaster.market.bars", "from forecaster.features import scaling"),
            ("forecaster.market.bars", "import forecaster.model.artifact"),
            ("forecaster.features.scaling", "from forecaster import model"),
            ("forecaster.features.scaling", "from ..model import artifact"),
            ("forecaster.model.training", "from forecaster.evaluation.metrics import pinball"),
            ("forecaster.evaluation.folds", "from forecaster.model import settings"),
            ("forecaster.model.artifact", "def f():\n    from forecaster.jobs import train"),
            ("forecaster.jobs.train", "from forecaster.output import tables"),
            ("forecaster.jobs.train", "if TYPE_CHECKING:\n    import forecaster.cli.main"),
            ("forecaster.output.tables", "import_module('forecaster.cli.main')"),
            ("forecaster.paths", "from forecaster.market.bars import History"),
            ("forecaster.errors", "from forecaster.paths import home"),
            ("forecaster.cli.main", "from forecaster import train"),
        ],
    )
    def test_an_import_upwards_is_seen(self, module, line):
        assert len(list(outward(line, module))) == 1

    @pytest.mark.parametrize(
        ("module", "line"),
        [
            ("forecaster.cli.main", "from forecaster import __version__"),
            ("forecaster.paths", "from forecaster.errors import LockHeld"),
            ("forecaster.jobs.train", "from forecaster.model.artifact import Model"),
            ("forecaster.features.scaling", "from .volatility import measure"),
            ("forecaster.__main__", "from forecaster.cli.main import main"),
        ],
    )
    def test_an_import_downwards_is_fine(self, module, line):
        assert list(outward(line, module)) == []

    @pytest.mark.parametrize(
        ("module", "line"),
        [
            ("forecaster.model.network", "import keras"),
            ("forecaster.model.training", "def f():\n    import keras"),
            ("forecaster.jobs.train", "def f():\n    from tensorflow import nn"),
            ("forecaster.evaluation.baselines.garch", "from arch import arch_model"),
            ("forecaster.jobs.backtest", "def f():\n    import statsmodels.api"),
            ("forecaster.market.files", "def f():\n    import yfinance"),
            ("forecaster.market.files", "import sqlalchemy"),
            ("forecaster.jobs.parallel", "import joblib"),
            ("forecaster.jobs.backtest", "def f():\n    from joblib import Parallel"),
            ("forecaster.cli.backtest", "def f():\n    from dask.distributed import Client"),
            ("forecaster.jobs.worker", "import distributed"),
            ("forecaster.jobs.tune", "def f():\n    import optuna"),
            ("forecaster.jobs.search_space", "import optuna"),
            ("forecaster.jobs.train", "from rich.table import Table"),
            ("forecaster.output.tables", "import typer"),
            ("forecaster.output.charts", "from matplotlib.figure import Figure"),
            ("forecaster.jobs.fan_chart", "def f():\n    import matplotlib"),
            ("forecaster.output.html", "from jinja2 import Environment"),
            ("forecaster.output.report.page", "def f():\n    from jinja2 import Template"),
            ("forecaster.cli.plot", "def f():\n    import plotext"),
            ("forecaster.cli.main", "import click"),
            ("forecaster.features.scaling", "import pandas as pd"),
            ("forecaster.model.numpy_rnn", "def f():\n    import pandas"),
            ("forecaster.evaluation.metrics", "from scipy import stats"),
            ("forecaster.evaluation.metrics", "importlib.import_module('pandas')"),
        ],
    )
    def test_a_library_outside_its_package_is_seen(self, module, line):
        assert len(list(astray(line, module))) == 1

    @pytest.mark.parametrize(
        ("module", "line"),
        [
            ("forecaster.model.network", "def f():\n    import keras"),
            ("forecaster.evaluation.baselines.garch", "def f():\n    from arch import arch_model"),
            ("forecaster.market.providers.yahoo", "import yfinance"),
            ("forecaster.jobs.parallel", "def f():\n    import joblib"),
            ("forecaster.output.charts.figure", "def f():\n    import matplotlib"),
            ("forecaster.output.html", "def f():\n    import jinja2"),
            ("forecaster.features.scaling", "import numpy as np"),
        ],
    )
    def test_a_library_in_its_package_is_fine(self, module, line):
        assert list(astray(line, module)) == []

    @pytest.mark.parametrize(
        "line", ["print(1)", "sys.stdout.write('')", "x = sys.stderr", "from sys import stdout"]
    )
    def test_speaking_is_heard(self, line):
        assert len(list(spoken(line))) == 1

    @pytest.mark.parametrize(
        "line",
        [
            'raise SettingsError("Change --units.")',
            'f"{name}: give a later" f" --train-end, {name}"',
            "f\"{parameter('folds')} is {n} (--folds)\"",
            '"Add --horizon 5 to: forecast predict FILE --horizon 5"',
            'def f():\n    """As ``--device`` says."""',
            '("Add --units",)',
        ],
    )
    def test_a_flag_is_seen(self, line):
        assert len(list(flags(line))) == 1

    @pytest.mark.parametrize(
        "line",
        [
            '"Make one with: forecast backtest FILE --format json --output FILE"',
            'f"Start one with: dask worker {address} --nthreads 1"',
            '("train", SAMPLE, "--model-file", "demo.forecast")',
            '":root { --ink: #111; } p { color: var(--ink); }"',
            '"a -- b"',
            "x = 1  # as --units says",
        ],
    )
    def test_a_whole_command_is_no_flag(self, line):
        assert list(flags(line)) == []

    def test_assertions_are_seen(self):
        assert len(list(asserted("assert x > 0"))) == 1
        assert len(list(asserted("assert isinstance(x, int) and x > 0"))) == 1
        assert list(asserted("assert isinstance(x, int)")) == []
