"""The program's name on package indexes, which is not that of its package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import forecaster
from forecaster import packages

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEXTS = [
    path
    for pattern in ("*.md", "*.toml", "Makefile", "docs/*.*", "forecaster/**/*.*", "benchmarks/*.*")
    for path in sorted(ROOT.glob(pattern))
    if path.suffix in (".md", ".py", ".toml", ".html", ".yml", ".txt", "") and path.is_file()
]


def test_is_that_of_the_project():
    assert PROJECT["name"] == packages.DISTRIBUTION
    assert set(get_args(packages.Extra)) == {*PROJECT["optional-dependencies"]} - {"dev"}


def test_both_commands_are_the_program():
    scripts = PROJECT["scripts"]
    assert set(scripts) == {"forecast", packages.DISTRIBUTION}
    assert set(scripts.values()) == {"forecaster.__main__:main"}


def test_what_is_typed_has_the_name():
    assert packages.to_install() == "pip install stock-forecaster"
    assert packages.to_install("dask") == "pip install 'stock-forecaster[dask]'"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nobody_is_told_to_install_the_other_project(path):
    """An extra of `forecaster`, or `pip install forecaster`, is something else's."""
    text = path.read_text(encoding="utf-8")
    assert re.search(r"(?<![\w-])forecaster\[", text) is None
    typed = r"(?:pip install|uvx|pipx run)[^\n`]*(?<![\w/-])forecaster(?![\w./-])"
    assert re.search(typed, text) is None


def test_the_version_is_that_of_the_package_whatever_is_installed_under_its_name(monkeypatch):
    monkeypatch.setattr(packages.metadata, "version", lambda name: "0.2")
    assert packages.installed("forecaster") == forecaster.__version__
    assert packages.installed("numpy") == "0.2"


def test_a_package_that_is_not_there_has_no_version():
    assert packages.installed("no-such-package") is None
