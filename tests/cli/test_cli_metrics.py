"""What a batch tells those who watch it: a file for Prometheus, a summary, its run in the log."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import forecaster


def metrics(path: Path) -> dict[str, float]:
    """Values by name, with labels behind it where there are some."""
    families = text_string_to_metric_families(path.read_text())
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def prom(tmp_path: Path) -> Path:
    return tmp_path / "forecast.prom"


@pytest.fixture
def lacking(stored: Path, tmp_path: Path) -> Path:
    """A watchlist of which one ticker was never fetched."""
    path = tmp_path / "lacking.txt"
    path.write_text(f"{stored.read_text()}NOSUCH\n")
    return path


SUCCESS = "forecast_batch_last_success_timestamp_seconds"
EARLIER = f"# TYPE {SUCCESS} gauge\n{SUCCESS} 1.25e+09\n"


def test_a_batch_is_measured(forecast, stored, prom, tmp_path):
    began = time.time()
    done = forecast(
        "batch", stored, "--offline", "-q", "--metrics", prom, "--summary", tmp_path / "s.json"
    )
    assert (done.returncode, done.stdout) == (0, "")
    found, summary = metrics(prom), json.loads((tmp_path / "s.json").read_text())
    assert found[f"forecast_info {forecaster.__version__}"] == 1
    assert found[f"forecast_journal_info {summary['journal']}"] == 1
    assert found["forecast_journal_rows"] == summary["journal_rows"] == 5
    assert found["forecast_batch_exit_code"] == 0
    for name in (SUCCESS, "forecast_batch_last_run_timestamp_seconds"):
        assert began - 1 <= found[name] <= time.time() + 1
    assert found["forecast_batch_tickers"] == found["forecast_batch_forecasts"] == 5
    assert found["forecast_batch_failed"] == 0
    assert found["forecast_batch_stale"] == len(summary["stale"])
    behind = [count for count in summary["sessions_behind"].values() if count is not None]
    assert found["forecast_batch_sessions_behind"] == max(behind)
    assert found["forecast_batch_duration_seconds"] == pytest.approx(summary["seconds"], abs=1e-3)


def test_one_ticker_that_fails_keeps_the_last_success(forecast, lacking, prom, tmp_path):
    prom.write_text(EARLIER)
    words = ("batch", lacking, "--offline", "-q", "--metrics", prom)
    done = forecast(*words, "--summary", tmp_path / "s.json")
    assert done.returncode == 3
    found = metrics(prom)
    assert found["forecast_batch_exit_code"] == 3
    assert (found["forecast_batch_tickers"], found["forecast_batch_failed"]) == (6, 1)
    assert found[SUCCESS] == 1.25e9
    assert found["forecast_batch_last_run_timestamp_seconds"] > 1.7e9
    assert json.loads((tmp_path / "s.json").read_text())["exit_code"] == 3


def test_where_none_succeeds_the_code_is_that_of_the_command(forecast, stored, prom, tmp_path):
    (tmp_path / "none.txt").write_text("NOSUCH\n")
    words = ("batch", tmp_path / "none.txt", "--offline", "-q", "--metrics", prom)
    done = forecast(*words, "--summary", tmp_path / "s.json")
    assert done.returncode not in (0, 3)
    assert metrics(prom)["forecast_batch_exit_code"] == done.returncode
    assert json.loads((tmp_path / "s.json").read_text())["exit_code"] == done.returncode
    assert SUCCESS not in metrics(prom)


@pytest.mark.parametrize(
    ("option", "code"),
    [
        (("--model", "none"), 6),
        (("--horizon", "99"), 2),
        (("no-such-list.txt",), 4),
        (("--market", "no-such-file.csv"), 4),
    ],
    ids=["model", "steps", "watchlist", "market"],
)
def test_a_batch_that_fails_as_a_whole_is_measured_too(forecast, stored, prom, option, code):
    prom.write_text(EARLIER)
    done = forecast("batch", stored, "--offline", "-q", "--metrics", prom, *option)
    assert done.returncode == code
    found = metrics(prom)
    assert (found["forecast_batch_exit_code"], found[SUCCESS]) == (code, 1.25e9)
    assert "forecast_batch_tickers" not in found


@pytest.mark.parametrize(
    "before", [b"\xff\xfe", b"{", b'x{a="', b"forecast 1 2 3 4\n", b"", SUCCESS.encode()]
)
def test_whatever_was_in_the_file_is_no_obstacle(forecast, lacking, prom, before):
    prom.write_bytes(before)
    done = forecast("batch", lacking, "--offline", "-q", "--metrics", prom)
    assert done.returncode == 3
    assert SUCCESS not in metrics(prom)


@pytest.mark.parametrize(
    ("name", "better"), [("m.txt", "m.prom"), ("m", "m.prom"), ("a.prom.gz", "a.prom.prom")]
)
def test_a_file_that_the_collector_would_not_read_is_refused(forecast, tmp_path, name, better):
    done = forecast("batch", "missing.csv", "--metrics", tmp_path / name)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--metrics is {tmp_path / name}" in done.stderr
    assert done.stderr.endswith(f"Call it {tmp_path / better}.\n")
    assert not (tmp_path / name).exists()


def test_each_line_of_the_log_names_the_run(forecast, lacking, tmp_path):
    done = forecast(
        "--log-format", "json", "batch", lacking, "--offline",
        "--out", tmp_path / "o.csv", "--summary", tmp_path / "s.json",
    )  # fmt: skip
    summary = json.loads((tmp_path / "s.json").read_text())
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(lines) >= 4
    assert {line["run"] for line in lines} == {summary["run"]}
    assert summary["version"] == forecaster.__version__
    other = forecast("--log-format", "json", "predict", "NOSUCH", "--offline")
    assert not any("run" in json.loads(line) for line in other.stderr.splitlines())


def test_what_cannot_be_written_loses_nothing_else(forecast, stored, prom, tmp_path):
    told, head, rows = tmp_path / "s.json", tmp_path / "head.txt", tmp_path / "o.csv"
    given = {"--metrics": prom, "--head-file": head, "--summary": told, "--out": rows}
    files = {"--metrics": "/proc/x/m.prom", "--out": "/dev/full"}
    for lost in given:
        for path in given.values():
            path.unlink(missing_ok=True)
        where = {**given, lost: files.get(lost, "/proc/x/f")}
        options = [word for pair in where.items() for word in pair]
        done = forecast("batch", stored, "--offline", "-q", *options)
        assert (done.returncode, done.stderr.count("error: ")) == (2, 1)
        assert str(where[lost]) in done.stderr
        assert [name for name, path in given.items() if not path.exists()] == [lost]
        if lost != "--summary":
            summary = json.loads(told.read_text())
            assert (summary["exit_code"], summary["forecasts"]) == (2, 5)
            (error,) = summary["errors"]
            assert str(where[lost]) in error["message"]
        if lost != "--metrics":
            assert metrics(prom)["forecast_batch_exit_code"] == 2


def test_each_file_that_cannot_be_written_is_named(forecast, stored):
    files = ("--out", "/proc/x/f", "--head-file", "/proc/x/h")
    done = forecast("batch", stored, "--offline", "-q", *files)
    assert (done.returncode, done.stderr.count("error: ")) == (2, 2)
