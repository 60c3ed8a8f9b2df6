"""The head of the journal noted elsewhere, and a journal that can be read whatever happened."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from batches import written
from sqlalchemy import text

from forecaster.market.store import Store


def change(home: Path, *statements: str) -> None:
    with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
        for statement in statements:
            tx.execute(text(statement))


class TestAHeadThatWasNoted:
    def test_is_written_and_found_again(self, forecast, stored, home, tmp_path):
        place = tmp_path / "head.txt"
        done = forecast("batch", stored, "--offline", "--quiet", "--head-file", place)
        assert (done.returncode, done.stdout) == (0, "")
        head = written(home)[-1].hash
        assert place.read_text() == f"{head}\n"
        done = forecast("journal", "verify", "--head", f" {head.upper()}\n")
        assert done.stdout == (
            f"5 forecasts, none changed; head {head}\n"
            "the noted head is that of row 5, and 0 came since\n"
        )
        early = written(home)[1].hash
        assert "row 2, and 3 came since" in forecast("journal", "verify", "--head", early).stdout

    def test_is_missed_after_a_change_of_the_whole_store(self, forecast, stored, home):
        head = written(home)[-1].hash
        change(home, "DELETE FROM journal", "DELETE FROM store_info WHERE key='journal_head'")
        assert forecast("journal", "verify").returncode == 0
        done = forecast("journal", "verify", "--head", head)
        assert done.returncode == 4
        assert f"no row has the noted hash {head}" in done.stderr

    @pytest.mark.parametrize("head", ["", "abc", "²" * 64, "g" * 64, "0" * 63])
    def test_that_is_no_hash(self, forecast, stored, head):
        done = forecast("journal", "verify", "--head", head)
        assert done.returncode == 2
        assert "a hash of 64 digits" in done.stderr

    def test_on_stdout_beside_a_quiet_batch(self, forecast, stored, home):
        """Cron mails it."""
        done = forecast("batch", stored, "--offline", "--quiet", "--head-file", "-")
        assert done.stdout == f"{written(home)[-1].hash}\n"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--head-file", "-"], "Give --output FILE"),
            (["-q", "--summary", "-", "--head-file", "-"], "Give --summary FILE"),
            (["--output", "a.csv", "--head-file", "a.csv"], "a file of its own"),
            (["--summary", "a", "--head-file", "./a"], "a file of its own"),
            (["-q", "--head-file", "watch.txt"], "which is read"),
            (["-q", "--summary", "watch.txt"], "which is read"),
            (["--output", "watch.txt"], "which is read"),
        ],
    )
    def test_each_output_has_a_place(self, forecast, stored, monkeypatch, words, said):
        monkeypatch.chdir(stored.parent)
        before = stored.read_text()
        done = forecast("batch", "watch.txt", "--offline", *words, "--format", "csv")
        assert done.returncode == 2
        assert said in done.stderr
        assert stored.read_text() == before

    def test_the_summary_has_it_too(self, forecast, stored, home):
        done = forecast("batch", stored, "--offline", "-q", "--summary", "-")
        assert json.loads(done.stdout)["journal"] == written(home)[-1].hash


class TestWhatSomebodyDid:
    @pytest.mark.parametrize(
        "statement",
        [
            "DROP TABLE journal",
            "UPDATE journal SET created=created-86400 WHERE number=3",
            "UPDATE journal SET steps=CAST(steps AS BLOB) WHERE number=3",
            "UPDATE journal SET created='yesterday' WHERE number=3",
            "UPDATE store_info SET value='²:x' WHERE key='journal_head'",
        ],
    )
    def test_is_a_finding(self, forecast, stored, home, statement):
        change(home, statement)
        done = forecast("journal", "verify")
        assert done.returncode == 4
        assert "the journal does not hold" in done.stderr

    @pytest.mark.parametrize("words", [["list"], ["export"]])
    def test_is_no_crash_of_others(self, forecast, stored, home, words):
        change(home, "UPDATE journal SET created=x'ff' WHERE number=3")
        done = forecast("journal", *words)
        assert done.returncode == 5
        assert "row 3 of the journal" in done.stderr
        change(home, "DROP TABLE journal")
        for command in (["journal", *words], ["score", "--offline"]):
            done = forecast(*command)
            assert (done.returncode, "no table journal" in done.stderr) == (5, True)

    def test_nothing_is_written_while_the_clock_is_behind(self, forecast, stored, home):
        change(home, "UPDATE journal SET created=created+86400*400")
        before = forecast("journal", "export", "--output", "-").stdout
        done = forecast("batch", stored, "--offline", "--quiet", "--horizon", "2")
        assert (done.returncode, done.stdout) == (2, "")
        assert "this machine's clock says" in done.stderr
        assert "Set the clock" in done.stderr
        assert forecast("journal", "export", "--output", "-").stdout == before


class TestAFullDisk:
    @pytest.fixture
    def small(self, tmp_path: Path) -> Iterator[Path]:
        place = tmp_path / "small"
        place.mkdir()
        mount = shutil.which("mount")
        command = [str(mount), "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
        if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no file system may be mounted here")
        yield place
        subprocess.run(["umount", "-l", str(place)], check=True)

    @pytest.mark.parametrize("left", [0, 4096])
    def test_is_no_reason_not_to_read(self, forecast, stored, home, small, left):
        shutil.copy(home / "prices.db", small)
        free = shutil.disk_usage(small).free
        (small / "filler").write_bytes(b"x" * (free - left))
        url = f"sqlite:///{small}/prices.db"
        listed = forecast("journal", "list", FORECASTER_STORE=url)
        assert (listed.returncode, "AAPL" in listed.stdout) == (0, True)
        found = forecast("journal", "verify", FORECASTER_STORE=url)
        assert found.stdout.startswith("5 forecasts, none changed")
        done = forecast("batch", stored, "--offline", "--quiet", FORECASTER_STORE=url)
        assert (done.returncode, "Make room on the disk" in done.stderr) == (5, True)
