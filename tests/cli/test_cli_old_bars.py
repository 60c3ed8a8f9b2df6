"""Old bars under ``--quiet``: a remark while they may be used, a failure from then on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from batches import age, up_to_date, written

import forecaster
from forecaster.market.age import as_of_notes
from forecaster.market.calendars import NO_CALENDARS


def test_a_remark_is_printed_however_quiet(forecast, stored, home, yahoo, tmp_path):
    """One ticker's bars end two sessions before the others'."""
    last = up_to_date(home, yahoo)[-3]
    yahoo.change("MSFT", last=last)
    done = forecast("batch", stored, "--quiet", "--output", tmp_path / "out.csv")
    assert (done.returncode, done.stdout) == (0, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"note: MSFT: its last bar is of {last}, 2 sessions behind")


def test_past_the_greatest_age_it_fails_with_3(forecast, stored, home, yahoo, monkeypatch):
    monkeypatch.delenv("FORECASTER_BATCH_MAX_AGE")
    up_to_date(home, yahoo)
    yahoo.change("MSFT", last="2024-06-28")
    before = len(written(home))
    done = forecast("batch", stored, "--quiet")
    assert done.returncode == 3
    assert "sessions behind, and --max-age is 5" in done.stderr
    assert len(written(home)) == before + 4
    age(home)
    assert forecast("batch", stored, "--quiet", "--max-age", "9999").returncode == 0


def test_where_all_are_dead_it_is_3_too(forecast, stored, monkeypatch):
    monkeypatch.delenv("FORECASTER_BATCH_MAX_AGE")
    done = forecast("batch", stored, "--offline", "--quiet")
    assert done.returncode == 3
    assert done.stderr.count("--max-age is 5") == 5


def test_predict_tells_too(forecast, stored):
    done = forecast("predict", "AAPL", "--offline", "-f", "csv")
    assert "sessions behind (--offline)." in done.stderr
    header, row = (line.split(",") for line in done.stdout.splitlines()[:2])
    assert int(row[header.index("sessions_behind")]) > 500
    asked = forecast("predict", "AAPL", "--offline", "-f", "csv", "--as-of", "2024-05-01")
    assert asked.stdout.splitlines()[1].split(",")[header.index("sessions_behind")] == ""
    assert "its last bar up to" not in asked.stderr


RANK = ("rank", "--groups", "2", "sample_data/AAPL.csv")


@pytest.mark.parametrize("words", [["predict"], ["plot"], ["explain"], ["risk", "IBM=1"], RANK])
def test_a_date_far_behind_the_last_bar_is_said(forecast, words):
    command, *before = words
    late = [command, *before, "sample_data/IBM.csv", "--model", "sample", "--as-of"]
    said = "note: IBM: its last bar up to {} is of {}"
    run = forecast(*late, "2013-03-20")
    assert (run.returncode, said.format("2013-03-20", "2013-03-01, 19 days old") in run.stderr) == (
        0, True,
    )  # fmt: skip
    calendar = (*late, "2013-03-05", "--calendar", "XNYS")
    run = forecast(*calendar)
    assert said.format("2013-03-05", "2013-03-01, 2 sessions behind") in run.stderr
    run = forecast(*late, "2013-03-04")
    assert said.format("2013-03-04", "2013-03-01, 3 days old") in run.stderr
    assert "up to 9999-12-31 is of 2013-03-01" in forecast(*late, "9999-12-31").stderr
    for day in ("2013-03-03", "2013-02-28"):  # a Sunday, and a session
        assert "its last bar up to" not in forecast(*late, day, "--calendar", "XNYS").stderr


def test_python_warns_of_it_too(pytestconfig):
    path = pytestconfig.rootpath / "sample_data/IBM.csv"
    panel = forecaster.read(str(path))
    many = [str(path), str(path.with_name("AAPL.csv"))]
    for call in (
        lambda: forecaster.predict(panel, "sample", as_of="2014-01-01"),
        lambda: forecaster.explain(panel, "sample", as_of="2014-01-01"),
        lambda: forecaster.risk({"IBM": 1}, panel, "sample", as_of="2014-01-01"),
        lambda: forecaster.rank(many, "sample", groups=2, as_of="2014-01-01"),
    ):
        with pytest.warns(forecaster.ForecastWarning, match="IBM: its last bar up to 2014-01-01"):
            call()


def test_sessions_that_are_not_over_do_not_count():
    friday = np.datetime64("2013-03-01")
    made = forecaster.history_from_closes("A", ["2013-02-28", friday], [1.0, 1.0])
    saturday = datetime(2013, 3, 2, 12, tzinfo=UTC)

    def notes(day):
        return as_of_notes([made], NO_CALENDARS, np.datetime64(day), saturday)

    assert notes("2013-03-04") == notes("2030-01-01") == notes("2013-03-01") == []
    (note,) = as_of_notes([made], NO_CALENDARS, np.datetime64("2013-03-05"), datetime.now(UTC))
    assert "its last bar up to 2013-03-05 is of 2013-03-01, 4 days old" in note.message
    assert note.loud


@pytest.mark.parametrize("words", ["risk IBM=1 SHORT=1", "rank --groups 2"])
def test_a_ticker_that_ends_before_the_others_is_named(forecast, tmp_path, words):
    lines = Path("sample_data/AAPL.csv").read_text().splitlines(keepends=True)
    (tmp_path / "SHORT.csv").write_text("".join(lines[:-5]))
    run = forecast(*words.split(), "sample_data/IBM.csv", tmp_path / "SHORT.csv", "-m", "sample")
    assert run.returncode == 0, run.stderr
    assert (
        run.stderr.count("note: SHORT: its last bar is of 2013-02-22, about 5 sessions by week")
        == 1
    )
    assert "IBM: its last bar" not in run.stderr
