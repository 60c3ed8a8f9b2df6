"""A file of settings in the working folder may be anybody's, and says nothing that could hurt."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from forecaster.cli import config_file
from forecaster.cli.trust import WITHOUT_FLAG
from forecaster.cli.uses import use_of

PLAIN = {
    "above", "activation", "allow-overlap", "as-of", "backtest", "base", "baselines", "batch-size",
    "below", "bidirectional", "calendar", "calibrate", "cell", "cells", "clip-norm", "clip-value",
    "column", "context", "currency", "date-format", "decimal", "device", "draws", "dropout",
    "encoding", "epochs", "folds", "format", "groups", "head", "history", "horizon", "lags", "last",
    "layers", "learning-rate", "level", "loss", "max-age", "no-pause", "offline", "partial-bars",
    "patience", "per-ticker", "plot", "provider", "quantiles", "quick", "quiet", "refit", "require",
    "resume", "run", "scale", "search", "seed", "seeds", "since", "skip-unreadable", "step",
    "stride", "supervise", "test-end", "theme", "ticker", "time", "to", "together", "train",
    "train-end", "trials", "units", "wait", "width", "windows", "workers",
}  # fmt: skip
"""Options whose values are numbers, names and formats. A new option is put here, or given a use."""

FILTERS = {"config.show all", "score model", "journal.list model", "journal.export model"}
"""Options that elsewhere have a use, and here choose what is shown."""

UNTRUSTED = {"writes", "connects", "decides"}


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def every_option(program):
    for command, params in config_file.options_of(program).items():
        for key, param in params.items():
            yield command, key, param


def test_every_option_has_a_use_or_is_known_to_have_none(program):
    unknown = {
        f"{command} --{key}"
        for command, key, param in every_option(program)
        if use_of(param) is None and key not in PLAIN and f"{command} {key}" not in FILTERS
    }
    assert unknown == set()


def test_every_option_that_is_a_path_has_a_use(program):
    paths = [
        (command, key, param)
        for command, key, param in every_option(program)
        if param.type_descriptor.annotation is Path
        or (param.metavar or "") in ("FILE", "FOLDER", "ADDRESS", "SOURCES", "FILE_OR_TICKER")
    ]
    assert len(paths) > 20
    assert [f"{c} {k}" for c, k, param in paths if use_of(param) is None] == []


def test_every_argument_that_names_files_has_a_use(program):
    def arguments(group, above=""):
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from arguments(command, f"{name} ")
            else:
                params = [p for p in command.params if p.param_type_name == "argument"]
                yield from ((f"{above}{name}", p) for p in params)

    without = {f"{name} {p.name}" for name, p in arguments(program) if use_of(p) is None}
    assert without == {
        "data export tickers", "data prune tickers", "data rename old", "data rename new",
        "schema name", "help about",
    }  # fmt: skip


def hostile(program):
    """Each setting that could hurt: its table in the file, its key and a value."""
    for key in WITHOUT_FLAG:
        yield "", key, '"x"'
    for command, key, param in every_option(program):
        use = use_of(param)
        if use is not None and use.verb in UNTRUSTED:
            kind = param.type_descriptor.annotation
            value = {bool: "true", int: "1"}.get(kind, '"tcp://127.0.0.1:9"')
            yield command, key, value


def written(table: str, key: str, value: str) -> str:
    return f"[{table}]\n{key} = {value}\n" if table else f"{key} = {value}\n"


def test_no_setting_that_writes_connects_or_decides_is_taken_from_the_working_folder(
    forecast, program, here
):
    said = {}
    for table, key, value in hostile(program):
        (here / "forecaster.toml").write_text(written(table, key, value))
        done = forecast("data", "list")
        said[table, key] = done.stderr
        assert (done.returncode, done.stdout) == (2, ""), (table, key)
        assert len(done.stderr.splitlines()) == 1
        assert "a file in the working folder may not" in done.stderr
        assert (f" {key} in [{table}] " if table else f": {key} says ") in done.stderr
    assert {("backtest", "cluster"), ("predict", "output"), ("", "store"), ("", "home")} <= set(
        said
    )
    assert {("models.delete", "yes"), ("batch", "head-file"), ("demo", "folder")} <= set(said)
    assert sorted(p.name for p in here.iterdir()) == ["forecaster.toml"]


@pytest.mark.parametrize(
    "text",
    [
        'predict.output = "a.csv"',
        'predict = { output = "a.csv" }',
        '["predict"]\n"output" = "a.csv"',
        '[predict]\n"out\\u0070ut" = "a.csv"',
        'data.export.output = "a.csv"',
        '[data]\nexport = { output = "a.csv" }',
        '"store" = "sqlite:///a.db"',
        '\ufeff[predict]\noutput = "a.csv"',
    ],
)
def test_however_it_is_written(forecast, here, text):
    (here / "forecaster.toml").write_text(text + "\n", encoding="utf-8")
    done = forecast("data", "list")
    assert done.returncode == 2
    assert "a file in the working folder may not" in done.stderr


@pytest.mark.parametrize("how", ["link", "link to a link", "hard link"])
def test_a_link_in_the_working_folder_is_no_better(forecast, here, tmp_path, how):
    theirs = tmp_path / "theirs.toml"
    theirs.write_text('[predict]\noutput = "a.csv"\n')
    place = here / "forecaster.toml"
    if how == "hard link":
        place.hardlink_to(theirs)
    else:
        if how == "link to a link":
            (tmp_path / "more").symlink_to(theirs)
        place.symlink_to(theirs if how == "link" else tmp_path / "more")
    assert forecast("data", "list").returncode == 2


def test_what_is_read_and_how_may_be_said_there(forecast, prices, here):
    (here / "forecaster.toml").write_text(
        'model = "sample"\n[predict]\nhorizon = 1\nformat = "csv"\nmarket = ["sample.csv"]\n'
    )
    done = forecast("predict", prices)
    assert done.returncode == 4  # the market's file is looked for
    assert "sample.csv" in done.stderr
    (here / "forecaster.toml").write_text('model = "sample"\n[predict]\nhorizon = 1\n')
    assert forecast("predict", prices).returncode == 0


def test_a_file_that_the_user_chose_may_say_all(forecast, prices, here, home):
    file = here / "forecaster.toml"
    file.write_text('[predict]\nmodel = "sample"\noutput = "made.txt"\n')
    assert forecast("predict", prices).returncode == 2
    done = forecast("predict", prices, FORECASTER_CONFIG=str(file))
    assert (done.returncode, done.stdout) == (0, "")
    assert "note: wrote made.txt" in done.stderr
    (here / "made.txt").unlink()
    home.mkdir(exist_ok=True)
    file.rename(home / "forecaster.toml")
    assert "note: wrote made.txt" in forecast("predict", prices).stderr


def test_what_it_may_not_say_still_comes_from_the_program_s_own_folder(
    forecast, prices, here, home, tmp_path
):
    home.mkdir()
    store = tmp_path / "kept.db"
    (home / "forecaster.toml").write_text(
        f'store = "sqlite:///{store}"\n[predict]\nhorizon = 3\noutput = "made.csv"\n'
        '[data.list]\noutput = "listed.txt"\n'
    )
    (here / "forecaster.toml").write_text('[predict]\nmodel = "sample"\nformat = "csv"\n')
    assert forecast("predict", prices).returncode == 0
    assert len((here / "made.csv").read_text().splitlines()) == 6  # the horizon is not reserved
    assert forecast("data", "list").returncode == 0
    assert store.exists()
    shown = forecast("config", "show", "-f", "json").stdout
    origins = {s["key"]: s["name"] for s in json.loads(shown)["settings"]}
    assert origins["store"] == str(home / "forecaster.toml")
    assert origins["predict.output"] == f"[predict] in {home / 'forecaster.toml'}"
    assert origins["predict.format"] == f"[predict] in {here / 'forecaster.toml'}"
    assert "predict.horizon" not in origins


def test_an_empty_file_there_does_not_switch_the_user_s_store_off(forecast, here, home, tmp_path):
    home.mkdir()
    (home / "forecaster.toml").write_text('store = "nonsense"\n')
    (here / "forecaster.toml").write_text("")
    done = forecast("data", "list")
    assert done.returncode == 2
    assert f"FORECASTER_STORE is set in {home / 'forecaster.toml'}" in done.stderr


def test_the_program_s_own_folder_is_trusted_from_within(forecast, prices, home, monkeypatch):
    home.mkdir()
    (home / "forecaster.toml").write_text('[predict]\nmodel = "sample"\noutput = "made.txt"\n')
    monkeypatch.chdir(home)
    assert forecast("predict", prices).returncode == 0
    assert (home / "made.txt").exists()


def test_a_link_to_the_user_s_own_file_is_that_file(forecast, prices, here, home):
    home.mkdir()
    (home / "forecaster.toml").write_text('[predict]\nmodel = "sample"\noutput = "made.txt"\n')
    (here / "forecaster.toml").symlink_to(home / "forecaster.toml")
    assert forecast("predict", prices).returncode == 0
    assert (here / "made.txt").exists()


def test_the_remedy_works_as_it_is_printed(forecast, prices, tmp_path, monkeypatch):
    folder = tmp_path / "it's $here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "forecaster.toml").write_text('[predict]\nmodel = "sample"\noutput = "made.txt"\n')
    command = forecast("predict", prices).stderr.strip().rpartition("type: ")[2]
    shown = subprocess.run(
        ["/bin/sh", "-c", f"{command}; printf %s \"$FORECASTER_CONFIG\""],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shlex.split(command)[0] == "export"
    assert shown == str(folder / "forecaster.toml")
    assert forecast("predict", prices, FORECASTER_CONFIG=shown).returncode == 0


def test_help_doctor_and_the_path_still_work(forecast, here, monkeypatch):
    monkeypatch.setattr("forecaster.jobs.doctor._devices", lambda: iter(()))  # they take seconds
    (here / "forecaster.toml").write_text('store = "x"\n')
    assert forecast("predict", "--help").returncode == 0
    assert forecast("config", "path").returncode == 0
    done = forecast("doctor")
    assert "store says what to connect to" in " ".join(done.stdout.split())


def test_a_pipe_or_a_mountain_in_its_place_holds_nothing_up(forecast, here, home):
    os.mkfifo(here / "forecaster.toml")
    done = forecast("data", "list")
    assert (done.returncode, "it is a pipe" in done.stderr) == (2, True)
    (here / "forecaster.toml").unlink()
    (here / "forecaster.toml").write_text("#" * 2**19)
    done = forecast("data", "list")
    assert (done.returncode, "which no file of settings is" in done.stderr) == (2, True)
    for text in ("a = " + "[" * 2**17, "a" + ".a" * 2**16, "[a" + " . 'a'" * 2**15 + "]"):
        (here / "forecaster.toml").write_text(text)
        done = forecast("data", "list")
        assert (done.returncode, "is no TOML" in done.stderr) == (2, True)


def test_a_value_with_a_null_character_is_a_message(forecast, prices, here):
    (here / "forecaster.toml").write_text('[predict]\nmodel = "a\\u0000b/c"\n')
    done = forecast("predict", prices)
    assert (done.returncode, os.linesep in done.stderr.strip()) == (2, False)
    assert "model in [predict]" in done.stderr
