"""Settings from flags, variables and forecaster.toml; and `forecast config`, which tells them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from imports import loaded
from typer.core import TyperGroup

from forecaster.cli import config_file


@pytest.fixture
def toml(home: Path):
    """Write forecaster.toml into the home folder."""

    def write(text: str) -> Path:
        home.mkdir(parents=True, exist_ok=True)
        path = home / "forecaster.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="module")
def options(program: TyperGroup) -> config_file.Options:
    """Every option of every command."""
    return config_file.options_of(program)


def steps(run: subprocess.CompletedProcess[str]) -> int:
    assert run.returncode == 0, run.stderr
    return len(json.loads(run.stdout)["forecasts"][0]["steps"])


def shown(run: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str, str]]:
    assert run.returncode == 0, run.stderr
    settings = json.loads(run.stdout)["settings"]
    return {s["key"]: (s["value"], s["source"], s["name"]) for s in settings}


class TestPrecedence:
    def test_a_flag_comes_before_a_variable_before_the_file_before_the_default(
        self, forecast, model, prices, toml
    ):
        command = ("predict", prices, "-f", "json")
        assert steps(forecast(*command)) == 3
        toml("[predict]\nhorizon = 1\n")
        assert steps(forecast(*command)) == 1
        assert steps(forecast(*command, FORECASTER_PREDICT_HORIZON="2")) == 2
        assert steps(forecast(*command, "--horizon", "3", FORECASTER_PREDICT_HORIZON="2")) == 3

    def test_a_commands_own_setting_comes_before_the_shared_one(
        self, forecast, model, prices, toml
    ):
        def used(**environment: str) -> str:
            run = forecast("predict", prices, "-f", "json", **environment)
            return json.loads(run.stdout)["model"]["name"]

        toml('model = "sample"\n')
        assert used() == "sample"
        toml('model = "sample"\n[predict]\nmodel = "blank"\n')
        assert used() == "blank"
        assert used(FORECASTER_MODEL="sample") == "sample"
        assert used(FORECASTER_MODEL="sample", FORECASTER_PREDICT_MODEL="blank") == "blank"

    @pytest.mark.parametrize("command", ["explain", "plot", "risk", "rank"])
    def test_a_model_set_for_all_makes_every_forecast(self, forecast, prices, command):
        words = {"risk": [f"{prices.stem}=1", prices], "rank": [prices, prices]}
        run = forecast(command, *words.get(command, [prices]), FORECASTER_MODEL="no-such-model")
        assert (run.returncode, "no-such-model" in run.stderr) == (6, True), run.stderr

    def test_an_option_of_two_names_can_be_set_by_both(self, forecast, model, prices, toml):
        def step(*words: str, **environment: str) -> int:
            run = forecast("explain", prices, "-f", "json", *words, **environment)
            assert (run.returncode, run.stderr) == (0, "")
            return int(json.loads(run.stdout)["step"])

        toml("[explain]\nhorizon = 2\n")
        assert step() == 2
        assert step(FORECASTER_EXPLAIN_HORIZON="3") == 3
        assert step("--horizon", "1", FORECASTER_EXPLAIN_STEP="3") == 1
        toml("[explain]\nhorizon = 2\nstep = 2\n")
        run = forecast("explain", prices)
        assert "horizon in [explain] is another name of step, which is set there" in run.stderr

    def test_an_empty_variable_is_none(self, forecast, model, prices, toml):
        toml("[predict]\nhorizon = 1\n")
        run = forecast("predict", prices, "-f", "json", FORECASTER_PREDICT_HORIZON="")
        assert steps(run) == 1

    def test_a_model_for_forecasts_is_not_the_one_that_backtest_scores(self, options):
        assert config_file.is_shared("model", "predict")
        assert not config_file.is_shared("model", "backtest")

    def test_lists_flags_and_words_come_from_the_file(self, forecast, model, tmp_path, toml):
        path = tmp_path / "x.csv"
        path.write_text("Tag;Kurs\n2024-01-02;1\n2024-01-03;2\n")
        toml(
            '[predict]\ncolumn = ["date=Tag", "close=Kurs"]\nformat = "csv"\n'
            'ticker = "ABC"\nas-of = 2024-01-03\noutput = "' + str(tmp_path / "out.csv") + '"\n'
        )
        run = forecast("predict", path)
        assert (run.returncode, run.stdout) == (0, ""), run.stderr
        assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith("ABC,2024-01-03,1,")

    def test_switches_come_from_variables(self, forecast, home):
        (home / "models").mkdir(parents=True)
        (home / "models" / "x.forecast").write_text("")
        run = forecast("models", "delete", "x", FORECASTER_MODELS_DELETE_YES="1")
        assert run.returncode == 0
        assert not (home / "models" / "x.forecast").exists()

    @pytest.mark.parametrize("how", ["file", "variable"])
    def test_a_tilde_is_the_users_folder(
        self, forecast, model, prices, tmp_path, toml, how, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        user = tmp_path / "user"
        user.mkdir()
        (user / "prices.csv").write_bytes(Path(prices).read_bytes())
        environment = {"HOME": str(user), "USERPROFILE": str(user)}
        if how == "file":
            toml('[predict]\noutput = "~/o.json"\nmarket = ["~/prices.csv"]\n')
        else:
            environment |= {"FORECASTER_PREDICT_OUTPUT": "~/o.json"}
        run = forecast("predict", prices, **environment)
        assert run.returncode == 0, run.stderr
        assert (user / "o.json").exists(), run.stderr
        assert not Path("~").exists()

    def test_the_rooms_below_get_what_the_file_says(self, forecast, model, home, tmp_path):
        file = tmp_path / "mine.toml"
        file.write_text(f'home = "{home}"\nstore = "sqlite:///{tmp_path}/kept.db"\n')
        run = forecast("models", "list", FORECASTER_HOME="", FORECASTER_CONFIG=str(file))
        assert "blank" in run.stdout
        run = forecast("data", "list", FORECASTER_HOME="", FORECASTER_CONFIG=str(file))
        assert run.returncode == 0, run.stderr
        assert (tmp_path / "kept.db").exists()
        elsewhere = str(tmp_path / "other.db")
        forecast(
            "data", "list", FORECASTER_CONFIG=str(file), FORECASTER_STORE=f"sqlite:///{elsewhere}"
        )
        assert Path(elsewhere).exists()


class TestWhichFile:
    def path(self, cwd: Path, **environment: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "forecaster", "config", "path"],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, **environment},
            check=True,
        ).stdout.strip()

    def test_the_named_one_then_the_one_here_then_the_one_at_home(self, home, tmp_path):
        here = tmp_path / "here"
        here.mkdir()
        config = str(tmp_path / "config")
        platform = {"FORECASTER_HOME": "", "XDG_CONFIG_HOME": config}
        if sys.platform == "linux":
            assert self.path(here, **platform) == f"{config}/forecaster/forecaster.toml"
        assert self.path(here) == str(home / "forecaster.toml")
        (here / "forecaster.toml").write_text("")
        assert self.path(here) == str(here / "forecaster.toml")
        assert self.path(here, FORECASTER_CONFIG="/x/y.toml") == "/x/y.toml"

    def test_a_file_that_is_not_there_is_said(self, forecast, toml):
        assert "no such file" in forecast("config", "path").stderr
        toml("")
        assert forecast("config", "path").stderr == ""

    def test_a_named_file_must_be_there(self, forecast):
        run = forecast("models", "list", FORECASTER_CONFIG="/no/such.toml")
        assert run.returncode == 2
        assert "FORECASTER_CONFIG names /no/such.toml" in run.stderr

    def test_without_a_file_no_parser_is_loaded(self, model, home, prices):
        command = ["predict", str(prices)]
        assert loaded(command, ["tomllib"]) == []
        (home / "forecaster.toml").write_text("")
        assert loaded(command, ["tomllib"]) == ["tomllib"]


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("provder = 'yahoo'", "provder is no setting; did you mean provider?"),
            ("Offline = true", "Offline is no setting; did you mean offline?"),
            ("horizon = 3", "it belongs in the table of a command: [predict]"),
            ("out = 'b.csv'", "it belongs in the table of a command: [train] or [batch]"),
            ("[trian]\ncell = 'gru'", "[trian] is no setting; did you mean [train]?"),
            ("[Risk]\nloss = '5%'", "[Risk] is no setting; did you mean [risk]?"),
            ("[Plot]\nhistory = 30", "[Plot] is no setting; did you mean [plot]?"),
            ("[Data.export]\nformat = 'csv'", "[Data] is no setting; did you mean [data]?"),
            ("[train]\nunit = 3", "unit in [train] is no setting; did you mean units?"),
            ("[train]\nbatch_size = 3", "did you mean batch-size?"),
            ("[train]\nlog-format = 'json'", "it belongs above the tables"),
            (
                "[data]\nformat = 'json'",
                "export, import, list, prune, rename, verify may stand there",
            ),
            ("[data.exprt]\nformat = 'csv'", "exprt in [data] is no setting; did you mean export?"),
            ("TIINGO-API-KEY = 'x'", "it belongs in the variable TIINGO_API_KEY"),
            ("train = 3", "Write [train] on a line of its own"),
            ("[train]\nunits = 'x'", 'units in [train] is "x"; a whole number is needed'),
            ("[train]\nunits = 3.5", "units in [train] is 3.5; a whole number is needed"),
            ("[train]\nunits = true", "units in [train] is true; a whole number is needed"),
            ("[train]\ndropout = nan", "a number is needed"),
            ("[train]\nrefit = 1", "refit in [train] is 1; true or false is needed"),
            ("[train]\nname = 5", "name in [train] is 5; a string in quotes is needed"),
            ("home = ''", 'home is ""; a string that is not empty is needed'),
            ("store = ''", 'store is ""; a string that is not empty is needed'),
            ("currency = ''", 'currency is ""; a string that is not empty is needed'),
            ("[predict]\noutput = ''", 'output in [predict] is ""; a string that is not empty'),
            ("[predict]\ncolumn = ['']", "a string that is not empty is needed"),
            ("[train]\ncell = 'lstmm'", "rnn, lstm or gru (did you mean lstm?) is needed"),
            ("[predict]\ncolumn = 5", "an array of strings is needed"),
            ("[predict]\ncolumn = [5]", "is an array; an array of strings is needed"),
            ("[predict]\nas-of = 2013-01-01T09:30:00", "is a date with a time; a string in quotes"),
            ("[train]\nunits = \n", "(at line 2, column 9)"),
            ("pause = 'long'", 'pause is "long"; a number is needed'),
            ("log-format = 'xml'", "text or json"),
        ],
    )
    def test_with_the_file_and_one_thing_to_do(self, forecast, toml, text, said):
        path = toml(text)
        run = forecast("models", "list")
        assert run.returncode == 2
        assert run.stdout == ""
        assert str(path) in run.stderr
        assert said in run.stderr
        assert run.stderr.count("\n") == 1

    def test_bytes_that_are_no_text(self, forecast, home):
        home.mkdir()
        (home / "forecaster.toml").write_bytes(b"\xff\xfe\x00")
        run = forecast("models", "list")
        assert run.returncode == 2
        assert "it is not UTF-8" in run.stderr

    def test_a_byte_order_mark_is_fine(self, forecast, home):
        home.mkdir()
        (home / "forecaster.toml").write_bytes(b"\xef\xbb\xbfoffline = true\n")
        assert shown(forecast("config", "show", "-f", "json"))["offline"][0] == "true"

    def test_a_folder_in_its_place(self, forecast, home):
        (home / "forecaster.toml").mkdir(parents=True)
        run = forecast("models", "list")
        assert run.returncode == 2
        assert "cannot be read" in run.stderr

    def test_help_and_the_path_are_there_to_mend_it(self, forecast, toml):
        path = toml("unknown = 1")
        assert forecast("train", "--help").returncode == 0
        run = forecast("config", "path")
        assert (run.returncode, run.stdout, run.stderr) == (0, f"{path}\n", "")

    @pytest.mark.parametrize(
        ("arguments", "text", "said"),
        [
            (["train", "x.csv"], "[train]\nunits = 0", "--units comes from [train] in"),
            (["predict", "x.csv"], "model = 'nosuch'", "--model comes from /"),
            (["data", "prune"], "[data.prune]\nidle = 0", "idle of [data.prune] in /"),
            (["fetch", "AAPL"], "pause = -1", "FORECASTER_PAUSE is set in /"),
        ],
    )
    def test_messages_about_values_say_that_they_are_from_the_file(
        self, forecast, toml, arguments, text, said
    ):
        toml(text)
        run = forecast(*arguments)
        assert run.returncode in (2, 6)
        assert said in " ".join(run.stderr.replace("│", " ").split())

    def test_messages_about_values_say_that_they_are_from_a_variable(self, forecast):
        run = forecast("train", "x.csv", FORECASTER_TRAIN_UNITS="0")
        assert "--units comes from FORECASTER_TRAIN_UNITS" in run.stderr
        run = forecast("train", "x.csv", FORECASTER_TRAIN_UNITS="many")
        assert run.returncode == 2
        assert run.stderr == (
            "error: FORECASTER_TRAIN_UNITS is 'many'; a whole number is needed. Write for example"
            " FORECASTER_TRAIN_UNITS=32, or unset it.\n"
        )

    def test_a_setting_that_a_message_is_not_about_is_left_out(self, forecast):
        settings = {"FORECASTER_PREDICT_FORMAT": "csv", "FORECASTER_PREDICT_TICKER": "missing"}
        run = forecast("predict", "missing.csv", **settings)
        assert run.returncode == 4
        assert "comes from" not in run.stderr
        run = forecast("predict", "x.csv", FORECASTER_PREDICT_AS_OF="soon")
        assert "--as-of comes from FORECASTER_PREDICT_AS_OF" in run.stderr

    def test_a_value_that_was_typed_is_not_said_to_come_from_elsewhere(self, forecast, toml):
        toml("[train]\nunits = 5")
        run = forecast("train", "x.csv", "--units", "0", FORECASTER_TRAIN_UNITS="7")
        assert run.returncode == 2
        assert "comes from" not in run.stderr


class TestUnknownVariables:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("FORECASTER_HORIZN", "FORECASTER_PREDICT_HORIZON"),
            ("FORECASTER_BATCH_SIZE", "Did you mean FORECASTER_TRAIN_BATCH_SIZE or "),
            ("FORECASTER_PROVIDR", "Did you mean FORECASTER_PROVIDER?"),
            ("FORECASTER_TRIAN_CELL", "Did you mean FORECASTER_TRAIN_CELL?"),
            ("FORECASTER_Offline", "Did you mean FORECASTER_OFFLINE?"),
            ("forecaster_train_cell", "Did you mean FORECASTER_TRAIN_CELL?"),
            ("FORECASTER_XYZZY", "Unset it if it is not needed."),
        ],
    )
    def test_get_a_note_with_the_nearest(self, forecast, name, said):
        run = forecast("models", "list", **{name: "3"})
        assert run.returncode == 0
        assert f"note: {name} is no setting of forecast and is ignored." in run.stderr
        assert said in run.stderr

    def test_but_not_where_nothing_is_to_be_printed(self, forecast, model, prices, tmp_path):
        out = tmp_path / "o.csv"
        run = forecast("batch", prices, "--quiet", "--output", out, FORECASTER_HORIZN="3")
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
        assert out.exists()
