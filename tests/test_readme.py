"""README and docs show what the program does: every command is run, every output compared."""

from __future__ import annotations

import configparser
import contextlib
import functools
import html
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from commands import here, program
from yahoo_server import YahooServer

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
IMAGE = (ROOT / "Dockerfile").read_text()
README, EVERYTHING = PAGES["README.md"], "\n".join(PAGES.values())
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OF_OTHERS = {
    "--nworkers",
    "--nthreads",
    "--no-deps",
    "--no-compile",
    "--tag",
    "--rm",
    "--volume",
    "--target",
}
"""Options of dask, pip and docker."""
NUMBER = re.compile(r"[-+]?\d+\.?\d*")
RUN_SOMEWHERE = {"", "console", "cron", "ini", "python", "toml", "yaml"}
"""Languages of blocks that some test here runs or reads."""


YAHOO: list[YahooServer] = []
"""Stands in for the internet: README's tickers are fetched from this machine, the last of these."""


@pytest.fixture(scope="module", autouse=True)
def _yahoo() -> Iterator[None]:
    with YahooServer() as server:
        YAHOO.append(server)
        yield


def blocks(language: str, page: str = EVERYTHING) -> list[str]:
    """Fenced blocks of one language, in order."""
    return [body for name, body in FENCE.findall(page) if name == language]


def test_every_block_is_of_a_kind_that_is_tested():
    assert {name for name, _ in FENCE.findall(EVERYTHING)} <= RUN_SOMEWHERE


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Folders with the sample data and nothing else, a new one for each call."""

    def folder() -> Path:
        made = tmp_path_factory.mktemp("newcomer")
        shutil.copytree(ROOT / "sample_data", made / "sample_data")
        return made

    return folder


@pytest.fixture
def place(newcomer: Callable[[], Path]) -> Path:
    """Such a folder."""
    return newcomer()


def run(command: str, place: Path) -> str:
    """Standard output of a shell command that must succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "FORECASTER_HOME": str(place / "home"), "PATH": path}
    environment |= {"FORECASTER_YAHOO_URL": YAHOO[-1].url, "FORECASTER_DEADLINE": "30"}
    environment |= {"FORECASTER_BATCH_MAX_AGE": "100000"}  # the stand-in's market ended in 2024
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


def console_steps(page: str) -> list[tuple[str, str]]:
    """Commands of a page's console blocks, each with the output that is shown for it."""
    shown = "".join(blocks("console", page))
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", shown, re.MULTILINE)


@pytest.fixture(scope="module")
def printed(newcomer: Callable[[], Path]) -> Callable[[str], list[tuple[str, str, str]]]:
    """Commands of a page, what it shows, and what they print: in order, in a folder of its own."""

    @functools.cache
    def of(page: str) -> list[tuple[str, str, str]]:
        place = newcomer()
        return [
            (command, shown, (trained if TRAINS.match(command) else run)(command, place))
            for command, shown in console_steps(page)
        ]

    return of


TRAINS = re.compile(
    r"forecast (train|compare|tune|gradients|backtest(?!.*--model)) (?!.*--workers)"
)
"""Commands that load TensorFlow, which this process does once for all of them."""


def trained(command: str, place: Path) -> str:
    """Standard output of one of those, run in this process."""
    with contextlib.chdir(place):
        done = here(*shlex.split(command)[1:], FORECASTER_HOME=str(place / "home"))
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


@pytest.mark.network
def test_every_console_block_prints_what_it_shows(printed):
    for command, expected, actual in printed(README):
        assert matches(expected, actual), f"{command}\n{expected}\n--- now\n{actual}"


@pytest.mark.network
def test_the_error_table_is_the_one_that_training_prints(printed):
    """Processors round differently, so numbers are compared to a few percent."""
    shown = next(b for b in blocks("", README) if "pinball" in b).splitlines()
    found = next(out for c, _, out in printed(README) if c.startswith("forecast train sample_data"))
    found = found[found.index("h  model") :].splitlines()
    assert len(shown) == 7
    for ours, theirs in zip(shown, found, strict=False):
        assert NUMBER.sub("#", ours).split() == NUMBER.sub("#", theirs).split()
        for a, b in zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True):
            assert float(a) == pytest.approx(float(b), rel=0.03, abs=1.0), (ours, theirs)


