"""Types are part of what is installed: a user's file is checked against those of the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import forecaster

pytestmark = pytest.mark.installs

ROOT = Path(__file__).resolve().parents[1]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
SCRIPT = """
from datetime import date

import numpy as np
import pandas as pd

import forecaster

frame = pd.DataFrame({"Close": [1.0, 2.0]}, index=pd.to_datetime(["2024-01-02", "2024-01-03"]))
panel = forecaster.read(frame, ticker="A", calendar="XNYS")
panel = forecaster.read({"A": frame, "B": frame["Close"]})
panel = forecaster.read(["prices/", "AAPL", frame], id_col="who", skip_unreadable=True)
settings = forecaster.Settings(cell="lstm", units=16)
trained = forecaster.train(panel, settings, name="mine", train_end=date(2020, 1, 2), progress=True)
saved = forecaster.save(trained, "mine")
model = forecaster.load("mine")
made = forecaster.predict(frame, model, horizon=3, as_of=np.datetime64("2024-01-03"))
made = forecaster.predict("AAPL", as_of="2024-01-03", market=panel)
table = made.to_dataframe(wide=True)
figure = made.plot()
figure.savefig("fan.png")
for forecast in made:
    for step in forecast.steps:
        print(step.session, step.quantiles[0.5] / step.naive)
tested = forecaster.backtest(panel, settings=settings, folds=3, cells=("gru", "lstm"))
tested.plot(theme="dark").savefig("backtest.png")
print(tested.to_dataframe().sort_values("pinball"))
for verdict in tested.table.verdicts:
    print(verdict.word, verdict.p)
kinds = forecaster.compare(panel)
searched = forecaster.tune(panel, search=["units"], study="s.json")
print(searched.settings.units, searched.better, [trial.loss for trial in searched.trials])
print(kinds[0].first.pinball)
days = forecaster.explain(frame, model).days
print(days[0].close)
forecaster.plot(frame, model, theme="light")
held = forecaster.risk({"A": 100, "CASH": 50.0}, panel, model, horizon=[1, 5], loss=0.1)
print(held.steps[0].levels[0].value_at_risk, held.contributions(), held.to_dataframe())
held.plot().savefig("losses.png")
print([row.loss for row in forecaster.risk_backtest("holdings.csv", panel, model).rows])
print([rank.groups for rank in forecaster.rank(panel, model, groups=2).ranks])
print(forecaster.rank_backtest(panel, model, train_end="2020-01-02").score)
print(forecaster.fetch(["AAPL", "MSFT"], since="2020-01-01").updated)
night = forecaster.batch("watchlist.txt", model, horizon=5, offline=True)
print(night.head, len(night.forecasts))
print([record.scored for record in forecaster.score(since="2024-01-01").records])
page = forecaster.report("mine", "mine.html", data=frame)
print(page.name, [check.finding for check in forecaster.doctor() if not check.ok])
closes: np.ndarray[tuple[int], np.dtype[np.float64]] = np.array([1.0, 2.0])
history = forecaster.history_from_closes("A", ["2024-01-02", "2024-01-03"], closes)
again = forecaster.Panel((history,)).to_dataframe()
try:
    forecaster.read("NOWHERE.csv")
except forecaster.ForecastError as problem:
    print(problem.exit_code)
reveal_type(panel.histories[0].close)
reveal_type(trained.model)
made.forecasts[0].tickr
forecaster.Settings(cell="transformer")
forecaster.predikt
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Standard output of a command, away from the checkout."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == "", done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, and everything else from where this one has it."""
    folder = tmp_path_factory.mktemp("typed")
    run(*PIP, "wheel", ROOT, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, cwd=folder)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    install = ("install", "--no-deps", "--no-index", "--no-compile", wheel)
    run(*PIP, "--python", python, *install, cwd=folder)
    (packages,) = (folder / "venv").glob("lib/*/site-packages")
    assert (packages / "forecaster").is_dir()
    # its editable checkout is not found this way: a .pth in a folder that another one names is text
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    return python


def test_a_user_s_file_sees_types_and_mistakes(python, tmp_path):
    script = tmp_path / "script.py"
    names = [f"reveal_type(forecaster.{name})" for name in forecaster.__all__]
    script.write_text("\n".join([SCRIPT, *names]))
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", python)
    told = run(*mypy, script, cwd=tmp_path, PYTHONPATH="", MYPYPATH="")
    types = re.findall(r'note: Revealed type is "(.*)"', told)
    assert types[0].startswith("numpy.ndarray[tuple[Any, ...], numpy.dtype[numpy.float64")
    assert types[1] == "forecaster.model.artifact.Model"
    assert len(types) == 2 + len(names)
    assert "Any" not in types[2:]
    errors = [line.partition("error: ")[2] for line in told.splitlines() if "error: " in line]
    assert len(errors) == 3, told
    assert '"TickerForecast" has no attribute "tickr"' in errors[0]
    assert "incompatible type \"Literal['transformer']\"" in errors[1]
    assert 'Module has no attribute "predikt"' in errors[2]
