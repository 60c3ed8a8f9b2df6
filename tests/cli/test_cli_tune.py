"""`forecast tune`: what it refuses, writes, and keeps when it is cut short."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import signal
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import psutil
import pytest
from imports import loaded
from searches import IBM, SAMPLE, SMALL, losses
from waiting import wait_until

from forecaster.errors import TrainingDiverged, WorkersLost
from forecaster.jobs import confirmation, study_file
from forecaster.model.settings import Settings

pytestmark = pytest.mark.usefixtures("place")


def studies(home: Path) -> list[Path]:
    return sorted((home / "studies").glob("*.json"))


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--trials", "1"], "--trials is 1; it must be at least 2"),
            (["--time", "0"], "--time is 0; a number of minutes above 0 is needed"),
            (["--time", "nan"], "--time is nan"),
            (["--folds", "0"], "--folds is 0"),
            (["--together", "0"], "--together is 0"),
            (["--workers", "0"], "--workers is 0"),
            (["--cluster", "here"], "--cluster is 'here'"),
            (["--train-end", "soon"], "--train-end is 'soon'"),
            (["--units", "0"], "--units is 0"),
            (["--settings-file", "x.json"], ".toml"),
            (["--settings-file", "forecaster.toml"], "a file of settings"),
            (["--study", "x.json", "-o", "x.json"], "are both x.json"),
        ],
    )
    def test_before_anything_is_read(self, forecast, words, said, place):
        done = forecast("tune", "missing.csv", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert list(place.iterdir()) == []

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ('home = "x"\n[train]\nepochs = 2\n', "home"),
            ("[batch]\n", "batch"),
            ("{", "no settings"),
        ],
    )
    def test_a_file_that_holds_more_than_settings_of_train(self, forecast, place, text, found):
        (place / "mine.toml").write_text(text)
        done = forecast("tune", "missing.csv", "--settings-file", "mine.toml")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"mine.toml holds {found}, and would be replaced" in done.stderr
        assert (place / "mine.toml").read_text() == text

    @pytest.mark.parametrize("names", ["unit", "units,seed", "--", ","])
    def test_names_that_cannot_be_searched(self, forecast, names):
        done = forecast("tune", IBM, f"--search={names}")
        assert (done.returncode, done.stdout) == (2, "")
        assert "--search names" in done.stderr
        assert "learning_rate is needed" in done.stderr

    def test_a_panel_that_is_too_short(self, forecast):
        done = forecast("tune", SAMPLE / "FB.csv")
        assert (done.returncode, done.stdout) == (4, "")
        assert "fewer --folds or a shorter --horizon" in done.stderr

    def test_without_optuna_it_says_how_to_install_it(self, forecast, monkeypatch, place):
        find = PathFinder.find_spec
        monkeypatch.delitem(sys.modules, "optuna", raising=False)
        monkeypatch.setattr(
            PathFinder, "find_spec", lambda name, *a: None if name == "optuna" else find(name, *a)
        )
        done = forecast("tune", "missing.csv")
        assert (done.returncode, done.stdout) == (2, "")
        assert "pip install 'stock-forecaster[tune]'" in done.stderr
        assert "Traceback" not in done.stderr

    def test_no_other_command_and_no_help_loads_optuna(self):
        assert loaded(["tune", "--help"], ["optuna", "pandas", "tensorflow"]) == []
        assert loaded(["predict", str(IBM), "--horizon", "1"], ["optuna"]) == []


class TestResults:
    def test_a_better_setting_with_its_gain_and_p(self, forecast, fits):
        done = forecast(*SMALL, "--search", "units")
        assert done.returncode == 0, done.stderr
        assert "is better than the default by" in done.stdout
        assert "sessions that no trial saw (p " in done.stdout
        document = json.loads(forecast(*SMALL, "--search", "units", "-f", "json").stdout)
        best = document["trials"][document["best"]]
        assert document["better"] is True
        assert document["settings"]["units"] == best["values"]["units"] > 32
        assert set(document["searched"]) == {"units"}
        assert document["confirmation"]["gain"] > 0
        assert document["confirmation"]["p"] < 0.05

    def test_where_none_is_better_it_says_so(self, forecast, fits):
        def lucky(panel, measured, settings, on_epoch):
            return losses(panel, measured, settings, None) + (settings.seed > 0) * (
                settings.layer_units / 1000
            )

        fits(lucky)
        done = forecast(*SMALL, "--search", "units")
        assert "No setting was better than the default: trial" in done.stdout
        document = json.loads(forecast(*SMALL, "--search", "units", "-f", "json").stdout)
        assert (document["better"], document["settings"]["units"]) == (False, None)

    def test_what_an_option_sets_is_not_searched(self, forecast, fits):
        done = forecast(*SMALL, "--cell", "lstm", "-f", "json", FORECASTER_TUNE_UNITS="24")
        document = json.loads(done.stdout)
        assert set(document["searched"]) == {
            "layers", "dropout", "context", "batch_size", "learning_rate",
        }  # fmt: skip
        assert (document["settings"]["cell"], document["settings"]["units"]) == ("lstm", 24)

    def test_an_option_with_its_default_is_set_too(self, forecast, fits):
        document = json.loads(forecast(*SMALL, "--cell", "gru", "-f", "json").stdout)
        assert "cell" not in document["searched"]

    def test_rows_of_trials_as_csv(self, forecast, fits):
        made = forecast(*SMALL, "--search", "units,learning-rate", "-f", "csv").stdout
        rows = list(csv.DictReader(io.StringIO(made)))
        assert [row["trial"] for row in rows] == [str(n) for n in range(6)]
        assert rows[0]["units"] == ""  # the default
        assert float(rows[0]["gain_default"]) == 0.0

    def test_a_trial_that_diverges_is_shown_and_stops_nothing(self, forecast, fits):
        def unstable(panel, measured, settings, on_epoch):
            if settings.layer_units < 32:
                raise TrainingDiverged("training diverged: the loss was nan in epoch 1.")
            return losses(panel, measured, settings, None)

        fits(unstable)
        done = forecast(*SMALL, "--search", "units")
        assert done.returncode == 0
        assert "diverged" in done.stdout
        fits(lambda *_: unstable(None, None, Settings(units=1), None))
        done = forecast(*SMALL, "--search", "units", "--seed", "1")
        assert (done.returncode, done.stdout) == (7, "")
        assert "all 6 trials diverged" in done.stderr


class TestStudies:
    def test_without_a_name_each_has_a_file_of_its_own(self, forecast, fits, home):
        said = forecast(*SMALL).stderr
        (path,) = studies(home)
        assert f"note: trials are kept in {path}\n" in said
        assert (
            f"kept in {path}, and 6 trials in it will not be run again" in forecast(*SMALL).stderr
        )
        forecast(*SMALL, "--seed", "1")
        assert len(studies(home)) == 2

    def test_the_file_of_another_study_is_refused_with_options(self, forecast, fits):
        forecast(*SMALL, "--study", "s.json")
        done = forecast(*SMALL, "--study", "s.json", "--seed", "1", "--units", "8")
        assert (done.returncode, done.stdout) == (2, "")
        assert "it has the default --units, and this one has --units 8" in done.stderr

    def test_a_damaged_file_is_refused(self, forecast, fits):
        Path("s.json").write_text('{"schema": "tune-study/1", "tri')
        done = forecast(*SMALL, "--study", "s.json")
        assert (done.returncode, done.stdout) == (4, "")
        assert "--study s.json is damaged" in done.stderr

    def test_a_full_disk_is_one_line_and_the_rest_is_done_later(self, forecast, fits, monkeypatch):
        write, left = study_file.write_atomically, iter(range(4))

        def full(path, content):
            if next(left, None) is None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(path, content)

        monkeypatch.setattr(study_file, "write_atomically", full)
        done = forecast(*SMALL, "--study", "s.json")
        assert (done.returncode, done.stdout) == (2, "")
        assert "error: --study s.json could not be written (No space left" in done.stderr
        monkeypatch.setattr(study_file, "write_atomically", write)
        assert "and 3 trials in it" in forecast(*SMALL, "--study", "s.json").stderr

    @pytest.mark.parametrize(
        ("problem", "code"),
        [(KeyboardInterrupt(), 130), (WorkersLost("they died. Start them again."), 10)],
    )
    def test_who_is_interrupted_is_told_how_to_go_on(self, forecast, fits, problem, code):
        asked = []

        def cut(panel, measured, settings, on_epoch):
            asked.append(settings)
            if len(asked) == 3:
                raise problem
            return losses(panel, measured, settings, None)

        fits(cut)
        done = forecast(*SMALL)
        assert (done.returncode, done.stdout) == (code, "")
        assert "the same command goes on from the trials that are done" in done.stderr
        assert "and 2 trials in it" in forecast(*SMALL).stderr
        assert asked.count(asked[2]) >= 2


def unlike_time(path: Path) -> list[object]:
    """What a file of a study holds, but for how long it took."""
    document = json.loads(path.read_bytes())
    for trial in document["trials"]:
        del trial["seconds"]
    return [document[key] for key in ("study", "trials", "confirmations")]


@pytest.mark.processes
@pytest.mark.network
def test_a_search_that_is_killed_goes_on_and_ends_the_same(forecast, start, monkeypatch):
    """With two workers and then one, and in one process without a kill."""
    monkeypatch.setattr(confirmation, "SEEDS", 1)
    Path("few.csv").write_text("".join(IBM.read_text().splitlines(keepends=True)[:500]))
    small = ("tune", "few.csv", *SMALL[2:], "--trials", "4", "--units", "2", "--context", "16")
    killed, whole = Path("killed.json"), Path("whole.json")
    running = start(*small, "--study", killed, "--workers", "2")

    def count() -> int:
        return len(json.loads(killed.read_bytes())["trials"]) if killed.exists() else 0

    wait_until(count, 120.0)
    workers = psutil.Process(running.pid).children(recursive=True)
    os.kill(running.pid, signal.SIGKILL)
    wait_until(lambda: not any(worker.is_running() for worker in workers))
    done = count()
    again = forecast(*small, "--study", killed)
    assert again.returncode == 0, again.stderr
    assert done >= 1
    assert f"and {done} trial" in again.stderr
    assert forecast(*small, "--study", whole).returncode == 0
    assert unlike_time(killed) == unlike_time(whole)
