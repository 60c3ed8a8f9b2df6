"""What the verbs return: results with the tables and pictures that a notebook shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forecaster.jobs import backtest, predict, train
from forecaster.market.bars import History
from forecaster.model.artifact import Model
from forecaster.output.charts.theme import ThemeName

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from forecaster.evaluation.scores import ScoreTable
    from forecaster.jobs.progress import OnProgress


@dataclass(frozen=True, repr=False, kw_only=True)
class Predictions(predict.Predictions):
    """Forecasts of several tickers; ``predictions["AAPL"]`` is that of one.

    Equal ones are equal forecasts by equal models.

    Attributes:
        model: who forecast.
        histories: what was forecast.
        intervals: shares in percent that were asked for.
    """

    model: Model
    histories: tuple[History, ...] = field(compare=False)
    intervals: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.forecasts)

    def __iter__(self) -> Iterator[predict.TickerForecast]:
        return iter(self.forecasts)

    def __getitem__(self, ticker: str) -> predict.TickerForecast:
        for forecast in self.forecasts:
            if forecast.ticker == ticker:
                return forecast
        raise KeyError(ticker)

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        tickers = ", ".join(f"{f.ticker} to {f.steps[-1].session}" for f in self.forecasts[:3])
        more = ", …" if len(self) > 3 else ""
        return f"<Predictions of {len(self)} by {self.model.name}: {tickers}{more}{failed}>"

    def _repr_html_(self) -> str:
        return html_of(self.to_dataframe(wide=True))

    def to_dataframe(self, *, wide: bool = False) -> pd.DataFrame:
        """A row for each ticker and step.

        Args:
            wide: columns as neuralforecast and its kin name them: ``unique_id``, ``ds``,
                ``median``, and ``lo-90``, ``hi-90`` for each interval between two levels; else the
                columns of the command's CSV.

        Returns:
            Dates are ``datetime64``; prices are as traded at the cutoff.
        """
        from forecaster.output.predict import predict_rows

        header, rows = predict_rows(self.model, self.forecasts, self.intervals)
        frame = rows_frame(header, rows, dates=("cutoff", "session"))
        return self._wide(frame) if wide else frame

    def _wide(self, frame: pd.DataFrame) -> pd.DataFrame:
        from forecaster.output.format import level_key

        levels = self.model.settings.quantiles
        chosen = {"unique_id": "ticker", "ds": "session", "median": f"q{level_key(0.5)}"}
        for low in sorted((q for q in levels if q < 0.5), reverse=True):
            high = round(1.0 - low, 12)
            if high in levels:
                share = f"{100 * (high - low):g}"
                chosen |= {
                    f"lo-{share}": f"q{level_key(low)}",
                    f"hi-{share}": f"q{level_key(high)}",
                }
        asked = [f"{end}-{share:g}" for share in self.intervals for end in ("lo", "hi")]
        chosen |= {name: name for name in asked}
        known = {name: column for name, column in chosen.items() if column in frame}
        return frame[list(known.values())].set_axis(list(known), axis=1)

    def plot(self, theme: ThemeName = "light") -> Figure:
        """The fans of up to twelve forecasts, each beside its last 120 sessions.

        Args:
            theme: ``light`` or ``dark``.

        Raises:
            SettingsError: there is none, or there are more than a picture has room for.
        """
        from forecaster.api.figures import fans_of, figure_of_fans

        return figure_of_fans(fans_of(self.forecasts, self.histories), self.model, theme)


@dataclass(frozen=True, repr=False)
class Backtest(backtest.Backtest):
    """Scores of a backtest beside those of the baselines."""

    def __repr__(self) -> str:
        verdicts = "; ".join(f"{v.model} {v.word} {v.baseline}" for v in self.table.verdicts)
        first, last = self.folds[0].test_from, self.folds[-1].test_to
        return f"<Backtest from {first} to {last}: {verdicts}>"

    def _repr_html_(self) -> str:
        return html_of(self.to_dataframe())

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each model and step, as in the command's CSV."""
        return _scores(self.table)

    def plot(self, theme: ThemeName = "light") -> Figure:
        """Calibration, skill by step, and loss over time.

        Args:
            theme: ``light`` or ``dark``.
        """
        from forecaster.api.figures import figure_of_backtest

        return figure_of_backtest(self, theme)


@dataclass(frozen=True, repr=False)
class Trained(train.Trained):
    """A trained model and its scores on the test part."""

    def __repr__(self) -> str:
        return f"<Trained {self.model!r} on {self.device} in {self.seconds:.1f} s>"

    def _repr_html_(self) -> str:
        return html_of(self.to_dataframe())

    def to_dataframe(self) -> pd.DataFrame:
        """The scores on the test part: a row for each model and step, as in the command's CSV."""
        return _scores(self.table)


def _scores(table: ScoreTable | None) -> pd.DataFrame:
    from forecaster.output.format import score_rows

    return rows_frame(*score_rows(table))


def rows_frame(header: list[str], rows: list[list[Any]], dates: Sequence[str] = ()) -> pd.DataFrame:
    """Rows as a DataFrame, with dates as dates, and numbers that no row has as numbers."""
    import pandas as pd

    frame = pd.DataFrame(rows, columns=pd.Index(header))
    if rows:
        unknown = frame.columns[frame.isna().all()]
        frame = frame.astype(dict.fromkeys(unknown, "float64"))
    for name in dates:
        frame[name] = pd.to_datetime(frame[name])
    return frame


def html_of(frame: pd.DataFrame) -> str:
    """A table for a notebook; text in its cells is escaped."""
    from forecaster.output.format import unsigned_zero

    def shown(value: float) -> str:
        return unsigned_zero(f"{value:,.4g}")

    return frame.to_html(index=False, float_format=shown, na_rep="–")


def bar_of(progress: bool) -> AbstractContextManager[OnProgress | None]:
    """Callback of a progress bar, if one is wanted."""
    if not progress:
        return nullcontext(None)
    from forecaster.output.live.progress_bars import training_bar

    return training_bar(always=True)
