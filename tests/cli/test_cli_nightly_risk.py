"""A portfolio's risk every night: batch, journal, score and report from outside."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from batches import NAMES, age, written
from sqlalchemy import text

from forecaster.market.store import Store, journal
from forecaster.market.store.risk_journal import append_risk, risks

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Holdings, one of which is on no watchlist, in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("ticker,shares\nAAPL,10\nVOD.L,200\nCASH,1000\n")
    return "mine.csv"


@pytest.fixture
def dollars(mine: str) -> str:
    Path(mine).write_text("ticker,shares\nAAPL,10\nMSFT,5\nCASH,1000\n")
    return mine


def in_journal(home: Path):
    with Store(f"sqlite:///{home}/prices.db") as store, store.reading() as tx:
        assert not journal.verify(tx).broken
        return list(risks(tx))


class TestBatch:
    def test_writes_it_down_once(self, forecast, stored, home, dollars):
        words = ("batch", stored, "--offline", "--risk", dollars, "-o", "t.csv", "--summary", "s")
        done = forecast(*words)
        assert done.returncode == 0, done.stderr
        assert "mine.csv: value at risk" in " ".join(done.stderr.split())
        (entry,) = in_journal(home)
        said = json.loads(Path("s").read_text())["risk"]
        assert (said["holdings"], said["written"], said["cutoff"]) == (
            "mine.csv", True, str(entry.record.cutoff),
        )  # fmt: skip
        (level, _) = said["steps"][0]["levels"]
        assert level["var_amount"] == pytest.approx(level["var"] * said["value"])
        assert said["currency"] == "USD"
        assert json.loads(Path("s").read_text())["journal"] == entry.hash
        for table in (["list"], ["export"]):
            told = forecast("journal", *table, "-f", "csv").stderr
            assert "1 risk of portfolios was left out" in told
        again = forecast(*words)
        assert again.returncode == 0
        assert json.loads(Path("s").read_text())["risk"]["written"] is False
        assert len(in_journal(home)) == 1
        assert len(Path("t.csv").read_text().splitlines()) == 3 * len(NAMES) + 1

    def test_says_what_risk_says(self, forecast, stored, home, dollars):
        forecast("batch", stored, "--offline", "--quiet", "--risk", dollars)
        (entry,) = in_journal(home)
        alone = forecast(
            "risk", dollars, "--offline", "--market", stored, "-f", "json", "-m", "blank"
        )
        said = json.loads(alone.stdout)
        assert said["steps"][0]["session"] == str(entry.record.steps[0].session)
        for level, theirs in zip(
            entry.record.steps[0].levels, said["steps"][0]["levels"], strict=True
        ):
            assert level.var == pytest.approx(theirs["var"], rel=1e-5)
            assert level.es == pytest.approx(theirs["es"], rel=1e-5)

    def test_quiet_says_nothing(self, forecast, stored, yahoo, home, dollars):
        from batches import up_to_date

        up_to_date(home, yahoo)
        done = forecast("batch", stored, "--quiet", "--risk", dollars)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_fetches_what_is_held(self, forecast, stored, yahoo, home, mine):
        done = forecast("batch", stored, "--quiet", "--risk", mine)
        assert yahoo.charts("VOD.L")
        assert done.returncode == 3  # pounds, and no pair of them
        assert "GBPUSD=X" in done.stderr

    def test_words_do_as_well(self, forecast, stored, home, dollars):
        words = ("--risk", "AAPL=10", "--risk", "MSFT=-1", "--risk", "CASH=900")
        assert forecast("batch", stored, "--offline", "--quiet", *words).returncode == 0
        assert in_journal(home)[0].record.source == "AAPL=10 MSFT=-1 CASH=900"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "cannot be read"),
            ("ticker,shares\nAAPL,ten\n", "is no amount"),
            ("ticker,shares\nNOSUCH,1\n", "NOSUCH"),
            ("ticker,shares\nAAPL,-10\n", "more than 0"),
            ("a,b\n1,2\n", "a header with one column ticker"),
            ("ticker,shares\nAAPL,1\nAAPL,2\n", "held twice"),
            ("ticker,weight\nAAPL,0.5\n", "weights add up"),
            ("", "begins with nothing"),
        ],
    )
    def test_a_failure_of_it_costs_no_forecast(
        self, forecast, stored, home, dollars, content, said
    ):
        Path(dollars).write_text(content) if content is not None else Path(dollars).unlink()
        words = ("batch", stored, "--quiet", "--risk", dollars, "-o", "t.jsonl", "--summary", "s")
        done = forecast(*words, "--metrics", "m.prom")
        assert done.returncode == 3
        assert f"no risk of {dollars}" in done.stderr
        assert said in done.stderr
        assert "1 of 6 failed; the others are done" in done.stderr
        assert len(Path("t.jsonl").read_text().splitlines()) == len(written(home)) == len(NAMES)
        summary = json.loads(Path("s").read_text())
        assert (summary["exit_code"], summary["risk"], summary["tickers"]) == (3, None, 5)
        assert [error["ticker"] for error in summary["errors"]] == [dollars]
        for measured in ("exit_code 3.0", "tickers 5.0", "failed 1.0"):
            assert f"\nforecast_batch_{measured}\n" in Path("m.prom").read_text()
        assert in_journal(home) == []

    def test_the_sentence_on_the_night_counts_it(self, forecast, stored, dollars):
        Path(dollars).unlink()
        done = forecast("batch", stored, "--risk", dollars, "-o", "t.jsonl")
        assert "5 stale, 1 failed; " in done.stderr

    def test_no_output_may_be_the_holdings(self, forecast, stored, dollars):
        before = Path(dollars).read_bytes()
        for option in ("--output", "--summary", "--head-file"):
            done = forecast("batch", stored, "-q", "--risk", dollars, option, f"./{dollars}")
            assert (done.returncode, "which is read" in done.stderr) == (2, True)
        assert Path(dollars).read_bytes() == before

    def test_a_file_of_settings_may_name_them(self, forecast, stored, home, dollars):
        Path("forecaster.toml").write_text('[batch]\nrisk = ["mine.csv"]\n')
        assert forecast("batch", stored, "--offline", "--quiet").returncode == 0
        assert len(in_journal(home)) == 1

    def test_it_loads_no_more_than_draws_need(self, stored, dollars):
        from imports import loaded

        words = ["batch", str(stored), "--offline", "--quiet", "--risk", dollars]
        assert loaded(words) == ["scipy"]


class TestTheJournal:
    @pytest.fixture
    def full(self, forecast, stored, dollars) -> None:
        assert forecast("batch", stored, "--offline", "-q", "--risk", dollars).returncode == 0

    def test_is_verified_with_both_kinds(self, forecast, full, home):
        done = forecast("journal", "verify")
        assert done.stdout.startswith("5 forecasts and 1 risk of a portfolio, none changed; head ")
        with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
            tx.execute(text("UPDATE journal SET holdings=replace(holdings, '10.0', '12.0')"))
        done = forecast("journal", "verify")
        assert done.returncode == 4
        assert "row 6 (holdings, 2024-06-28) was changed" in done.stderr

    def test_is_listed_and_exported(self, forecast, full, tmp_path):
        shown = forecast("journal", "list").stdout
        assert "Risk of portfolios" in shown
        assert "mine.csv" in shown
        found = json.loads(forecast("journal", "list", "-f", "json").stdout)
        assert (len(found["forecasts"]), len(found["risks"])) == (5, 1)
        assert found["risks"][0]["positions"][0]["amount"] == 10
        assert "Risk of" not in forecast("journal", "list", "--ticker", "SPY").stdout
        held = json.loads(forecast("journal", "list", "--ticker", "MSFT", "-f", "json").stdout)
        assert len(held["risks"]) == 1
        lines = forecast("journal", "export").stdout.splitlines()
        assert [json.loads(line)["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
        rows = forecast("journal", "export", "-f", "csv").stdout.splitlines()
        assert len(rows) == 3 * 5 + 1


class TestScore:
    @pytest.fixture
    def lived(self, forecast, yahoo, stored, home, dollars) -> Path:
        """The risk of 2024-06-28, written down then, and two weeks that came after."""
        assert forecast("batch", stored, "--offline", "-q", "--risk", dollars).returncode == 0
        for name in NAMES:
            yahoo.change(name, last="2024-07-12")
        rows = in_journal(home)
        with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
            tx.execute(text("DELETE FROM journal"))
            tx.execute(text("DELETE FROM store_info WHERE key='journal_head'"))
            from dataclasses import replace

            author = replace(rows[0].author, created=datetime(2024, 6, 28, 22, tzinfo=UTC))
            append_risk(tx, author, rows[0].record)
        age(home)
        return stored

    def test_counts_what_came_of_it(self, forecast, lived):
        done = forecast("score", "-f", "json")
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        (record,) = document["portfolios"]
        assert document["models"] == []
        assert (record["scored"], record["open"], record["late"]) == (1, 0, 0)
        (outcome,) = record["outcomes"]
        assert outcome["session"] == "2024-07-01"
        assert outcome["profit_amount"] != 0
        assert [t["periods"] for t in record["tallies"]] == [1, 1]
        shown = forecast("score", "--offline").stdout
        assert "Risk of mine.csv by model blank" in shown
        rows = list(csv.DictReader(io.StringIO(forecast("score", "-f", "csv").stdout)))
        assert [row["level"] for row in rows] == ["0.95", "0.99"]

    def test_a_split_afterwards_changes_nothing(self, forecast, yahoo, lived, home):
        (before,) = json.loads(forecast("score", "-f", "json").stdout)["portfolios"]
        yahoo.change("AAPL", splits={"2024-07-09": 4.0})
        age(home)
        (after,) = json.loads(forecast("score", "-f", "json").stdout)["portfolios"]
        profits = [record["outcomes"][0]["profit"] for record in (before, after)]
        assert profits[0] == pytest.approx(profits[1])


class TestReport:
    held = ("--holdings", "AAPL=10", "--holdings", "IBM=20", "--holdings", SAMPLE)

    def test_shows_it(self, forecast, tmp_path):
        file = tmp_path / "r.html"
        done = forecast("report", "sample", "-o", file, *self.held)
        assert (done.returncode, done.stdout) == (0, "")
        said = json.loads(
            forecast("risk", "AAPL=10", "IBM=20", SAMPLE, "-m", "sample", "-f", "json").stdout
        )
        for step in said["steps"]:
            for level in step["levels"]:
                assert f'<data value="{json.dumps(level["var"])}">' in file.read_text()

    def test_takes_prices_that_it_draws(self, forecast, tmp_path):
        file = tmp_path / "r.html"
        words = ("--source", SAMPLE / "AAPL.csv", "--holdings", "AAPL=10")
        assert forecast("report", "sample", "-o", file, *words).returncode == 0
        shown = file.read_text()
        assert 'id="losses"' in shown
        assert "AAPL" in shown

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("--holdings", "gone.csv"), 4, "cannot be read"),
            (("--holdings", "XYZ=1", "--holdings", SAMPLE), 4, "XYZ is held"),
            (("--holdings", "AAPL=-1", "--holdings", SAMPLE), 2, "CASH="),
        ],
    )
    def test_refusals_write_no_page(self, forecast, tmp_path, words, code, said):
        file = tmp_path / "r.html"
        done = forecast("report", "sample", "-o", file, *words)
        assert (done.returncode, said in done.stderr) == (code, True)
        assert not file.exists()

    def test_a_backtest_has_none(self, forecast, tmp_path):
        from measured import document, scored

        made = tmp_path / "b.json"
        made.write_text(json.dumps(document(scored(("naive",), 1))))
        done = forecast("report", made, "-o", tmp_path / "r.html", "--holdings", "AAPL=1")
        assert done.returncode == 2
        assert "--holdings was given" in done.stderr
