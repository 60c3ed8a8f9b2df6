"""The Dockerfile, step by step, in a virtual environment in place of a container.

Its absolute paths are folders of the test's own, and who it makes is the user that runs the test.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from fnmatch import fnmatch
from pathlib import Path

import dockerfile
import environments
import pytest
from environments import ROOT, Installed

pytestmark = pytest.mark.installs

OURS = re.compile(r"(?<![\w./-])/(?=(?:data|dist|src|tmp)\b)")
"""Where a path of the image begins."""


class Image:
    """What the steps of a target have made.

    Attributes:
        root: stands for the image's ``/``.
        inside: the environment that its commands run in.
        said: variables that it sets.
    """

    def __init__(self, root: Path, inside: Installed) -> None:
        self.root, self.inside = root, inside
        self.said: dict[str, str] = {}
        tools = root / "tools"
        tools.mkdir(parents=True)
        (root / "tmp").mkdir()
        pip = f'exec {sys.executable} -m pip --python {inside.programs}/python "$@"'
        for name, body in {"pip": pip, "useradd": "true", "chown": "true"}.items():
            (tools / name).write_text(f"#!/bin/sh\n{body}\n")
            (tools / name).chmod(0o755)

    def step(self, word: str, said: str) -> None:
        """Do an instruction."""
        if word == "RUN":
            path = os.pathsep.join(
                (f"{self.root}/tools", str(self.inside.programs), os.environ["PATH"])
            )
            environments.checked(
                ["sh", "-ec", self.here(said)], self.root, PATH=path, **self.variables()
            )
        elif word == "ENV":
            self.said |= dict(pair.split("=", 1) for pair in said.split())
        elif word == "COPY" and not said.startswith("--from"):
            source, place = said.split()
            copied(ROOT / source, Path(self.here(place)))

    def here(self, said: str) -> str:
        """The words with the image's paths."""
        return OURS.sub(f"{self.root}/", said)

    def variables(self) -> dict[str, str]:
        """The variables, with the image's paths."""
        return {name: self.here(value) for name, value in self.said.items()}

    def run(self, words: list[str], **more: str) -> environments.Done:
        """A command in the working folder of the image, without a network."""
        path = f"{self.inside.programs}{os.pathsep}{os.environ['PATH']}"
        variables = {**self.variables(), "PATH": path, **more}
        command = [*environments.without_network(), *words]
        return environments.checked(command, self.root / "data", **variables)


def copied(source: Path, place: Path) -> None:
    """Copy as the builder does, without what it does not get to see."""
    ignored = (ROOT / ".dockerignore").read_text().split("\n")

    def unseen(folder: str, names: list[str]) -> list[str]:
        top = Path(folder) == ROOT
        return [
            n for n in names if n == "__pycache__" or (top and any(fnmatch(n, p) for p in ignored))
        ]

    if source.is_dir():
        shutil.copytree(source, place, ignore=unseen)
    else:
        shutil.copy(source, place)


@pytest.fixture(scope="module", params=["forecast-only", "full"])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Each target; the full one in an environment that has TensorFlow already."""
    folder = tmp_path_factory.mktemp("image")
    if request.param == "full":
        inside = request.getfixturevalue("full")
    else:
        inside = environments.environment(folder / "venv")
    made = Image(folder / "root", inside)
    for stage in ("base", "wheel", request.param):
        for step in dockerfile.stages()[stage].steps:
            made.step(*step)
    return made


def test_it_is_healthy(image):
    told = json.loads(image.run(dockerfile.words("base", "HEALTHCHECK")).stdout)
    assert told["ok"] is True


def test_it_makes_a_batch_and_keeps_it_in_the_volume(image):
    data = image.root / "data"
    sample = ROOT / "sample_data" / "FB.csv"
    command = [*dockerfile.words("base", "ENTRYPOINT")]
    image.run([*command, "data", "import", str(sample), "--calendar", "XNYS", "--replace"])
    (data / "watchlist.txt").write_text("FB\n")
    settings = {"FORECASTER_OFFLINE": "1", "FORECASTER_BATCH_MAX_AGE": "100000"}
    image.run([*command, *dockerfile.words("base", "CMD")], **settings)
    assert "FB,2013-03-01" in (data / "forecasts.csv").read_text()
    assert json.loads((data / "summary.json").read_text())["exit_code"] == 0
    assert "forecast_batch_forecasts 1.0" in (data / "forecast.prom").read_text()
    assert (data / "prices.db").is_file()
