"""Nightly runs as cron makes them: quiet, safe to cut off, and written down once."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from batches import NAMES, age, up_to_date, written
from imports import loaded
from waiting import wait_until

from forecaster.market.store import Store, journal

KILLS = int(os.environ.get("FORECASTER_TORTURE", "4"))


class TestOutput:
    def test_lines_are_elements_of_predict(self, apart, yahoo, model, watchlist):
        done = apart("batch", watchlist, "--horizon", "2")
        assert done.returncode == 0
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        alone = json.loads(apart("predict", *NAMES, "--horizon", "2", "-f", "json").stdout)
        assert [line["ticker"] for line in lines] == NAMES
        for line, other in zip(lines, alone["forecasts"], strict=True):
            assert list(line) == list(other)
            assert line["cutoff"] == other["cutoff"]
            assert line["steps"][1]["session"] == other["steps"][1]["session"]
            for a, b in zip(line["steps"], other["steps"], strict=True):
                assert a["quantiles"] == pytest.approx(b["quantiles"], rel=1e-6)

    def test_csv_and_parquet_have_a_row_for_each_step(self, forecast, stored, tmp_path):
        import pyarrow.parquet as pq

        text = forecast("batch", stored, "-f", "csv").stdout
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == 3 * len(NAMES)
        assert list(rows[0])[:8] == [
            "ticker", "cutoff", "step", "session", "session_estimated", "last_close", "naive",
            "q0.05",
        ]  # fmt: skip
        forecast("batch", stored, "--output", tmp_path / "out.parquet")
        table = pq.read_table(tmp_path / "out.parquet")
        assert table.column_names == list(rows[0])
        assert str(table.schema.field("session").type) == "date32[day]"
        for row, other in zip(rows, table.to_pylist(), strict=True):
            assert row["session"] == str(other["session"])
            assert float(row["q0.05"]) == other["q0.05"]

    def test_quiet_says_nothing_at_all(self, apart, stored, yahoo, home, tmp_path):
        up_to_date(home, yahoo)
        done = apart("batch", stored, "--quiet", "--output", tmp_path / "out.jsonl")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert len((tmp_path / "out.jsonl").read_text().splitlines()) == len(NAMES)

    def test_the_summary(self, forecast, yahoo, model, watchlist, tmp_path, home):
        watchlist.write_text("AAPL\nNOSUCH\n")
        done = forecast("batch", watchlist, "-q", "--summary", tmp_path / "s.json")
        assert done.returncode == 3
        found = json.loads((tmp_path / "s.json").read_text())
        assert (found["schema"], found["tickers"], found["forecasts"]) == ("batch/1", 2, 1)
        assert found["oldest_cutoff"] == found["newest_cutoff"] == "2024-06-28"
        assert found["journal"] == written(home)[-1].hash
        assert [error["code"] for error in found["errors"]] == ["unknown_ticker"]
        assert "error: Yahoo knows no ticker NOSUCH" in done.stderr

    def test_the_summary_on_stdout_beside_a_file(self, forecast, stored, tmp_path):
        out = tmp_path / "out.jsonl"
        done = forecast("batch", stored, "--offline", "--output", out, "--summary", "-")
        assert done.returncode == 0
        assert json.loads(done.stdout)["forecasts"] == len(out.read_text().splitlines())
        alone = forecast("batch", stored, "--offline", "--quiet", "--summary", "-")
        assert json.loads(alone.stdout)["schema"] == "batch/1"
        assert not (Path.cwd() / "-").exists()

    def test_a_tenth_of_unknown_tickers(self, forecast, yahoo, model, watchlist):
        names = [*NAMES, "VOD.L", "SPY", "^GSPC", "7203.T", "EURUSD=X", "NOSUCH"]
        watchlist.write_text("\n".join(names))
        done = forecast("batch", watchlist)
        assert done.returncode == 3
        assert len(done.stdout.splitlines()) == 9
        assert done.stderr.count("error: Yahoo") == 1

    def test_it_loads_nothing_heavy(self, stored):
        assert loaded(["batch", str(stored), "--offline", "--quiet"]) == []


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["none.txt"], 4, "none.txt cannot be read"),
            (["empty.txt"], 4, "holds no ticker"),
            (["watch.txt", "--horizon", "9"], 2, "was trained for 1 to 3"),
            (["watch.txt", "--model", "nosuch"], 6, "no model called nosuch"),
            (
                ["watch.txt", "--output", "x.xyz"],
                2,
                ".csv, .json, .jsonl, .ndjson, .parquet or .pq",
            ),
            (["watch.txt", "--output", "x.txt"], 2, "Call it x.csv."),
            (["watch.txt", "--summary", "-"], 2, "Give --output FILE"),
            (["watch.txt", "--output", "-", "-q", "--summary", "-"], 2, "Give --output FILE"),
            (["watch.txt", "--retrain", "often"], 2, "never, weekly, always or a number"),
            (["watch.txt", "--output", "watch.txt/x.csv"], 2, "could not be written"),
        ],
    )
    def test_each_has_its_exit_code(
        self, forecast, yahoo, model, watchlist, tmp_path, monkeypatch, arguments, code, said
    ):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "empty.txt").write_text("# nothing\n")
        done = forecast("batch", *arguments)
        assert done.returncode == code
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        if code == 2 and "watch.txt/x.csv" not in arguments:
            assert not yahoo.requests

    def test_a_journal_of_a_newer_version(self, forecast, stored, home):
        from sqlalchemy import text

        with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
            tx.execute(text("UPDATE store_info SET value='99' WHERE key='version'"))
        done = forecast("batch", stored)
        assert done.returncode == 5
        assert "version 99" in done.stderr

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_cannot_be_written(self, forecast, stored, tmp_path, home):
        shut = tmp_path / "shut"
        shut.mkdir(mode=0o555)
        done = forecast("batch", stored, "--output", shut / "out.csv")
        assert done.returncode == 2
        assert len(written(home)) == len(NAMES)


class TestFullDisk:
    """A small file system of its own, where the tests may mount one."""

    @pytest.fixture
    def small(self, tmp_path: Path) -> Iterator[Path]:
        place = tmp_path / "small"
        place.mkdir()
        mount = shutil.which("mount")
        command = [str(mount), "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
        if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no file system may be mounted here")
        yield place
        subprocess.run(["umount", "-l", str(place)], check=True)

    def test_of_the_store(self, apart, yahoo, model, watchlist, home, small):
        url = f"sqlite:///{small}/prices.db"
        watchlist.write_text("NEWCO\n")
        assert apart("batch", watchlist, "-q", FORECASTER_STORE=url).returncode == 0
        (small / "filler").write_bytes(b"x" * max(0, shutil.disk_usage(small).free - 8192))
        watchlist.write_text("NEWCO\nAAPL\nMSFT\nSPY\n")
        done = apart("batch", watchlist, "-q", FORECASTER_STORE=url)
        assert done.returncode in (3, 5)
        assert "Make room on the disk" in done.stderr
        assert "Traceback" not in done.stderr
        (small / "filler").unlink()
        with Store(url) as store, store.reading() as tx:
            assert not journal.verify(tx).broken
            assert next(iter(journal.entries(tx))).forecast.ticker == "NEWCO"

    def test_of_the_output(self, apart, stored, small, home):
        (small / "out.jsonl").write_text("the old one\n")
        (small / "filler").write_bytes(b"x" * (shutil.disk_usage(small).free))
        done = apart("batch", stored, "-q", "--output", small / "out.jsonl")
        assert done.returncode == 2
        assert "could not be written" in done.stderr
        assert (small / "out.jsonl").read_text() == "the old one\n"
        assert len(written(home)) == len(NAMES)


class TestInterruptions:
    @pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_signals_and_resume(self, start, forecast, yahoo, model, watchlist, home, sent, code):
        yahoo.fail("BRK-B", "stall")
        process = start("batch", watchlist)
        wait_until(lambda: yahoo.charts("BRK-B"), 30)
        process.send_signal(sent)
        began = time.monotonic()
        assert process.wait(20) == code
        assert time.monotonic() - began < 10
        yahoo.heal()
        asked = len(yahoo.charts(probes=False))
        done = forecast("batch", watchlist, "--resume")
        assert done.returncode == 0
        assert "an earlier run went on" in done.stderr
        later = {request.symbol for request in yahoo.charts(probes=False)[asked:]}
        assert later == {"BRK-B", "NEWCO"}
        assert len(written(home)) == len(NAMES)

    @pytest.mark.processes
    def test_kill_9_at_random_moments(self, start, forecast, yahoo, model, watchlist, home):
        """A few kills here, hundreds in ``make torture``: nothing missing, nothing twice."""
        rng = random.Random(7)
        out = watchlist.with_name("out.jsonl")
        command = ("batch", watchlist, "--resume", "--quiet", "--output", out)
        expected = 0
        for number in range(KILLS):
            last = str(np_busday(number + 1))
            for name in NAMES:
                yahoo.change(name, last=last)
            before = len(yahoo.requests)
            process = start(*command)
            while len(yahoo.requests) == before and process.poll() is None:
                time.sleep(0.005)
            try:
                process.wait(rng.uniform(0.0, 0.6))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            found = written(home)
            keys = [(e.forecast.ticker, e.forecast.cutoff) for e in found]
            assert len(set(keys)) == len(keys)
            if out.exists():
                lines = [json.loads(line) for line in out.read_text().splitlines()]
                assert [line["ticker"] for line in lines] == NAMES
            age(home)
            assert forecast(*command).returncode == 0
            expected += len(NAMES)
            found = written(home)
            assert {e.forecast.ticker for e in found if str(e.forecast.cutoff) == last} == set(
                NAMES
            )
            lines = [json.loads(line) for line in out.read_text().splitlines()]
            assert [(line["ticker"], line["cutoff"]) for line in lines] == [
                (name, last) for name in NAMES
            ]


def np_busday(number: int) -> object:
    import numpy as np

    return np.busday_offset("2024-06-28", number, roll="forward")


class TestAtOnce:
    def test_one_of_eight_works_and_the_others_say_so(self, start, stored, home):
        running = [start("batch", stored, "-q") for _ in range(8)]
        codes = [process.wait(120) for process in running]
        assert set(codes) <= {0, 8}
        assert 0 in codes
        assert len(written(home)) == len(NAMES)

    def test_or_they_wait(self, start, stored, home, yahoo, monkeypatch):
        monkeypatch.setenv("FORECASTER_DEADLINE", "60")  # four at once may be slow
        for name in NAMES:
            yahoo.change(name, last="2024-07-01")
        age(home)
        running = [start("batch", stored, "-q", "--wait", "60") for _ in range(4)]
        assert [process.wait(120) for process in running] == [0] * 4
        assert len(written(home)) == 2 * len(NAMES)
