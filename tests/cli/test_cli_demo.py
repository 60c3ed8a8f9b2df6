"""The tour: what it runs, where, in which surroundings, and what it says of failures."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from imports import loaded
from tours import CHEAP, DRIVER, toured

from forecaster.cli import demo
from forecaster.errors import DataError, SettingsError
from forecaster.jobs import demo as job
from forecaster.jobs.demo import CHAPTERS, Chapter


def test_every_command_line_is_one_that_the_program_takes(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [c.arguments[0] for c in CHAPTERS][:5] == [
        "train", "predict", "backtest", "explain", "plot"
    ]  # fmt: skip
    for chapter in CHAPTERS:
        word, name, *rest = shlex.split(chapter.command)
        assert word == "forecast"
        assert (name, *rest) == chapter.arguments
        assert program.commands[name].make_context(name, rest).params


def test_the_chapters_make_what_later_ones_read():
    there = {"sample_data", *(f"sample_data/{t}.csv" for t in ("AAPL", "FB", "GOOG", "IBM"))}
    for chapter in CHAPTERS:
        reads = [a for a in chapter.arguments if a.startswith("sample_data")]
        if "--model" in chapter.arguments:
            reads.append(chapter.arguments[chapter.arguments.index("--model") + 1])
        assert set(reads) <= there, chapter.command
        there |= {chapter.makes[0]} if chapter.makes else set()
        assert chapter.makes is None or chapter.makes[0] in chapter.arguments


def test_no_number_is_promised():
    """Sentences must hold for any processor and release: no measured value is in them."""
    for chapter in CHAPTERS:
        assert "+" not in chapter.text
        assert not any(word.strip("%,.").count(".") for word in chapter.text.split() if "%" in word)


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> tuple[Path, str]:
    """The folder of a tour in a pipe, and what it printed; Yahoo cannot be reached."""
    place = tmp_path_factory.mktemp("usual")
    environment = {
        "FORECASTER_HOME": str(place / "home"), "FORECASTER_YAHOO_URL": "http://127.0.0.1:9"
    }  # fmt: skip
    code, out, err = toured(place / "tour", **environment)
    assert (code, err) == (0, "note: wrote fan.png\n")
    return place / "tour", out


def test_a_piped_tour_shows_each_command_above_its_own_output(forecast, usual, monkeypatch):
    folder, out = usual
    monkeypatch.chdir(folder)
    assert "\x1b" not in out
    at = 0
    for number, chapter in enumerate(CHEAP, 1):
        done = forecast(*chapter.arguments)
        assert done.returncode == 0
        for part in (f"\n{number}/{len(CHEAP)}  {chapter.title}\n", f"\n$ {chapter.command}\n"):
            at = out.index(part, at) + len(part)
        assert out[at:].startswith(done.stdout)
        at += len(done.stdout)
    assert "That was the tour" in out[at:]
    assert "Enter" not in out


def test_only_the_folder_is_written_and_it_holds_what_is_said(usual):
    folder, out = usual
    tail = out.split("That was the tour.")[1]
    assert {p.name for p in folder.parent.iterdir()} == {"tour"}
    assert {p.name for p in folder.iterdir()} == {"sample_data", "commands.txt", "fan.png"}
    assert "sample_data/" in tail
    assert "commands.txt" in tail
    ours = {p.name: p.read_bytes() for p in job.sample_folder().glob("*.csv")}
    copied = {p.name: p.read_bytes() for p in (folder / "sample_data").glob("*.csv")}
    assert copied == ours
    assert len(ours) == 5
    written = (folder / "commands.txt").read_text().splitlines()[1:]
    assert written == [c.command for c in CHEAP]


def test_settings_of_the_user_change_nothing(usual, tmp_path):
    folder, out = usual
    user = tmp_path / "user"
    user.mkdir()
    (user / "forecaster.toml").write_text("[explain]\nlast = 3\n[predict]\nas-of = '2012-01-03'\n")
    (folder / "forecaster.toml").write_text("[explain]\nseed = 4\n")
    again = toured(
        folder,
        FORECASTER_CONFIG=str(user / "forecaster.toml"), FORECASTER_HOME=str(user),
        FORECASTER_PREDICT_QUANTILES="x", FORECASTER_EXPLAIN_SEED="7", FORECASTER_PAUSE="0.5",
        FORECASTER_MODEL="none", FORECASTER_PLOT_HISTORY="9",
    )  # fmt: skip
    (folder / "forecaster.toml").unlink()
    assert again[:2] == (0, out)
    assert "FORECASTER_PREDICT_QUANTILES is no setting" in again[2]  # once, of the tour itself
    assert again[2].splitlines()[1:] == ["note: wrote fan.png"]


def test_the_surroundings_of_a_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {
        "PATH": "/bin", "FORECASTER_TRAIN_CELL": "rnn", "FORECASTER_STORE": "postgresql://x",
        "FORECASTER_CONFIG": "mine.toml", "PYTHONPATH": f"here{os.pathsep}", "NO_COLOR": "1",
    }  # fmt: skip
    made = job.surroundings(tmp_path, given, log_json=False)
    checkout = str(Path(job.__file__).resolve().parents[2])
    assert made == {
        "PATH": "/bin",
        "NO_COLOR": "1",
        "FORECASTER_HOME": str(tmp_path / "home"),
        "FORECASTER_CONFIG": os.devnull,
        "PYTHONPATH": f"{checkout}{os.pathsep}{tmp_path / 'here'}",
    }
    assert job.surroundings(tmp_path, {}, log_json=True)["FORECASTER_LOG_FORMAT"] == "json"


def test_an_installed_package_is_found_without_a_path(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "_PACKAGE", tmp_path / "site-packages" / "forecaster")
    assert "PYTHONPATH" not in job.surroundings(tmp_path, {}, log_json=False)


def test_sample_files_are_in_an_installed_package_or_beside_it(tmp_path, monkeypatch):
    package = tmp_path / "forecaster"
    monkeypatch.setattr(job, "_PACKAGE", package)
    with pytest.raises(DataError, match="Install the program again"):
        job.sample_folder()
    for place in (tmp_path / "sample_data", package / "sample_data"):
        place.mkdir(parents=True)
        (place / "AAPL.csv").touch()
        assert job.sample_folder() == place


def test_the_wheel_takes_all_sample_files_along():
    import tomllib

    root = Path(job.__file__).resolve().parents[2]
    taken = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = taken["targets"]["wheel"]
    assert "sample_data" in wheel["only-include"]
    assert wheel["sources"] == {"sample_data": "forecaster/sample_data"}
    names = [p.relative_to(root) for p in (root / "sample_data").iterdir() if p.is_file()]
    left_out = {n.name for n in names if any(n.match(pattern) for pattern in wheel["exclude"])}
    assert left_out == {"make_sample_data.py"}


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "commands.txt"])
def test_a_folder_with_other_things_is_refused_and_left_alone(forecast, tmp_path, name):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / name).write_text("keep me")
    run = forecast("demo", "--folder", folder)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"error: --folder {folder} is not empty")
    assert run.stderr.count("\n") == 1
    assert {p.name: p.read_text() for p in folder.iterdir()} == {name: "keep me"}


@pytest.mark.parametrize("place", ["/proc/no/such/folder", "file"])
def test_a_folder_that_cannot_be_one_is_refused(forecast, tmp_path, place):
    (tmp_path / "file").write_text("keep me")
    run = forecast("demo", "--folder", tmp_path / place)
    assert run.returncode == 2
    assert "--folder" in run.stderr
    assert "Traceback" not in run.stderr
    assert (tmp_path / "file").read_text() == "keep me"


def test_an_empty_folder_and_an_earlier_demo_are_used(tmp_path):
    folder = tmp_path / "tour"
    folder.mkdir()
    job.prepare(folder)
    (folder / "sample_data" / "AAPL.csv").write_text("broken by somebody")
    (folder / "notes.txt").write_text("keep me")
    job.prepare(folder)
    assert (folder / "sample_data" / "AAPL.csv").stat().st_size > 100_000
    assert (folder / "notes.txt").read_text() == "keep me"


def test_a_folder_that_was_left_half_made_is_an_earlier_demo(tmp_path, monkeypatch):
    """The mark is the first thing in the folder."""
    folder = tmp_path / "tour"
    written = []
    real = job.write_atomically

    def write(path: Path, content: bytes) -> None:
        written.append(path.name)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(job, "write_atomically", write)
    with pytest.raises(SettingsError, match="No space left"):
        job.prepare(folder)
    assert written[0] == "commands.txt"
    monkeypatch.undo()
    job.prepare(folder)


def test_a_failing_step_is_named_and_its_exit_code_kept(tmp_path, capfd):
    bad = Chapter("Fail", "It fails.", ("predict", "missing.csv", "--model", "sample"))
    with pytest.raises(typer.Exit) as left:
        demo.tour(tmp_path / "tour", (CHEAP[0], bad, CHEAP[1]), pause=False)
    out, err = capfd.readouterr()
    assert left.value.exit_code == 4
    assert "step 2 of 3 (forecast predict missing.csv --model sample)" in err
    assert "exit code 4" in err
    assert "missing.csv" in err.splitlines()[0]
    assert "3/3" not in out
    assert "That was the tour" not in out


def test_a_killed_step_has_the_code_of_a_shell(tmp_path, monkeypatch):
    real, code = subprocess.Popen, "import os; os.kill(os.getpid(), 9)"
    monkeypatch.setattr(
        job.subprocess, "Popen", lambda _words, **more: real([sys.executable, "-c", code], **more)
    )
    assert job.run(CHEAP[0], tmp_path, os.environ) == 137


def test_a_step_that_cannot_be_started_is_said(tmp_path):
    with pytest.raises(SettingsError, match="could not be started in"):
        job.run(CHEAP[0], tmp_path / "gone", os.environ)


def test_a_log_in_json_stays_one(tmp_path):
    bad = "[Chapter('Fail', 'It fails.', ('predict', 'missing.csv', '--model', 'sample'))]"
    code = DRIVER.format(tests=str(Path(__file__).parent), chapters=bad)
    done = subprocess.run(
        [sys.executable, "-c", code, "--log-format", "json", "demo", "--folder", tmp_path / "t"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    records = [json.loads(line) for line in done.stderr.splitlines()]
    assert [r["exit_code"] for r in records] == [4, 4]
    assert done.returncode == 4


def test_the_tour_itself_loads_nothing_heavy(tmp_path, monkeypatch):
    folder = tmp_path / "tour"
    folder.mkdir()
    (folder / "x").touch()
    heavy = ["pandas", "tensorflow", "keras", "pyarrow", "scipy", "statsmodels", "numpy"]
    assert loaded(["demo", "--folder", str(folder)], heavy) == []


def test_the_command_runs_the_chapters_and_waits_only_in_a_terminal(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(demo, "tour", lambda *a, **k: seen.append((*a, k["pause"])))
    monkeypatch.chdir(tmp_path)
    for terminal, option, pause in (
        (True, False, True),
        (True, True, False),
        (False, False, False),
    ):
        monkeypatch.setattr("sys.stdin", _Stream(terminal))
        monkeypatch.setattr("sys.stdout", _Stream(True))
        demo.demo(Path("forecast-demo"), option)
        assert seen.pop() == (Path("forecast-demo"), CHAPTERS, pause)


class _Stream:
    def __init__(self, terminal: bool) -> None:
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal
