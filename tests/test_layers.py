"""The layers that CONTRIBUTING.md draws, held by reading the syntax trees of the package."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "forecaster"

LAYERS = (
    ("errors", "arrays"),
    ("interrupts", "paths"),
    ("machine",),
    ("atomic", "wording", "patterns", "documents", "redaction", "glossary"),
    ("packages",),
    ("market",),
    ("features",),
    ("model", "evaluation"),
    ("joint",),
    ("jobs",),
    ("output",),
    ("cli", "api"),
    ("", "__main__"),
)
"""From the lowest up. A package sees itself and the layers below, not its neighbours in its layer.

``forecaster`` itself (the Python API) and ``__main__`` stand on top.
"""

LONGEST_FILE = 350
WIDEST_PACKAGE = 18
"""Modules side by side, but for ``cli`` and ``jobs``, which have one for each command."""


@dataclass(frozen=True)
class Import:
    """One import statement.

    Attributes:
        name: the module, with dots.
        line: where.
        inside: whether it stands in a function.
        typing: whether it stands under ``if TYPE_CHECKING``.
    """

    name: str
    line: int
    inside: bool
    typing: bool = False

    @property
    def top(self) -> str:
        """The package it belongs to."""
        return self.name.partition(".")[0]


def imports(source: str, module: str = "") -> list[Import]:
    """Every import in a module, wherever it stands, with ``from x import y`` as ``x.y``."""
    found: list[Import] = []

    def visit(node: ast.AST, inside: bool, typing: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(a.name, node.lineno, inside, typing) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".")[: -node.level]
                base = ".".join([*package, *([base] if base else [])])
            found.extend(
                Import(f"{base}.{a.name}", node.lineno, inside, typing) for a in node.names
            )
        elif isinstance(node, ast.Call) and _is_import_call(node):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                found.append(Import(name.value, node.lineno, inside, typing))
        for child in ast.iter_child_nodes(node):
            visit(
                child,
                inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda),
                typing or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)),
            )

    visit(ast.parse(source), inside=False, typing=False)
    return found


def _is_import_call(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in ("import_module", "__import__")


def package_of(module: str) -> str:
    """The package of ``forecaster.package.file``, or the name of a file without a package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def sees(package: str, other: str) -> bool:
    """Whether a module in ``package`` may import one in ``other``."""
    layer = {name: height for height, names in enumerate(LAYERS) for name in names}
    return package == other or layer[other] < layer[package]


def outward(source: str, module: str) -> Iterator[str]:
    """Imports that point up or sideways."""
    for found in imports(source, module):
        if found.top != "forecaster":
            continue
        names = found.name.split(".")
        package = names[1] if len(names) > 1 else ""
        known = {name for names in LAYERS for name in names}
        package = package if package in known else ""  # `from forecaster import __version__`
        if package == "" and found.name == "forecaster.__version__":
            continue  # a constant, there before anything is imported
        if not sees(package_of(module), package):
            yield f"line {found.line}: {found.name}"


def at_home(library: str, module: str, *, inside: bool) -> bool:
    """Whether a module may import a library, at its head or ``inside`` a function."""
    package, path = package_of(module), module.removeprefix("forecaster.")
    if library in ("keras", "tensorflow", "tf2onnx", "onnx"):
        packages = (
            "model.devices", "model.network", "model.optimisation", "model.gradients",
            "model.interchange",
        )  # fmt: skip
        return inside and path in packages
    if library in ("arch", "statsmodels"):
        return inside and package == "evaluation"
    if library in ("joblib", "dask", "distributed"):
        return inside and path in ("jobs.parallel", "jobs.dask_backend")
    if library in ("matplotlib", "plotext"):
        return inside and package == "output"
    homes = {
        "yfinance": path == "market.providers.yahoo",
        "curl_cffi": path in ("market.providers.yahoo", "market.providers.yahoo_session"),
        "requests": path == "market.providers.tiingo",
        "stamina": path == "market.providers.throttle",
        "exchange_calendars": path == "market.exchanges",
        "sqlalchemy": path.startswith("market.store."),
        "rich": package == "output",
        "optuna": inside and path == "jobs.search_space",
        "prometheus_client": inside and path == "output.batch",
        "jinja2": inside and path == "output.html",
        "markupsafe": False,
        "typer": package == "cli",
        "pydantic": path
        in (
            "documents",
            "model.card",
            "model.artifact",
            "market.store.journal",
            "market.store.risk_journal",
            "jobs.backtest_document",
            "jobs.study_file",
        )
        or path.startswith("output.documents."),
        "click": False,
        "torch": False,
        "jax": False,
    }
    if library in homes:
        return homes[library]
    numpy_only = package == "features" or path in ("model.numpy_rnn", "evaluation.metrics")
    return not (numpy_only and library in ("pandas", "scipy", "pyarrow"))


def astray(source: str, module: str) -> Iterator[str]:
    """Imports of libraries outside their packages."""
    for found in imports(source, module):
        if not at_home(found.top, module, inside=found.inside) and not found.typing:
            yield f"line {found.line}: {found.name}"


def spoken(source: str) -> Iterator[str]:
    """Places that write to a stream: ``print``, and ``sys.stdout`` or ``sys.stderr``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("print", "input"):
            yield f"line {node.lineno}: {node.func.id}"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr"):
            yield f"line {node.lineno}: sys.{node.attr}"
        if isinstance(node, ast.ImportFrom) and node.module == "sys":
            yield from (
                f"line {node.lineno}: from sys import {a.name}"
                for a in node.names
                if a.name in ("stdout", "stderr")
            )


def asserted(source: str) -> Iterator[str]:
    """Assertions other than ``assert isinstance(...)``, which only tells mypy what is known."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            test = node.test
            narrows = isinstance(test, ast.Call) and getattr(test.func, "id", "") == "isinstance"
            if not narrows:
                yield f"line {node.lineno}: assert {ast.unparse(test)}"


COMMAND = re.compile(r"\b(forecast|dask|pip) [a-z-].*", re.DOTALL)
FLAG = re.compile(r"(?<![\w-])(?<!var\()--[a-z][\w-]*+(?!:)")
"""An option of the command line; not a variable of CSS, where it is set or used."""


def flags(source: str) -> Iterator[str]:
    """Options of the command line in texts and docstrings, outside of commands to type."""
    tree = ast.parse(source)
    typed = {  # the words of a command, as ("train", FILE, "--model-file", NAME)
        id(word)
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple) and node.elts and _text(node.elts[0]).isidentifier()
        for word in node.elts
    }
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if id(node) not in typed | parts:
            for flag in FLAG.findall(COMMAND.sub("", _text(node))):
                yield f"line {node.lineno}: {flag}"


def _text(node: ast.AST) -> str:
    """What a string says, with ``{}`` for what is filled in; nothing for any other node."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def module_of(path: Path) -> str:
    """``forecaster.package.file`` for a path in the package."""
    parts = ["forecaster", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


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


@each_file
def test_a_file_is_one_idea(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


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
