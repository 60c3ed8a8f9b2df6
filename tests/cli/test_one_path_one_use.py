"""Nothing is written over what is read, nor over anything else of the program; any output works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from forecaster.cli import config_file
from forecaster.cli.uses import use_of
from forecaster.jobs.retrain import RetrainResult
from forecaster.model.artifact import load, save

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
READING = {
    "train": ["x.csv"],
    "predict": ["x.csv"],
    "plot": ["x.csv"],
    "backtest": ["x.csv"],
    "compare": ["x.csv"],
    "tune": ["x.csv"],
    "batch": ["watch.txt"],
    "score": ["x.csv"],
    "explain": ["x.csv"],
    "gradients": ["x.csv"],
    "fetch": ["--from", "watch.txt"],
    "export": ["mine.forecast"],
    "report": ["mine.forecast"],
    "data list": [],
    "data verify": [],
    "data export": [],
    "journal list": [],
    "journal export": [],
    "journal verify": [],
    "models list": [],
    "models show": ["mine.forecast"],
    "config show": [],
    "schema": [],
    "doctor": [],
    "rank": ["x.csv"],
    "risk": ["x.csv"],
}
"""A command line of each command that has an output, by what it reads."""


@pytest.fixture(autouse=True)
def place(tmp_path, home, monkeypatch) -> Path:
    """A folder with prices, a watchlist and a model, under several names."""
    folder = tmp_path / "place"
    (folder / "sub").mkdir(parents=True)
    monkeypatch.chdir(folder)
    shutil.copy(SAMPLE / "FB.csv", folder / "x.csv")
    shutil.copy(SAMPLE / "FB.csv", folder / "sub" / "member.csv")
    (folder / "watch.txt").write_text("FB\n")
    boxed = Path(config_file.__file__).parents[1] / "model" / "boxed" / "sample.forecast"
    shutil.copy(boxed, folder / "mine.forecast")
    (home / "models").mkdir(parents=True)
    shutil.copy(boxed, home / "models" / "stored.forecast")
    (home / "forecaster.toml").write_text("")
    (home / "prices.db").write_bytes(b"")
    for target in ("x.csv", "watch.txt", "mine.forecast", "sub/member.csv"):
        (folder / f"link-{Path(target).name}").symlink_to(target)
        (folder / f"hard-{Path(target).name}").hardlink_to(target)
    (folder / "there").symlink_to(".")
    return folder


def outputs(program) -> list[tuple[str, str]]:
    """Every option that names a file to write, with its command."""
    return [
        (command.replace(".", " "), f"--{key}")
        for command, params in config_file.options_of(program).items()
        for key, param in params.items()
        if (use := use_of(param)) is not None and use.verb == "writes" and not use.folder
    ]


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


def refused(forecast, words, option, path, folders) -> str:
    """What is said where nothing is written."""
    before = [content(folder) for folder in folders]
    done = forecast(*words, option, path)
    assert (done.returncode, done.stdout) == (2, ""), (words, option, path)
    assert [content(folder) for folder in folders] == before
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_every_command_that_writes_is_tried_here(program):
    assert {command for command, _ in outputs(program)} == set(READING)


def test_no_output_of_any_command_is_what_it_reads(forecast, program, place, home):
    for command, option in outputs(program):
        reading = READING[command]
        for name in reading[-1:]:
            spelled = (
                name, f"sub/../{name}", place / name, f"./{name}", f"link-{name}", f"hard-{name}",
                f"there/{name}",
            )  # fmt: skip
            for path in spelled:
                words = [*command.split(), *reading]
                said = refused(forecast, words, option, path, (place, home))
                assert f"{option} is {Path(path)}, which is read" in said


def test_no_output_of_any_command_belongs_to_the_program(forecast, program, place, home):
    names = ("prices.db", "prices.db-wal", "prices.db-shm", ".prices.db.lock", "forecaster.toml")
    files = [home / name for name in names] + [Path("forecaster.toml")]
    for command, option in outputs(program):
        words = [*command.split(), *READING[command]]
        for path in files:
            refused(forecast, words, option, path, (place, home))
        if (command, option) != ("train", "--model-file"):
            for name in ("stored", "new", "../models/new"):
                path = home / "models" / f"{name}.forecast"
                said = refused(forecast, words, option, path, (place, home))
                assert "among the trained models" in said


def test_no_two_outputs_of_a_command_are_one_file(forecast, program, place, home):
    options: dict[str, list[str]] = {}
    for command, option in outputs(program):
        options.setdefault(command, []).append(option)
    pairs = [(c, a, b) for c, found in options.items() for a in found for b in found if a < b]
    assert len(pairs) >= 5
    for command, first, second in pairs:
        words = [*command.split(), *READING[command], first, "new.csv"]
        for path in ("new.csv", "./new.csv", place / "there" / "new.csv"):
            refused(forecast, words, second, path, (place, home))


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["predict", "sub"], "sub/member.csv"),
        (["predict", "sub"], "link-member.csv"),
        (["predict", "watch.txt", "sub/", "x.csv"], "x.csv"),
        (["predict", "x.csv", "--market", "sub"], "hard-member.csv"),
        (["predict", "x.csv", "--market", "watch.txt"], "watch.txt"),
        (["predict", "x.csv", "--model", "mine.forecast"], "link-mine.forecast"),
        (["report", "sample", "-s", "x.csv"], "x.csv"),
        (["batch", "sub"], "sub/member.csv"),
    ],
)
def test_folders_markets_and_models_are_read_too(forecast, place, home, words, path):
    assert "is read" in refused(forecast, words, "--output", path, (place, home))


def test_a_new_file_in_a_folder_that_is_read_is_none_of_its_sources(forecast, place):
    assert forecast("predict", "sub", "-f", "json", "-o", "sub/new.json").returncode == 0
    assert forecast("predict", "sub", "-f", "json", "-o", "sub/new.json").returncode == 0


@pytest.mark.parametrize(
    "address", ["sqlite:///mine.db", "sqlite:////{}/mine.db", "sqlite+pysqlite:///mine%2Edb?timeout=9",
                "sqlite:///file:mine.db?mode=rwc&uri=true"],
)  # fmt: skip
def test_the_store_is_found_by_its_address(forecast, place, address):
    store = address.replace("{}", str(place).lstrip("/"))
    done = forecast("predict", "x.csv", "-o", "mine.db", FORECASTER_STORE=store)
    assert (done.returncode, "part of the price store" in done.stderr) == (2, True)


def test_what_runs_the_program_is_no_output(forecast, place, monkeypatch):
    """As ``/proc/self/exe`` is called elsewhere; a stand-in here, lest the test harm anybody."""
    (place / "python").write_text("")
    monkeypatch.setattr(sys, "executable", str(place / "python"))
    done = forecast("predict", "x.csv", "-o", "there/python")
    assert (done.returncode, "what runs this" in done.stderr) == (2, True)


def test_the_settings_in_use_are_no_output(forecast, place):
    (place / "mine.toml").write_text("")
    done = forecast("predict", "x.csv", "-o", "mine.toml", FORECASTER_CONFIG="mine.toml")
    assert (done.returncode, "a file of settings" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("loop", "Too many levels of symbolic links"),
        ("sub", "it is a folder"),
        (".", "it is a folder"),
        ("", "it is a folder"),
        ("x.csv/new.csv", "Not a directory"),
        ("n" * 300, "File name too long"),
    ],
)
def test_an_output_that_cannot_be_is_refused_first(forecast, program, place, home, path, said):
    Path("loop").symlink_to("loop")
    for command, option in outputs(program):
        told = refused(forecast, [*command.split(), *READING[command]], option, path, (place, home))
        assert said in told
        assert "Choose another one" in told


def shell(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = line.replace("forecast", f"{sys.executable} -m forecaster", 1)
    return subprocess.run(
        command, shell=True, check=False, capture_output=True, text=True, timeout=60,
        env={**os.environ, "FORECASTER_HOME": str(home)},
    )  # fmt: skip


PREDICT = "forecast predict x.csv -m mine.forecast -f csv"


@pytest.mark.parametrize(
    "line",
    [
        f"{PREDICT.replace('x.csv', '-')} -o x.csv < x.csv",
        f"{PREDICT.replace('x.csv', '/dev/stdin')} -o link-x.csv < x.csv",
        f"{PREDICT} -o /dev/stdin < x.csv",
        f"{PREDICT} -o /proc/self/fd/5 5< x.csv",
        f"{PREDICT} -o /dev/fd/5 5>> x.csv",
        "forecast batch - --output watch.txt < watch.txt",
    ],
)
def test_open_files_are_files_too(line, place, home):
    before = content(place)
    done = shell(line, home)
    assert (done.returncode, done.stdout) == (2, "")
    assert "which is" in done.stderr
    assert content(place) == before


def test_a_working_folder_that_is_gone(place, home):
    gone = f"mkdir gone; cd gone; rmdir ../gone; {PREDICT.replace('x.csv', str(place / 'x.csv'))}"
    gone = gone.replace("mine.forecast", str(place / "mine.forecast"))
    assert shell(gone, home).returncode == 0
    assert shell(f"{gone} -o {place}/made.csv", home).returncode == 0
    done = shell(f"{gone} -o made.csv", home)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "could not be written" in done.stderr


def test_where_notes_go_is_no_output(place, home):
    done = shell(f"{PREDICT} -o notes.txt 2> notes.txt", home)
    assert done.returncode == 2
    assert "where standard error goes" in Path("notes.txt").read_text()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{PREDICT} -o /dev/stdout", 0),
        (f"{PREDICT} -o /dev/fd/1", 0),
        (f"{PREDICT} -o /dev/null; echo", 0),
        (f"{PREDICT} -o /dev/full", 2),
        (f"{PREDICT} -o new/folder/of/mine.csv; cat new/folder/of/mine.csv", 0),
        (
            "forecast batch sub -f csv -o /dev/null --summary /dev/null --head-file /dev/null",
            0,
        ),
        ("forecast batch sub -f csv --output - --summary /dev/stderr", 0),
    ],
)
def test_devices_and_new_folders_work(line, code, place, home):
    done = shell(line, home)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert ("could not be written (No space left" in done.stderr) == (code == 2)


def test_an_open_file_keeps_what_it_has(place, home):
    Path("log").write_text("kept\n")
    assert shell(f"{PREDICT} -o /dev/stdout >> log", home).returncode == 0
    lines = Path("log").read_text().splitlines()
    assert (lines[0], len(lines)) == ("kept", 7)


def test_a_pipe_is_written_when_somebody_reads_it(forecast, place):
    os.mkfifo("pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text()))
    reader.start()
    done = forecast("predict", "x.csv", "-m", "mine.forecast", "-f", "csv", "-o", "pipe")
    reader.join(10)
    assert (done.returncode, len(read[0].splitlines())) == (0, 6)
    assert "wrote" not in done.stderr


def test_a_device_has_no_room_for_a_description_beside_it(forecast, place):
    done = forecast("export", "mine.forecast", "-o", "/dev/null")
    assert (done.returncode, "nothing can be written beside it" in done.stderr) == (2, True)
    assert not Path("/dev/null.json").exists()


def test_two_things_on_standard_output_are_refused(forecast, place):
    for words in (
        ["--summary", "-"],
        ["--summary", "/dev/stdout"],
        ["--output", "-", "--head-file", "-"],
    ):
        done = forecast("batch", "sub", *words)
        assert (done.returncode, "both go to standard output" in done.stderr) == (2, True)
    assert forecast("batch", "sub", "--quiet", "--summary", "-").returncode == 0


@pytest.mark.parametrize("words", [
    ["predict", "x.csv"], ["plot", "x.csv"], ["explain", "x.csv"], ["journal", "export"],
    ["journal", "list"], ["data", "list"], ["data", "verify"], ["config", "show"],
    ["report", "mine.forecast"], ["models", "list"], ["models", "show", "mine.forecast"],
    ["journal", "verify"],
])  # fmt: skip
def test_every_file_that_is_written_is_named(forecast, place, words):
    suffixes = {"plot": ".html", "report": ".html", "journal export": ".csv"}
    path = f"made{suffixes.get(words[0]) or suffixes.get(' '.join(words), '.txt')}"
    done = forecast(*words, "--output", path)
    assert done.returncode == 0, done.stderr
    assert f"note: wrote {path}\n" in done.stderr
    assert Path(path).exists()


def test_what_a_batch_writes_is_named_unless_it_is_quiet(forecast, place):
    words = ("batch", "sub", "--output", "a.csv", "--summary", "b.json", "--head-file", "c")
    said = forecast(*words).stderr
    assert all(f"note: wrote {name}\n" in said for name in ("a.csv", "b.json", "c"))
    assert "wrote" not in forecast(*words, "--quiet").stderr


def test_a_model_that_was_retrained_is_named(monkeypatch, forecast, place):
    def better(model, panel):
        return RetrainResult(replace(model, created="2026-05-05T00:00:00+00:00"), True, "better")

    monkeypatch.setattr("forecaster.jobs.retrain.retrain", better)
    words = ("batch", "sub", "-m", "mine.forecast", "--output", "a.csv", "--retrain")
    assert "wrote mine.forecast" not in forecast(*words, "never").stderr
    assert "note: wrote mine.forecast\n" in forecast(*words, "always").stderr


def test_a_name_that_a_model_gives_itself_stays_in_the_folder(forecast, place):
    save(replace(load(place / "mine.forecast"), name="../../outside\x1b"), place / "odd.forecast")
    done = forecast("export", "odd.forecast")
    assert (done.returncode, done.stdout) == (6, "")
    assert "\x1b" not in done.stderr
