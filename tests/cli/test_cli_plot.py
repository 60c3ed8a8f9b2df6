"""`forecast plot` and the charts of `forecast backtest` from outside."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from terminals import in_terminal, read_until

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
AAPL = SAMPLE / "AAPL.csv"
TESTED = ("backtest", SAMPLE / "FB.csv", "--model", "sample", "--train-end", "2012-10-01",
          "--allow-overlap", "--baselines", "naive,ewma")  # fmt: skip


def on_terminal(columns: int, *arguments: str | Path) -> tuple[int, str]:
    """Exit code and output of a command whose stdout and stderr are a terminal of that width."""
    command = [sys.executable, "-m", "forecaster", *map(str, arguments)]
    with in_terminal(command, columns, TERM="xterm", NO_COLOR="1") as (process, terminal):
        said = read_until(terminal, None)
        return process.wait(10), said.replace("\r\n", "\n")


@pytest.mark.parametrize("ending", ["png", "svg", "html", "PNG"])
def test_a_file_is_written_whole_and_stdout_stays_empty(forecast, model, prices, tmp_path, ending):
    file = tmp_path / f"fan.{ending}"
    run = forecast("plot", prices, "--output", file)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", f"note: wrote {file}\n")
    content = file.read_bytes()
    if ending.lower() == "png":
        assert struct.unpack(">I", content[16:20]) == (1200,)
    else:
        text = content.decode()
        for needed in ("ABC", "2024-01-11", "blank", "not measured", "investment advice"):
            assert needed in text
        if ending == "svg":
            ElementTree.fromstring(content)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ABC.csv", file.name, "home"]


def test_a_pipe_gets_plain_text_with_the_forecast_of_predict(apart):
    run = apart("plot", AAPL, "--model", "sample", "--horizon", "5")
    assert (run.returncode, run.stderr) == (0, "")
    assert "\x1b" not in run.stdout
    shown = json.loads(
        apart("predict", AAPL, "--model", "sample", "--horizon", "5", "-f", "json").stdout
    )["forecasts"][0]
    last = shown["steps"][-1]
    for level, name in (("0.05", "5%"), ("0.5", "median"), ("0.95", "95%")):
        assert f"{name:<6} {last['quantiles'][level]:.2f}" in run.stdout
    assert f"{last['session']}~" in run.stdout
    assert "skill +9.4% over naive" in run.stdout
    chart = run.stdout.split("~ date")[0].splitlines()
    assert max(map(len, chart)) <= 80


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_terminal_gets_a_chart_that_fits(home, columns):
    code, said = on_terminal(columns, "plot", AAPL, "--model", "sample")
    assert code == 0, said
    lines = [line for line in said.splitlines() if not line.startswith("next: ")]
    assert max(map(len, lines)) <= columns
    assert "2013-03-29~" in said
    assert "median" in said


def test_a_terminal_that_is_too_narrow_is_said(home):
    code, said = on_terminal(30, "plot", AAPL, "--model", "sample")
    assert code == 2
    assert "30 columns wide; a chart needs at least 40" in " ".join(said.split())
    assert "│" not in said


def test_several_tickers_are_one_picture_or_one_chart_below_the_other(forecast, tmp_path):
    file = tmp_path / "all.svg"
    run = forecast("plot", SAMPLE, "--model", "sample", "--output", file)
    assert run.returncode == 0, run.stderr
    text = file.read_text()
    names = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert all(f">{name}  " in text for name in names)
    shown = forecast("plot", SAMPLE, "--model", "sample").stdout
    assert [line.split()[0] for line in shown.splitlines() if " on 2013" in line] == list(names)


def test_a_history_that_fails_is_reported_and_the_rest_is_drawn(forecast, model, prices, tmp_path):
    short = tmp_path / "ONE.csv"
    short.write_text("Date,Close\n2024-01-02,5\n")
    file = tmp_path / "fan.png"
    run = forecast("plot", prices, short, "--output", file)
    assert run.returncode == 3
    assert "ONE has 1 bar" in run.stderr
    assert file.exists()
    file.unlink()
    run = forecast("plot", short, "--output", file)
    assert run.returncode == 4
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "fan.jpg"], ".png, .svg or .html. Call it fan.png."),
        (["--output", "fan"], ".png, .svg or .html"),
        (["--output", "fan.png", "--width", "100"], "--width is 100"),
        (["--width", "900"], "--width was given and no picture is written"),
        (["--theme", "dark", "--output", "-"], "it belongs to --output. Add --output chart.png"),
        (["--history", "1"], "--history is 1"),
        (["--history", "0"], "--history is 0"),
        (["--as-of", "soon"], "--as-of"),
    ],
)
def test_wrong_options_are_said_before_any_work(forecast, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    run = forecast("plot", "missing.csv", "--model", "nobody", *arguments)
    assert run.returncode == 2
    assert said in run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_the_look_of_pictures_may_be_set_where_none_is_drawn(forecast, model, prices, home):
    (home / "forecaster.toml").write_text("[plot]\nwidth = 900\n")
    assert forecast("plot", prices, FORECASTER_PLOT_THEME="dark").returncode == 0


def test_the_look_of_a_backtests_picture_belongs_to_its_file(forecast):
    run = forecast(*TESTED, "--plot", "--theme", "dark")
    assert run.returncode == 2
    assert "--theme was given and no picture is written; it belongs to --plot-output" in run.stderr


def test_thirteen_histories_are_too_many_for_a_picture(forecast, model, prices, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(13):
        (folder / f"T{number}.csv").write_text(prices.read_text())
    file = tmp_path / "fan.png"
    run = forecast("plot", folder, "--output", file)
    assert run.returncode == 2
    assert "13 histories were given; a picture has room for 12" in run.stderr
    assert not file.exists()


def test_a_folder_that_cannot_be_written_leaves_nothing(forecast, model, prices):
    run = forecast("plot", prices, "--output", "/proc/fan.png")
    assert run.returncode == 2
    assert "--output /proc/fan.png could not be written" in run.stderr


def test_a_picture_that_is_there_is_kept_when_a_run_fails(forecast, model, prices, tmp_path):
    file = tmp_path / "fan.svg"
    file.write_text("older")
    assert forecast("plot", "missing.csv", "--output", file).returncode == 4
    assert file.read_text() == "older"
    assert forecast("plot", prices, "--output", file).returncode == 0
    assert file.read_text().startswith("<?xml")


def test_hindsight_is_said(forecast):
    run = forecast("plot", SAMPLE / "FB.csv", "--model", "sample", "--as-of", "2012-12-31")
    assert "has seen what came next" in run.stderr
    assert "on 2012-12-31" in run.stdout


class TestBacktest:
    def test_a_plot_stands_below_the_table(self, forecast):
        run = forecast(*TESTED, "--plot")
        assert run.returncode == 0, run.stderr
        places = [run.stdout.index(n) for n in (
            "Cutoffs", "Backtest of sample", "Calibration, one", "Skill by sessions ahead",
            "Skill by month",
        )]  # fmt: skip
        assert places == sorted(places)

    def test_a_picture_leaves_stdout_as_it_was(self, forecast, tmp_path):
        file = tmp_path / "tested.html"
        run = forecast(*TESTED, "-f", "json", "--plot-output", file)
        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout)["schema"] == "backtest/1"
        for needed in ("Calibration", "Loss over time", "2012-10-01"):
            assert needed in file.read_text()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--plot", "-f", "json"], "--plot draws on standard output"),
            (["--plot-output", "x.gif"], "--plot-output is x.gif"),
        ],
    )
    def test_wrong_options_are_said_before_any_work(self, forecast, arguments, said):
        run = forecast("backtest", "missing.csv", *arguments)
        assert run.returncode == 2
        assert said in run.stderr
