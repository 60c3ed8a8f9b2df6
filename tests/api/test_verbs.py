"""Python's verbs and the commands give the same numbers, and fail in words of arguments."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from datetime import UTC, date, datetime
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
from synthetic import garch_history

import forecaster
from forecaster.atomic import locked
from forecaster.errors import LockHeld, SettingsError
from forecaster.market.bars import Panel

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
FB, IBM = SAMPLE / "FB.csv", SAMPLE / "IBM.csv"


@pytest.fixture
def forecast() -> commands.Run:
    return commands.here


def told(done: subprocess.CompletedProcess[str]) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_predict_gives_the_command_s_numbers(forecast):
    said = told(forecast("predict", SAMPLE, "-m", "sample", "--horizon", "3", "-f", "json"))
    made = forecaster.predict(SAMPLE, "sample", horizon=3)
    assert [f.ticker for f in made] == [f["ticker"] for f in said["forecasts"]]
    assert [f.plain_steps() for f in made] == [f["steps"] for f in said["forecasts"]]


def test_a_frame_gives_the_file_s_numbers(forecast):
    said = told(forecast("predict", FB, "-m", "sample", "-f", "json"))
    frame = pd.read_csv(FB)
    assert (
        forecaster.predict({"FB": frame}, "sample")["FB"].plain_steps()
        == (said["forecasts"][0]["steps"])
    )


def test_calendars_travel_with_a_panel(forecast):
    words = ("predict", FB, "-m", "sample", "--calendar", "XNYS", "--as-of", "2012-11-20")
    said = told(forecast(*words, "-f", "json"))["forecasts"][0]["steps"]
    panel = forecaster.read(FB, calendar="XNYS")
    made = forecaster.predict(panel, "sample", as_of="2012-11-20")
    assert made["FB"].plain_steps() == said
    assert [step["session"] for step in said[:2]] == ["2012-11-21", "2012-11-23"]  # Thanksgiving
    assert not any(step["session_estimated"] for step in said)
    assert forecaster.predict(panel.up_to(np.datetime64("2012-11-20")), "sample")["FB"].steps == (
        made["FB"].steps
    )


@pytest.mark.parametrize(
    "day",
    [
        "2012-11-20", date(2012, 11, 20), datetime(2012, 11, 20, 23, tzinfo=UTC),
        np.datetime64("2012-11-20"), np.datetime64("2012-11-20T23:00:00", "ns"),
        pd.Timestamp("2012-11-20", tz="America/New_York"),
    ],
)  # fmt: skip
def test_a_day_comes_in_many_types(day):
    assert str(forecaster.predict(FB, "sample", as_of=day)["FB"].cutoff) == "2012-11-20"


def test_a_market_set_is_the_command_s(forecast):
    said = told(forecast("predict", FB, "-m", "sample", "--market", SAMPLE, "-f", "json"))
    made = forecaster.predict(FB, "sample", market=SAMPLE)
    assert made["FB"].plain_steps() == said["forecasts"][0]["steps"]
    assert made["FB"].market_tickers == said["forecasts"][0]["market_tickers"] == 5
    old = forecaster.read(SAMPLE).up_to(np.datetime64("2013-02-28"))
    for market, without in ((FB, 1), (old, 1), (SAMPLE, 0)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            forecaster.predict(FB, "sample", market=market)
        said = [str(one.message) for one in caught if "as without market: " in str(one.message)]
        assert len(said) == without


def test_backtest_gives_the_command_s_scores(forecast):
    words = ("backtest", SAMPLE, "-m", "sample", "--train-end", "2012-06-29", "--allow-overlap")
    said = forecast(*words, "--baselines", "naive,ewma", "-f", "csv")
    assert said.returncode == 0, said.stderr
    made = forecaster.backtest(
        SAMPLE, "sample", train_end="2012-06-29", allow_overlap=True, baselines=("naive", "ewma")
    )
    from forecaster.output.format import rows_csv

    assert rows_csv(made.table) == said.stdout
    assert len(made.to_dataframe()) == len(said.stdout.splitlines()) - 1


def test_explain_gives_the_command_s_days(forecast):
    from forecaster.output.explain import explain_csv

    said = forecast("explain", FB, "-m", "sample", "-f", "csv")
    assert explain_csv(forecaster.explain(FB, "sample")) == said.stdout


def test_a_model_that_is_being_written_is_saved_elsewhere(home):
    sample = forecaster.load("sample")
    path = home / "models" / "sample.forecast"
    with (
        locked(path, "model sample"),
        pytest.raises(LockHeld, match=r"Wait for it, or choose another target\.$"),
    ):
        forecaster.save(sample)


def test_training_gives_the_command_s_scores_and_weights(forecast, home):
    words = ("train", IBM, "--epochs", "1", "--units", "4", "--horizon", "2", "--name", "theirs")
    said = told(forecast(*words, "-f", "json"))
    settings = forecaster.Settings(epochs=1, units=4, horizon=2)
    made = forecaster.train(IBM, settings, name="theirs")
    assert made.model.id == said["model"]["id"] == forecaster.load("theirs").id
    path = forecaster.save(made, "ours")
    assert path == home / "models" / "ours.forecast"
    assert forecaster.load("ours").id == forecaster.load(path).id == made.model.id
    elsewhere = home / "other.forecast"
    assert forecaster.save(made.model, str(elsewhere)) == elsewhere
    ours = forecaster.predict(IBM, made)
    assert ours.forecasts == forecaster.predict(IBM, "theirs").forecasts
    assert len(repr(made)) < 200
    (epoch,) = made.history
    losses = {"epoch": 1, "training": epoch.loss, "validation": epoch.validation}
    assert said["history"] == [losses]
    (kept,) = forecaster.load("ours").card.history
    assert (kept.training, kept.validation) == (epoch.loss, epoch.validation)
    assert set(made.to_dataframe()["model"]) == {"gru", "naive", "drift", "ewma"}


def test_batch_and_score_are_the_commands(forecast, tmp_path, home):
    made = forecaster.batch(str(FB), "sample", horizon=2)
    assert made.written == 1
    words = ("batch", FB, "-m", "sample", "--horizon", "2", "--output", tmp_path / "x.jsonl")
    again = forecast(*words, "--summary", "-")
    assert json.loads(again.stdout)["written"] == 0
    (line,) = (tmp_path / "x.jsonl").read_text().splitlines()
    assert json.loads(line)["steps"] == made.forecasts[0].plain_steps()
    said = told(forecast("score", "--offline", "-f", "json"))
    assert len(forecaster.score(offline=True).records) == len(said["models"])


def test_a_page_is_the_command_s(forecast, tmp_path):
    assert forecast("report", "sample", "-o", tmp_path / "a.html").returncode == 0
    made = forecaster.report("sample", tmp_path / "b.html")
    assert made.read_bytes() == (tmp_path / "a.html").read_bytes()
    forecaster.report("sample", tmp_path / "c.html", data=FB)
    assert "FB" in (tmp_path / "c.html").read_text()


def test_fetch_names_what_failed(home):
    result = forecaster.fetch("AAPL")
    assert [failure.ticker for failure in result.failures] == ["AAPL"]


@pytest.mark.parametrize("verb", ["fetch", "read", "predict"])
def test_every_verb_asks_the_provider_of_the_settings(verb, home, monkeypatch):
    """As the command does: with two sources in turn, each would replace what the other said."""
    monkeypatch.setenv("FORECASTER_PROVIDER", "nobody")
    with pytest.raises(SettingsError, match="nobody"):
        getattr(forecaster, verb)("AAPL")


def test_doctor_checks_the_installation(monkeypatch):
    monkeypatch.setattr("forecaster.jobs.doctor._devices", lambda: iter(()))  # they take seconds
    assert "python" in {check.name.lower() for check in forecaster.doctor()}
    monkeypatch.setattr("forecaster.jobs.doctor._devices", None)
    assert "models" in {check.name for check in forecaster.doctor(quick=True)}


def test_one_of_several_that_fails_is_a_warning_and_a_failure(tmp_path):
    short = garch_history("SHORT", 1, seed=1)
    with pytest.warns(forecaster.ForecastWarning, match="SHORT was not forecast"):
        made = forecaster.predict([short, garch_history("LONG", 100, seed=2)], "sample")
    assert [failure.ticker for failure in made.failures] == ["SHORT"]
    with pytest.raises(forecaster.ForecastError, match="SHORT has 1 bar"):
        forecaster.predict(short, "sample")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: forecaster.predict(FB, "sample", horizon=99), "horizon is 99"),
        (lambda: forecaster.predict(FB, "sample", as_of="yesterday"), "as_of is 'yesterday'"),
        (lambda: forecaster.predict(FB, "mein"), "no model called mein"),
        (lambda: forecaster.load("/nowhere/x.forecast"), "x.forecast"),
        (lambda: forecaster.explain(SAMPLE, "sample"), "data holds 5 histories"),
        (lambda: forecaster.backtest(FB, "sample", folds=2), "model was given with folds"),
        (lambda: forecaster.backtest(FB, baselines=("arima",)), "baselines names 'arima'"),
        (lambda: forecaster.read(FB, calendar="NYSE?"), "calendar"),
        (lambda: forecaster.fetch([]), "tickers is empty"),
    ],
)
def test_errors_name_arguments(wrong, said):
    with pytest.raises(forecaster.ForecastError) as refused:
        wrong()
    assert said in str(refused.value)
    assert "--" not in str(refused.value)


def test_a_model_that_has_seen_the_future_warns():
    with pytest.warns(forecaster.ForecastWarning, match="no fair test"):
        forecaster.predict(FB, "sample", as_of="2012-11-20")


def test_nothing_heavy_is_loaded(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, forecaster\n"
        "assert not {'pandas', 'numpy', 'tensorflow'} & set(sys.modules)\n"
        "assert 'read' in dir(forecaster) and 'backtest' in forecaster.__all__\n"
        "import pandas\n"
        f"frame = pandas.read_csv({str(FB)!r})\n"
        "made = forecaster.predict(frame, 'sample')\n"
        "assert len(made) == 1\n"
        "assert not {'tensorflow', 'keras', 'sqlalchemy'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


class TestNotebooks:
    def test_reprs_are_short(self):
        made = forecaster.predict(SAMPLE, "sample")
        for thing in (made, forecaster.read(SAMPLE), forecaster.load("sample"), made.histories[0]):
            assert len(repr(thing)) < 200
            assert "\n" not in repr(thing)

    def test_tables_escape_what_comes_from_outside(self):
        made = forecaster.predict({"<b>X": pd.read_csv(FB)}, "sample")
        page = made._repr_html_()
        assert "<table" in page
        assert "&lt;b&gt;X" in page
        assert "<b>X" not in page
        assert "<b>X" not in forecaster.read({"<b>X": pd.read_csv(FB)})._repr_html_()

    def test_wide_forecasts_have_the_names_of_neuralforecast(self):
        frame = forecaster.predict(SAMPLE, "sample", horizon=2).to_dataframe(wide=True)
        assert list(frame.columns[:5]) == ["unique_id", "ds", "median", "lo-50", "hi-50"]
        assert {"lo-90", "hi-90"} <= set(frame.columns)
        assert frame["ds"].dtype.kind == "M"
        assert (frame["lo-90"] < frame["median"]).all()
        assert (frame["median"] < frame["hi-90"]).all()

    def test_long_forecasts_have_the_columns_of_the_command_s_csv(self, forecast):
        said = forecast("predict", SAMPLE, "-m", "sample", "-f", "csv")
        frame = forecaster.predict(SAMPLE, "sample").to_dataframe()
        assert list(frame.columns) == said.stdout.splitlines()[0].split(",")
        assert len(frame) == len(said.stdout.splitlines()) - 1

    def test_pictures_are_figures(self):
        from matplotlib.figure import Figure

        made = forecaster.predict(SAMPLE, "sample")
        assert isinstance(made.plot(), Figure)
        assert isinstance(forecaster.plot(FB, "sample", theme="dark"), Figure)
        with pytest.raises(forecaster.ForecastError, match="room for 1 to 12"):
            forecaster.predict([garch_history(f"T{n}", 60, n) for n in range(13)], "sample").plot()

    def test_a_backtest_is_drawn_and_tabulated(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", forecaster.ForecastWarning)
            made = forecaster.backtest(
                Panel((garch_history("A", 400, 1), garch_history("B", 400, 2))),
                "sample", train_end="2016-01-04", baselines=("naive", "ewma"),
            )  # fmt: skip
        assert made.plot().axes
        assert "pinball" in made._repr_html_()
        assert len(repr(made)) < 500


def test_risk_gives_the_command_s_numbers(forecast, tmp_path):
    said = told(forecast("risk", "AAPL=10", "IBM=5", SAMPLE, "-m", "sample", "-f", "json"))
    made = forecaster.risk({"AAPL": 10, "IBM": 5}, SAMPLE, "sample")
    for step, other in zip(made.steps, said["steps"], strict=True):
        lost = [level.value_at_risk / made.portfolio.value for level in step.levels]
        assert lost == [level["var"] for level in other["levels"]]
    frame = made.to_dataframe()
    assert frame["es"].tolist() == [
        level["es"] for step in said["steps"] for level in step["levels"]
    ]
    assert made.contributions().groupby(["step", "level"])["es"].sum().tolist() == pytest.approx(
        frame["es"].tolist()
    )
    assert "2 holdings" in repr(made)
    assert "1 holding after" in repr(forecaster.risk({"IBM": 1}, SAMPLE, "sample"))
    assert "1 session ahead" in repr(made)
    path = tmp_path / "held.csv"
    path.write_text("ticker,shares\nAAPL,10\nIBM,5\n")
    assert forecaster.risk(path, SAMPLE, "sample").to_dataframe().equals(frame)


def test_rank_gives_the_command_s_numbers(forecast):
    said = told(forecast("rank", SAMPLE, "-m", "sample", "--groups", "3", "-f", "json"))
    made = forecaster.rank(SAMPLE, "sample", groups=3)
    assert [list(r.groups) for r in made.ranks] == [f["groups"] for f in said["forecasts"]]
    assert made.to_dataframe()["ticker"].tolist() == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


def test_tests_of_the_past_give_the_command_s_numbers(forecast):
    past = ("--backtest", "--train-end", "2012-10-01", "--allow-overlap", "-m", "sample")
    said = told(forecast("risk", "AAPL=1", SAMPLE, *past, "--horizon", "1", "-f", "json"))
    made = forecaster.risk_backtest(
        {"AAPL": 1.0},
        SAMPLE,
        "sample",
        horizon=[1],
        train_end="2012-10-01",
        allow_overlap=True,
    )
    assert [row.loss for row in made.rows] == [row["fz0"] for row in said["rows"]]
    said = told(forecast("rank", SAMPLE, *past, "--groups", "3", "--horizon", "5", "-f", "json"))
    ranks = forecaster.rank_backtest(
        SAMPLE, "sample", groups=3, horizon=5, train_end="2012-10-01", allow_overlap=True
    )
    assert ranks.score == said["rps"]


@pytest.mark.parametrize("amount", ["abc", float("nan"), 0, None])
def test_an_amount_that_is_none_is_refused(amount):
    with pytest.raises(forecaster.ForecastError, match="of IBM; a number"):
        forecaster.risk({"IBM": amount}, SAMPLE, "sample")


def test_holdings_of_another_kind_are_refused():
    with pytest.raises(forecaster.ForecastError, match="holdings is a list"):
        forecaster.risk(["AAPL"], SAMPLE, "sample")  # type: ignore[arg-type]


def test_chances_of_predict(forecast):
    said = told(forecast("predict", IBM, "-m", "sample", "--above", "205", "-f", "json"))
    made = forecaster.predict(IBM, "sample", above=205)
    odds = [step.chances[0].probability for step in made["IBM"].steps]
    assert odds == [step["chances"][0]["probability"] for step in said["forecasts"][0]["steps"]]
    assert made.to_dataframe()["above-205"].tolist() == odds
