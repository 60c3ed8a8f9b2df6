"""Rules of the package's layers: what breaks them in a source, by its syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
    read_elsewhere = typed | parts
    for node in ast.walk(tree):
        if id(node) not in read_elsewhere:
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
