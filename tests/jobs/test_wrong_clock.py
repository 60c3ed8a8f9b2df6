"""Bars after today, or a clock that is wrong, are said and are no crash."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from forecaster.jobs.batch import batch
from forecaster.market.fetch_options import FetchOptions
from forecaster.market.watchlist import BatchSources
from forecaster.model.artifact import load
from forecaster.model.registry import BOXED


@pytest.mark.parametrize("code", ["XNYS", "XBOM", "24/7", "XTKS"])
@pytest.mark.parametrize(
    ("first", "year"), [("2031-01-06", 2026), ("2012-01-03", 2000), ("1980-01-03", 1970)]
)
def test_bars_after_today_on_a_calendar(tmp_path, code, first, year):
    days = np.busday_offset(np.datetime64(first), np.arange(60), roll="forward")
    path = tmp_path / "F.csv"
    path.write_text("Date,Close\n" + "".join(f"{d},{50 + n % 7}\n" for n, d in enumerate(days)))
    done = batch(
        load(BOXED), BatchSources((), (str(path),)), fetching=FetchOptions(calendar=code),
        now=datetime(year, 3, 4, 22, tzinfo=UTC),
    )  # fmt: skip
    assert len(done.forecasts) == 1
    (said,) = [note.message for note in done.notes if note.loud]
    assert f"its last bar is of {days[-1]}, and this machine's clock says {year}-03-04" in said
