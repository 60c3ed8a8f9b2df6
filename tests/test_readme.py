"""README shows what the program does: every command in it is run, every output compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DASK = {"--nworkers", "--nthreads"}
NUMBER = re.compile(r"[-+]?\d+\.?\d*")


def blocks(language: str) -> list[str]:
    """Fenced blocks of one language, in order."""
    return [body for name, body in FENCE.findall(README) if name == language]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample data and nothing else, as a newcomer's."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    return folder


def run(command: str, place: Path) -> str:
    """Standard output of a shell command that must succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "FORECASTER_HOME": str(place / "home"), "PATH": path}
    done = subprocess.run(
        command,
        shell=True,
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def matches(expected: str, actual: str) -> bool:
    """Whether the output is the one shown, where ``...`` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, actual.strip(), re.DOTALL) is not None


@pytest.fixture(scope="module")
def printed(place: Path) -> dict[str, str]:
    """What every command of the console blocks prints, run once and in order."""
    return {command: run(command, place) for command, _ in console_steps()}


def console_steps() -> list[tuple[str, str]]:
    """Commands of the console blocks, each with the output that README shows for it."""
    shown = "".join(blocks("console"))
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", shown, re.MULTILINE)


@pytest.mark.network
def test_every_console_block_prints_what_it_shows(printed):
    assert len(printed) >= 8
    for command, expected in console_steps():
        actual = printed[command]
        assert matches(expected, actual), f"{command}\n--- README\n{expected}\n--- now\n{actual}"


@pytest.mark.network
def test_the_python_block_runs(place):
    (code,) = blocks("python")
    script = place / "readme.py"
    script.write_text(code)
    ticker, price = run(f"{sys.executable} readme.py", place).split()
    assert ticker == "AAPL"
    assert 400 < float(price) < 460


@pytest.mark.network
def test_the_error_table_is_the_one_that_training_prints(printed):
    """Processors round differently, so numbers are compared to a few percent."""
    shown = next(b for b in blocks("") if "pinball" in b).splitlines()
    found = printed["forecast train sample_data"]
    found = found[found.index("h  model") :].splitlines()
    assert len(shown) == 6
    for ours, theirs in zip(shown, found, strict=False):
        assert NUMBER.sub("#", ours).split() == NUMBER.sub("#", theirs).split()
        for a, b in zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True):
            assert float(a) == pytest.approx(float(b), rel=0.03, abs=1.0), (ours, theirs)


def test_the_two_commands_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", blocks("")[0], re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_option_that_readme_names_exists():
    from typer.main import get_command

    from forecaster.cli.main import app, register

    register()
    group = get_command(app)
    known = {o for c in group.commands.values() for p in c.params for o in p.opts}
    known |= {o for c in group.commands.values() for p in c.params for o in p.secondary_opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {"--strict", "--help", *DASK}
    assert named <= known, named - known


def test_every_exit_code_that_readme_names_is_one():
    from forecaster import errors

    codes = {
        c.exit_code
        for c in vars(errors).values()
        if isinstance(c, type) and issubclass(c, errors.ForecastError)
    }
    table = README.split("| exit code | meaning |")[1].split("\n\n")[0]
    named = {int(n) for n in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert named == {0, 2, 3, 4, 6, 7, 8, 9, 10}
    assert named - {0} <= codes
