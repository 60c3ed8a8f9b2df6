"""Portfolios in the nightly verbs of Python are those of the commands."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import commands
import pytest

import forecaster
from forecaster.joint.holdings import Holdings, Position
from forecaster.market.store import Store
from forecaster.market.store.risk_journal import RiskEntry, risks

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
SHARES = {"AAPL": 10, "IBM": 20, "CASH": 1000}

pytestmark = pytest.mark.filterwarnings("ignore::forecaster.ForecastWarning")


@pytest.fixture
def forecast() -> commands.Run:
    """Run the command in this process."""
    return commands.here


def journaled() -> list[RiskEntry]:
    with Store() as store, store.reading() as tx:
        return list(risks(tx))


@pytest.fixture
def holdings(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text("ticker,shares\nAAPL,10\nIBM,20\nCASH,1000\n")
    return path


def test_batch_writes_what_the_command_does(forecast, holdings):
    made = forecaster.batch(str(SAMPLE), "sample", risk=holdings)
    assert made.risk is not None
    assert made.risk.written
    (entry,) = journaled()
    assert entry.record.source == str(holdings)
    done = forecast("batch", SAMPLE, "-m", "sample", "-q", "--risk", holdings, "--summary", "-")
    assert json.loads(done.stdout)["risk"]["written"] is False
    assert len(journaled()) == 1


def test_amounts_by_ticker_and_holdings_have_no_file():
    held = Holdings((Position("AAPL", 0.5, "weight"), Position("IBM", 0.5, "weight")))
    for given in (SHARES, held):
        made = forecaster.batch(str(SAMPLE), "sample", risk=given)
        assert made.risk is not None
        assert made.risk.failure is None
    assert [entry.record.portfolio for entry in journaled()] == ["AAPL, CASH, IBM", "AAPL, IBM"]
    alone = forecaster.risk(SHARES, str(SAMPLE), "sample")
    level = journaled()[0].record.steps[0].levels[0]
    value = alone.portfolio.value
    assert level.var == pytest.approx(alone.steps[0].levels[0].value_at_risk / value, rel=1e-5)


def test_what_cannot_be_forecast_is_no_exception(tmp_path):
    made = forecaster.batch(str(SAMPLE), "sample", risk=tmp_path / "gone.csv")
    assert made.risk is not None
    assert "cannot be read" in str(made.risk.failure.error)
    assert (len(made.forecasts), made.failures, len(made.problems)) == (5, (), 1)


def test_what_holds_nothing_is_refused_at_once():
    with pytest.raises(forecaster.ForecastError, match="a file or amounts by ticker"):
        forecaster.batch(str(SAMPLE), "sample", risk=5)  # type: ignore[arg-type]


def test_score_has_portfolios(forecast, holdings):
    forecaster.batch(str(SAMPLE), "sample", risk=holdings)
    made = forecaster.score(str(SAMPLE))
    said = json.loads(forecast("score", SAMPLE, "-f", "json").stdout)
    assert [record.holdings for record in made.portfolios] == [str(holdings)]
    assert [record["late"] for record in said["portfolios"]] == [made.portfolios[0].late]


def test_report_is_the_command(forecast, tmp_path, holdings):
    words = ("--holdings", holdings, "--holdings", SAMPLE)
    assert forecast("report", "sample", "-o", tmp_path / "a.html", *words).returncode == 0
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        forecaster.report("sample", tmp_path / "b.html", holdings=holdings, data=str(SAMPLE))
    assert not [w for w in seen if not issubclass(w.category, forecaster.ForecastWarning)]
    a, b = ((tmp_path / name).read_text() for name in ("a.html", "b.html"))
    section = a[a.index('<section id="losses">') :].partition("</section>")[0]
    assert section in b
    with pytest.raises(forecaster.ForecastError, match="held and has no history"):
        forecaster.report("sample", tmp_path / "c.html", holdings={"X": 1}, data=str(SAMPLE))
    assert not (tmp_path / "c.html").exists()
