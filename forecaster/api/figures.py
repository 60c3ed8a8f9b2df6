"""Pictures of results as matplotlib figures, for notebooks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from forecaster.errors import SettingsError
from forecaster.jobs.backtest import Backtest
from forecaster.jobs.fan_chart import Fan, fan_of
from forecaster.jobs.predict import TickerForecast
from forecaster.market.bars import History
from forecaster.model.artifact import Model
from forecaster.output.charts import backtest, fan
from forecaster.output.charts.figure import settled
from forecaster.output.charts.theme import THEMES, ThemeName

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SESSIONS = 120
"""Sessions of history beside a forecast."""


def fans_of(forecasts: Sequence[TickerForecast], histories: Sequence[History]) -> list[Fan]:
    """The fan of each forecast, beside the last sessions of its history."""
    known = {history.ticker: history for history in histories}
    fans = []
    for forecast in forecasts:
        seen = known[forecast.ticker].up_to(forecast.cutoff)
        fans.append(fan_of(forecast, seen.slice(max(len(seen) - SESSIONS, 0), len(seen))))
    return fans


def figure_of_fans(fans: Sequence[Fan], model: Model, theme: ThemeName) -> Figure:
    """Fans, a panel for each.

    Raises:
        SettingsError: there is none, or more than a picture has room for.
    """
    if not 1 <= len(fans) <= fan.MOST_PANELS:
        raise SettingsError(
            f"there are {len(fans)} forecasts; a picture has room for 1 to {fan.MOST_PANELS}. Plot"
            " those of fewer histories."
        )
    with settled():
        return _shown(fan.fan_figure(fans, fan.frame_of(fans, model), THEMES[theme]))


def figure_of_backtest(result: Backtest, theme: ThemeName) -> Figure:
    """Calibration, skill by step and loss over time of each network."""
    with settled():
        return _shown(backtest.backtest_figure(result, backtest.frame_of(result), THEMES[theme]))


def _shown(figure: Figure) -> Figure:
    """The figure, which a notebook shows though pyplot never heard of it."""

    def png() -> bytes:
        buffer = io.BytesIO()
        with settled():
            figure.savefig(buffer, format="png", dpi=80, facecolor=figure.get_facecolor())
        return buffer.getvalue()

    setattr(figure, "_repr_png_", png)  # noqa: B010
    return figure
