"""What `forecast tune` says to type, and the file that it writes: they train what was tested."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from searches import IBM, SMALL, losses

from forecaster.jobs import train as training
from forecaster.model.settings import Settings

pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture
def train_with(forecast, monkeypatch):
    """The settings that a line of a shell would train with."""

    def taken_by(line, variables) -> Settings:
        taken: list[Settings] = []

        def train(panel, settings, **options):
            taken.append(settings)
            raise KeyboardInterrupt

        words = shlex.split(line)
        place = words.index("forecast")
        typed = dict(word.split("=", 1) for word in words[:place])
        with monkeypatch.context() as patch:
            patch.setattr(training, "train", train)
            forecast(*words[place + 1 :], **{**variables, **typed})
        return taken[0]

    return taken_by


def user_says(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "forecaster.toml").write_text(text)


def lines_of(shown: str) -> list[str]:
    """What a result says can be typed."""
    lines = re.findall(r"^  (.*\bforecast train .*)$", shown.replace(" \\\n", " "), re.MULTILINE)
    assert len(lines) == 2
    return lines


class TestSettingsFile:
    @pytest.mark.parametrize(
        "words",
        [
            [],
            ["--search", "units", "--quantiles", "0.1,0.5,0.9", "--clip-value", "0.5"],
            ["--search", "units,context", "--supervise", "last", "--bidirectional"],
            ["--cell", "rnn", "--activation", "relu", "--learning-rate", "0.00012345"],
        ],
    )
    def test_train_takes_it_and_the_line_that_is_shown(self, forecast, fits, monkeypatch, words):
        done = forecast(*SMALL, *words, "--settings-file", "tuned.toml", "-o", "t.txt")
        assert done.returncode == 0, done.stderr
        assert "note: wrote tuned.toml" in done.stderr
        document = json.loads(forecast(*SMALL, *words, "-f", "json").stdout)
        found = Settings.from_state(document["settings"])
        assert found != Settings()
        taken: list[Settings] = []

        def train(panel, settings, **options):
            taken.append(settings)
            raise KeyboardInterrupt

        monkeypatch.setattr(training, "train", train)
        forecast("train", IBM, FORECASTER_CONFIG="tuned.toml")
        shown = Path("t.txt").read_text().replace(" \\\n", " ")
        by_options = re.search(r"^  forecast train (.*)$", shown, re.MULTILINE)[1]
        forecast("train", *shlex.split(by_options))
        assert taken == [found, found]
        assert f"\n  FORECASTER_CONFIG=tuned.toml forecast train {IBM}\n" in shown

    @pytest.mark.parametrize("said", ["in the file", "by variables"])
    def test_what_the_user_has_for_train_does_not_change_what_was_tested(
        self, forecast, fits, home, train_with, said
    ):
        own = {
            "cell": "lstm", "units": 8, "supervise": "last", "bidirectional": True,
            "context": 9, "clip-norm": 3.0, "quantiles": "0.1,0.5,0.9",
        }  # fmt: skip
        table = "".join(f"{key} = {json.dumps(value)}\n" for key, value in own.items())
        variables = {f"FORECASTER_TRAIN_{k.upper().replace('-', '_')}": str(own[k]) for k in own}
        if said == "in the file":
            user_says(home, f"[train]\n{table}")
            variables = {}
        done = forecast(
            *SMALL, "--search", "layers,learning-rate", "--settings-file", "tuned.toml", **variables
        )
        assert done.returncode == 0, done.stderr
        tested = Settings(horizon=2, epochs=1)
        numbers = replace(tested, units=32, context=64, clip_norm=1.0)
        by_options, by_the_file = lines_of(done.stdout)
        assert train_with(by_options, variables) == numbers
        assert train_with(by_the_file, variables) == (tested if not variables else numbers)

    def test_the_user_s_other_settings_stay_in_the_file(self, forecast, fits, home, train_with):
        shared = (
            'calendar = "XNYS"\ncurrency = "USD"\ndate-format = "%Y-\\u0022%m"\n'
            'store = "sqlite:///x.db"\n'
        )
        own = 'market = ["a.csv", "b.csv"]\nrefit = false\n'
        user_says(home, f"{shared}[train]\ncell = 'lstm'\n{own}[batch]\n")
        for _ in range(2):
            done = forecast(*SMALL, "--settings-file", "tuned.toml", "--date-format", "%Y-%m-%d")
            assert done.returncode == 0, done.stderr
        now = tomllib.loads(Path("tuned.toml").read_text())
        assert now.pop("train").items() >= tomllib.loads(own).items()
        assert now == tomllib.loads(shared)

    def test_the_password_of_a_store_is_not_in_the_file(self, forecast, fits, home):
        store = 'store = "postgresql://me:secret@db/prices"\n'
        user_says(home, f'{store}calendar = "XNYS"\n')
        here = {"FORECASTER_STORE": "sqlite:///x.db"}  # comes before the file's, which is not there
        done = forecast(*SMALL, "--settings-file", "tuned.toml", **here)
        assert done.returncode == 0, done.stderr
        assert "the store has a password and is not in tuned.toml: set FORECASTER" in done.stderr
        assert "store" not in tomllib.loads(Path("tuned.toml").read_text())

    def test_without_a_gain_it_is_the_default_s(self, forecast, fits):
        fits(lambda panel, measured, *_: losses(panel, measured, Settings(), None))
        assert forecast(*SMALL, "--settings-file", "tuned.toml").returncode == 0
        text = Path("tuned.toml").read_text()
        assert text.startswith("# No setting was better than the default")
        assert text.partition("[train]\n")[2] == "horizon = 2\nepochs = 1\n"
        assert forecast(*SMALL, "--settings-file", "tuned.toml").returncode == 0