def test_its_figures_of_accuracy_are_those_of_the_results():
    shown, measured = (figures(page) for page in (README, PAGES["docs/results.md"]))
    assert len(shown) > 5
    for row, cells in shown.items():
        assert cells.items() <= measured[row].items(), row


def figures(page: str) -> dict[tuple[str, str], dict[str, str]]:
    """The first table with skills, by step and model."""
    table = page[page.index("| h | model |") :].partition("\n\n")[0].splitlines()
    names, _, *rows = ([cell.strip() for cell in row.split("|")[1:-1]] for row in table)
    names = ["won" if name == "won: garch" else name for name in names]
    return {(row[0], row[1]): dict(zip(names, row, strict=True)) for row in rows}


LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name):
    folder = (ROOT / name).parent
    for target in LINK.findall(PAGES[name]):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (folder / path).resolve() if path else ROOT / name
        assert found.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in heads}


def test_the_terminal_picture_shows_what_the_commands_print(monkeypatch):
    """Processors round differently, so prices are compared to a thousandth."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    import make_pictures

    drawn = (ROOT / "docs/pictures/terminal.svg").read_text()
    shown = [html.unescape(text) for text in re.findall(r">([^<]*)</text>", drawn)]
    fresh = make_pictures.as_svg(make_pictures.terminal_lines())
    now = [html.unescape(text) for text in re.findall(r">([^<]*)</text>", fresh)]
    numbers = [list(map(float, NUMBER.findall(" ".join(texts)))) for texts in (shown, now)]
    assert len(shown) > 40
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-3)
    words = [[t for t in texts if re.search(r"[\d⠀-⣿░▒]", t) is None] for texts in (shown, now)]
    assert words[0] == words[1]


def test_the_two_commands_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", blocks("", README)[0], re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_option_that_is_named_exists():
    group = program()
    commands = [group, *group.commands.values()]
    commands += [c for g in commands for c in getattr(g, "commands", {}).values()]
    known = {o for c in commands for p in c.params for o in (*p.opts, *p.secondary_opts)}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", EVERYTHING)) - {
        "--strict",
        "--help",
        *OF_OTHERS,
    }
    assert named <= known, named - known


def commands_of_nightly() -> list[list[str]]:
    """The command lines of the crontab, the service and the image, without the program."""
    service = unit(blocks("ini")[0])["Service"]
    lines = [
        *(re.search(r"&& \S*/forecast (.*)", cron)[1] for cron in blocks("cron")),
        re.fullmatch(r"\S*/forecast (.*)", service["ExecStart"])[1],
    ]
    words = json.loads(re.search(r"^CMD (.*)$", IMAGE, re.MULTILINE)[1])
    return [*map(shlex.split, lines), words]


def unit(text: str) -> configparser.ConfigParser:
    """A systemd unit."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=["="])
    parser.optionxform = str
    parser.read_string(text)
    return parser


def test_the_nightly_commands_are_commands():
    group = program()
    found = commands_of_nightly()
    assert len(found) == 4
    for name, *arguments in found:
        given = group.commands[name].make_context(name, arguments).params
        assert (given["quiet"], given["wait"]) == (True, 600)
        assert given["watchlist"] == ["watchlist.txt"]
        assert (given["output"], str(given["summary"])) == ("forecasts.csv", "summary.json")


def test_every_variable_that_is_named_is_a_setting(monkeypatch):
    from forecaster.cli import config_file

    named = set(re.findall(r"\bFORECASTER_[A-Z_]*[A-Z]\b", EVERYTHING))
    assert len(named) >= 9
    for name in named:
        monkeypatch.setenv(name, "1")
    assert list(config_file.strangers(program())) == []


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


def test_the_service_of_compose_is_of_the_image():
    (compose,) = blocks("yaml")
    service = yaml.safe_load(compose)["services"]["forecast"]
    assert f"--uid {service['user']} " in IMAGE
    assert f"AS {service['build']['target']}\n" in IMAGE
    assert "forecasts:/data" in service["volumes"]


def test_every_exit_code_that_is_named_is_one():
    from forecaster import errors

    codes = {
        c.exit_code
        for c in vars(errors).values()
        if isinstance(c, type) and issubclass(c, errors.ForecastError)
    }
    table = EVERYTHING.split("| exit code | meaning |")[1].split("\n\n")[0]
    named = {int(n) for n in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert named == {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
    assert named - {0} <= codes
