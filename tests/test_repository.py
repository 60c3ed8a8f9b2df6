"""What a host of repositories reads: the workflow, the hooks, the forms of issues."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FILES = [
    *sorted((ROOT / ".github").rglob("*.y*ml")),
    ROOT / ".pre-commit-config.yaml",
]
FORMS = [path for path in FILES if path.parent.name == "ISSUE_TEMPLATE" and path.stem != "config"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
JOBS = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_is_yaml(path):
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    return job["steps"]


@pytest.mark.parametrize("name", JOBS)
def test_what_a_job_runs_is_a_target_of_make(name):
    makefile = (ROOT / "Makefile").read_text()
    ran = [step["run"] for step in steps(JOBS[name]) if "run" in step]
    assert ran
    for command in ran:
        target = re.fullmatch(r"make ([\w-]+) PYTHON=python", command)[1]
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_between_them_they_check_everything():
    ran = " ".join(step.get("run", "") for job in JOBS.values() for step in steps(job))
    assert {
        f"make {name}" for name in ("test", "pages", "processes", "docs", "wheel", "installs")
    } <= {" ".join(command) for command in re.findall(r"(make) ([\w-]+)", ran)}


@pytest.mark.parametrize("name", ["test", "wheel"])
def test_every_python_that_the_project_names_is_tried(name):
    named = {c.split(" :: ")[-1] for c in PROJECT["classifiers"] if "Python :: 3." in c}
    assert set(JOBS[name]["strategy"]["matrix"]["python"]) == named


def test_actions_and_hooks_are_pinned():
    used = [step["uses"] for job in JOBS.values() for step in steps(job) if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in used)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    pinned = [repo["rev"] for repo in hooks if repo["repo"] != "local"]
    assert len(pinned) == 2
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", version) for version in pinned)


def test_the_job_may_only_read():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_each_form_asks_for_what_doctor_says(path):
    form = yaml.safe_load(path.read_text())
    assert {"name", "description", "body"} <= set(form)
    fields = {field["id"]: field for field in form["body"]}
    assert len(fields) == len(form["body"])
    assert "forecast doctor" in fields["doctor"]["attributes"]["label"]
    assert fields["doctor"]["validations"]["required"] is True
