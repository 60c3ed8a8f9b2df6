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
from forecaster.market.store import Store
from forecaster.output.console import render
from forecaster.output.score import score_csv, score_json, score_table


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path}/prices.db") as opened:
        yield opened


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
