"""What the Dockerfile says; `make installs` does what it says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import dockerfile
import pytest
from commands import program
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("forecast-only", "full")


def test_the_base_is_pinned_to_a_python_that_the_project_supports():
    (base,) = {s.base for s in dockerfile.stages().values()} - set(dockerfile.stages())
    version = re.fullmatch(r"python:(\d+\.\d+\.\d+)-slim-[a-z]+", base)[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert version in SpecifierSet(project["requires-python"])


@pytest.mark.parametrize("target", TARGETS)
class TestTarget:
    def test_is_not_root(self, target):
        assert dockerfile.steps_of(target)[-1] == ("USER", "forecast")
        made = next(said for word, said in dockerfile.steps_of(target) if word == "RUN")
        assert re.match(r"useradd .*--uid \d{4,} forecast && ", made)

    def test_keeps_everything_in_its_volume(self, target):
        assert dockerfile.last(target, "VOLUME") == dockerfile.last(target, "WORKDIR") == "/data"
        assert "FORECASTER_HOME=/data " in dockerfile.last(target, "ENV")

    def test_says_how_it_is_by_a_command_that_is_one(self, target):
        name, *rest = dockerfile.words(target, "HEALTHCHECK")
        assert name == "forecast"
        given = program().commands[rest[0]].make_context(rest[0], rest[1:]).params
        assert given["quick"] is True

    def test_runs_a_batch_unless_it_is_told_something_else(self, target):
        assert dockerfile.words(target, "ENTRYPOINT") == ["forecast"]
        name, *rest = dockerfile.words(target, "CMD")
        given = program().commands[name].make_context(name, rest).params
        assert (given["quiet"], str(given["metrics"])) == (True, "forecast.prom")

    def test_has_the_versions_that_are_pinned(self, target):
        installs = [s for w, s in dockerfile.steps_of(target) if w == "RUN" and "pip install" in s]
        assert "/tmp/pinned.txt" in installs[0]
        assert ("COPY", "requirements/forecast-only.txt /tmp/pinned.txt") in dockerfile.steps_of(
            target
        )


def test_nothing_of_git_or_of_an_environment_is_sent_to_the_builder():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv*", "build", "dist"} <= set(ignored)
    needed = {"forecaster", "sample_data", "requirements", "pyproject.toml", "README.md", "LICENSE"}
    assert not needed & set(ignored)
