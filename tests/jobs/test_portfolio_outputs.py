"""The record of portfolios' risks as a document, a table and rows."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest
from fake_provider import FakeProvider
from risks_written import put, risk_row
from written import LAST, history, run, write

from forecaster.jobs.matching import NOT_YET
from forecaster.jobs.nightly_risk import record_of
from forecaster.jobs.risk import risk
from forecaster.jobs.risk_backtest import NETWORK, risk_backtest
from forecaster.jobs.score import score_journal
from forecaster.joint.holdings import Holdings, Position
from forecaster.market.bars import Panel
from forecaster.market.files.read import read_files
from forecaster.model.artifact import load
from forecaster.model.registry import BOXED
from forecaster.output.console import render
from forecaster.output.score import score_csv, score_json, score_table


@pytest.fixture
def source() -> FakeProvider:
    return FakeProvider({name: history(name) for name in ("ABC", "XYZ")})


class TestOutputs:
    @pytest.fixture
    def scored(self, store, source):
        write(store, source.truth["ABC"], 150)
        for row in range(100, 125):
            put(store, risk_row(source.truth, row, steps=(1, 5), var=0.01))
        put(store, risk_row(source.truth, 199, named={1: LAST + 3}))
        return run(store, source)

    def test_the_document(self, scored):
        (found,) = json.loads(score_json(scored))["portfolios"]
        (record,) = scored.portfolios
        assert [t["exceeded"] for t in found["tallies"]] == [t.exceeded for t in record.tallies]
        first = found["outcomes"][0]
        assert first["profit_amount"] == pytest.approx(1000 * first["profit"])
        assert first["levels"][0]["exceeded"] == (first["profit"] <= -0.01)
        assert found["unscored"][0]["reason"] == NOT_YET

    def test_the_table(self, scored):
        shown = render(lambda width: score_table(scored, width), None)
        assert "Risk of mine.csv by model m (id-m): 50 scored, 1 open" in shown
        assert "what is expected and tested is theirs" in " ".join(shown.split())

    def test_rows(self, scored):
        rows = list(csv.DictReader(io.StringIO(score_csv(scored))))
        assert [row["holdings"] for row in rows] == [""] * 3 + ["mine.csv"] * 4
        own = rows[-4:]
        assert [(r["step"], r["level"], r["n"]) for r in own] == [
            ("1", "0.95", "25"), ("1", "0.99", "25"), ("5", "0.95", "5"), ("5", "0.99", "5"),
        ]  # fmt: skip
        assert math.isclose(float(own[0]["expected"]), 1.25)
        assert own[2]["kupiec_p"] == ""


def test_nights_that_were_lived_count_as_the_backtest_does(store):
    """Forty nights of fixed weights, one and five sessions ahead, on the sample data."""
    sample = BOXED.parents[3] / "sample_data"
    prices = read_files([str(sample / f"{name}.csv") for name in ("AAPL", "IBM")]).panel.histories
    model = load(BOXED)
    held = Holdings((Position("AAPL", 0.5, "weight"), Position("IBM", 0.5, "weight")))
    days = prices[0].sessions[-41:-1]
    files = {made.ticker: f"{made.ticker}.csv" for made in prices}
    for day in days:
        made = risk(model, held, prices, as_of=day, steps=(1, 5), draws=10_000)
        put(store, record_of(made, files, "mine.csv"))
    (record,) = score_journal(happened=prices, store=store).portfolios
    tested = risk_backtest(model, held, Panel(prices), train_end=days[0], allow_overlap=True)
    own = [row for row in tested.rows if row.model == NETWORK]
    assert [(tally.step, tally.level) for tally in record.tallies] == [
        (row.step, row.level) for row in own
    ]
    for tally, row in zip(record.tallies, own, strict=True):
        assert (tally.periods, tally.periods_exceeded) == (row.sessions, row.coverage.exceeded)
        if tally.step == 1:
            assert tally.kupiec == pytest.approx(row.coverage.kupiec)
            assert tally.christoffersen == pytest.approx(row.coverage.christoffersen)
    assert record.tallies[0].exceeded > 0
