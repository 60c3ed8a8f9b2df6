"""README shows what the program does: every command in it is run, every output compared."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from yahoo_server import YahooServer

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DASK = {"--nworkers", "--nthreads"}
NUMBER = re.compile(r"[-+]?\d+\.?\d*")


YAHOO = YahooServer()
"""Stands in for the internet: README's tickers are fetched from this machine."""


@pytest.fixture(scope="module", autouse=True)
def _yahoo() -> Iterator[None]:
    with YAHOO:
        yield


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
    environment["FORECASTER_YAHOO_URL"] = YAHOO.url
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
    commands = [group, *group.commands.values()]
    commands += [c for g in commands for c in getattr(g, "commands", {}).values()]
    known = {o for c in commands for p in c.params for o in (*p.opts, *p.secondary_opts)}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {"--strict", "--help", *DASK}
    assert named <= known, named - known


def commands_of_nightly() -> list[list[str]]:
    """The command lines of the crontab, the service and the image, without the program."""
    (cron,), (image,) = blocks("cron"), blocks("dockerfile")
    service = unit(blocks("ini")[0])["Service"]
    lines = [
        re.search(r"&& \S*/forecast (.*)", cron)[1],
        re.fullmatch(r"\S*/forecast (.*)", service["ExecStart"])[1],
    ]
    words = json.loads(re.search(r"^CMD (.*)$", image, re.MULTILINE)[1])
    return [*map(shlex.split, lines), words]


def unit(text: str) -> configparser.ConfigParser:
    """A systemd unit."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=["="])
    parser.optionxform = str
    parser.read_string(text)
    return parser


def test_the_nightly_commands_are_commands():
    from typer.main import get_command

    from forecaster.cli.main import app, register

    register()
    group = get_command(app)
    found = commands_of_nightly()
    assert len(found) == 3
    for name, *arguments in found:
        given = group.commands[name].make_context(name, arguments).params
        assert (given["quiet"], given["wait"]) == (True, 600)
        assert given["watchlist"] == ["watchlist.txt"]
        assert (given["out"], str(given["summary"])) == ("forecasts.csv", "summary.json")


def test_every_variable_that_readme_names_is_a_setting(monkeypatch):
    from typer.main import get_command

    from forecaster.cli import configuration
    from forecaster.cli.main import app, register

    register()
    options = configuration.options_of(get_command(app))
    named = set(re.findall(r"\bFORECASTER_[A-Z_]*[A-Z]\b", README))
    assert len(named) >= 9
    for name in named:
        monkeypatch.setenv(name, "1")
    assert list(configuration.strangers(options)) == []


def test_the_settings_example_is_read_whole(place):
    (text,) = blocks("toml")
    file = place / "example.toml"
    file.write_text(text)
    shown = run(f"FORECASTER_CONFIG={file} forecast config show --format json", place)
    found = {s["key"]: s["value"] for s in json.loads(shown)["settings"] if s["source"] == "file"}
    expected = {}
    for key, value in tomllib.loads(text).items():
        if not isinstance(value, dict):
            expected[key] = str(value)
            continue
        for inner, deep in value.items():
            pairs = deep.items() if isinstance(deep, dict) else [(None, deep)]
            for last, one in pairs:
                expected[".".join(filter(None, (key, inner, last)))] = str(one)
    del expected["home"]  # the variable is set
    expected["batch.wait"] = "600.0"
    assert found == expected


def test_the_units_are_what_systemd_reads(tmp_path):
    service, timer = map(unit, blocks("ini"))
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Install"]["WantedBy"] == "timers.target"
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not here")
    when = timer["Timer"]["OnCalendar"]
    subprocess.run(["systemd-analyze", "calendar", when], check=True, capture_output=True)
    program = shutil.which("true")
    bodies = [re.sub(r"(?<=ExecStart=)\S+", str(program), body) for body in blocks("ini")]
    files = [tmp_path / "forecast.service", tmp_path / "forecast.timer"]
    for file, body in zip(files, bodies, strict=True):
        file.write_text(body)
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    about_ours = [line for line in done.stderr.splitlines() if "forecast." in line]
    assert about_ours == [], done.stderr


def test_the_container_keeps_what_it_makes_and_is_not_root():
    (image,), (compose,) = blocks("dockerfile"), blocks("yaml")
    words = [line.split(maxsplit=1) for line in image.splitlines()]
    assert {w for w, _ in words} <= {
        "FROM", "ENV", "COPY", "RUN", "USER", "WORKDIR", "VOLUME", "ENTRYPOINT", "CMD"
    }  # fmt: skip
    said = dict(words)
    assert said["USER"] == "forecast"
    assert said["VOLUME"] == said["WORKDIR"] == "/data"
    assert "FORECASTER_HOME=/data" in image
    service = pytest.importorskip("yaml").safe_load(compose)["services"]["forecast"]
    assert f"useradd -m -u {service['user']} " in image
    assert "forecasts:/data" in service["volumes"]


def test_every_exit_code_that_readme_names_is_one():
    from forecaster import errors

    codes = {
        c.exit_code
        for c in vars(errors).values()
        if isinstance(c, type) and issubclass(c, errors.ForecastError)
    }
    table = README.split("| exit code | meaning |")[1].split("\n\n")[0]
    named = {int(n) for n in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert named == {0, 2, 3, 4, 5, 6, 7, 8, 9, 10}
    assert named - {0} <= codes
