"""What a batch wrote down: its journal, its score, and forecasts that were made from files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from batches import NAMES, age, written

from forecaster.market.store import Store, journal


class TestRecord:
    @pytest.fixture
    def lived(self, forecast, yahoo, stored, home) -> Path:
        """Forecasts from 2024-06-28, and two weeks that came after."""
        from sqlalchemy import text

        for name in NAMES:
            yahoo.change(name, last="2024-07-12")
        with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
            rows = list(journal.entries(tx))
            tx.execute(text("DELETE FROM journal"))
            tx.execute(text("DELETE FROM store_info WHERE key='journal_head'"))
            from dataclasses import replace
            from datetime import UTC, datetime

            author = replace(rows[0].author, created=datetime(2024, 6, 28, 22, tzinfo=UTC))
            journal.append(tx, author, [row.forecast for row in rows])
        age(home)
        return stored

    def test_score(self, forecast, lived):
        done = forecast("score", "-f", "json")
        assert done.returncode == 0
        document = json.loads(done.stdout)
        (record,) = document["models"]
        assert (record["scored"], record["open"], record["late"]) == (15, 0, 0)
        rows = [row for row in record["rows"] if row["step"] == 1]
        assert [row["model"] for row in rows] == ["blank", "naive", "ewma"]
        assert {part["name"] for part in record["by_ticker"]} == set(NAMES)
        table = forecast("score", "--offline").stdout
        assert "Model blank" in table
        assert "15 scored, 0 open" in table
        assert "Share of prices below each quantile, one session ahead" in table
        lines = forecast("score", "--offline", "-f", "csv").stdout.splitlines()
        assert len(lines) == 4

    def test_score_of_nothing(self, forecast, model):
        done = forecast("score")
        assert done.returncode == 4
        assert "forecast batch WATCHLIST" in done.stderr

    def test_journal_commands(self, apart, forecast, lived, home, tmp_path):
        assert "AAPL" in forecast("journal", "list").stdout
        found = json.loads(forecast("journal", "list", "--last", "2", "-f", "json").stdout)
        assert [entry["ticker"] for entry in found["forecasts"]] == ["BRK-B", "NEWCO"]
        whole = forecast("journal", "verify")
        assert whole.stdout == f"5 forecasts, none changed; head {written(home)[-1].hash}\n"
        lines = apart("journal", "export", "--ticker", "SPY").stdout.splitlines()
        assert json.loads(lines[0])["ticker"] == "SPY"
        forecast("journal", "export", "-f", "csv", "--output", tmp_path / "j.csv")
        assert len((tmp_path / "j.csv").read_text().splitlines()) == 16

    def test_a_change_is_found(self, forecast, lived, home):
        from sqlalchemy import text

        with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
            tx.execute(text("UPDATE journal SET last_close = last_close + 1 WHERE number = 3"))
        done = forecast("journal", "verify")
        assert done.returncode == 4
        assert "row 3 (SPY, 2024-06-28) was changed" in done.stderr


class TestFiles:
    """A file that calls itself MSFT and ends today, beside tickers that a provider knows."""

    @pytest.fixture
    def own(self, tmp_path: Path) -> Path:
        import numpy as np

        days = np.busday_offset(np.datetime64("today"), np.arange(-40, 1), roll="backward")
        path = tmp_path / "own" / "MSFT.csv"
        path.parent.mkdir()
        lines = [f"{day},{50 + n % 7}" for n, day in enumerate(days)]
        path.write_text("Date,Close\n" + "\n".join(lines))
        return path

    @pytest.fixture
    def made(self, forecast, yahoo, model, watchlist, own, home) -> list[journal.Entry]:
        watchlist.write_text("SPY\n")
        assert forecast("batch", watchlist, own, "--quiet").returncode == 0
        return written(home)

    def test_the_journal_shows_the_file(self, forecast, made, own):
        assert [(e.forecast.ticker, e.forecast.source) for e in made] == [
            ("MSFT", str(own)),
            ("SPY", None),
        ]
        found = json.loads(forecast("journal", "list", "-f", "json").stdout)["forecasts"]
        assert [one["source"] for one in found] == [str(own), None]
        lines = forecast("journal", "export").stdout.splitlines()
        assert [json.loads(line)["source"] for line in lines] == [str(own), None]
        for words in (["list"], ["export"]):
            rows = csv.DictReader(io.StringIO(forecast("journal", *words, "-f", "csv").stdout))
            assert [row["source"] for row in rows] == [str(own)] * 3 + [""] * 3
        assert str(own) in forecast("journal", "list", COLUMNS="400").stdout
        assert "source" not in forecast("journal", "list", "--ticker", "SPY").stdout
        assert forecast("journal", "verify").stdout.startswith("2 forecasts, none changed")

    def test_no_provider_is_asked_about_it(self, forecast, yahoo, made, own, home):
        age(home)
        done = forecast("score", "-f", "json")
        assert done.returncode == 0
        (record,) = json.loads(done.stdout)["models"]
        assert (record["scored"], record["open"], record["late"], record["lost"]) == (0, 3, 3, 0)
        assert not yahoo.charts("MSFT")
        assert done.stderr.count(f"forecast score {own}\n") == 1
        assert "note: journal: 1 forecast was made from" in " ".join(done.stderr.split())

    def test_the_file_is_what_it_is_scored_with(self, forecast, yahoo, made, own, home):
        from dataclasses import replace
        from datetime import UTC, datetime

        import numpy as np
        from sqlalchemy import text

        early = replace(made[0].author, created=datetime(2000, 1, 1, tzinfo=UTC))
        cutoff = np.datetime64(own.read_text().splitlines()[20].split(",")[0])
        with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
            tx.execute(text("DELETE FROM journal"))
            tx.execute(text("DELETE FROM store_info WHERE key='journal_head'"))
            journal.append(tx, early, [replace(made[0].forecast, cutoff=cutoff)])
        for words, scored in (([], 0), ([own], 3)):
            done = forecast("score", *words, "-f", "json")
            (record,) = json.loads(done.stdout)["models"]
            assert (done.returncode, record["scored"], record["open"]) == (0, scored, 3 - scored)
        assert not yahoo.charts("MSFT")

    def test_another_column_than_the_batch_s_is_noted(self, forecast, made, own):
        lines = own.read_text().splitlines()
        own.write_text("\n".join([f"{lines[0]},Settle", *(f"{line},40" for line in lines[1:])]))
        assert "another close" not in forecast("score", own, "--offline").stderr
        done = forecast("score", own, "--offline", "--column", "close=Settle")
        assert "where the file says 40." in " ".join(done.stderr.split())
        assert "--column close=NAME" in done.stderr

    def test_a_file_that_cannot_be_read_is_a_failure(self, forecast, made, tmp_path):
        done = forecast("score", tmp_path / "gone.csv", "--offline", "-f", "json")
        assert done.returncode == 3  # SPY is scored
        assert "gone.csv" in done.stderr
        assert [error["code"] for error in json.loads(done.stdout)["errors"]] == ["data"]

    def test_beside_one_that_can_be_the_rest_is_done(self, forecast, made, own, tmp_path):
        done = forecast("score", own, tmp_path / "gone.csv", "--offline")
        assert "Nothing of it can be scored yet." in done.stdout
        assert (done.returncode, done.stderr.splitlines()[-1]) == (
            3,
            "error: 1 of 3 failed; the others are done.",
        )
