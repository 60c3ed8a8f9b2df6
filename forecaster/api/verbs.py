"""The verbs: each takes prices as `read` does, does one job, and returns its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forecaster.api.arguments import checked
from forecaster.api.notebook import Backtest, Predictions, Trained, bar_of
from forecaster.api.persistence import ModelLike, model_of
from forecaster.api.reading import (
    Data,
    Day,
    day_of,
    load_result,
    panel_for,
    panel_of,
    warn_failures,
    warn_notes,
)
from forecaster.errors import SettingsError, parameter
from forecaster.market.calendars import NO_CALENDARS
from forecaster.model.settings import Cell, Device, Settings
from forecaster.packages import require_training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from forecaster.jobs.backtest import Refit
    from forecaster.jobs.compare import ComparisonResult
    from forecaster.jobs.explain import Explanation
    from forecaster.output.charts.theme import ThemeName


@checked
def train(
    data: Data,
    settings: Settings | None = None,
    *,
    name: str = "default",
    train_end: Day | None = None,
    refit: bool = True,
    market: Data | None = None,
    device: Device = "auto",
    progress: bool = False,
) -> Trained:
    """Train one network over all histories, and score it on the sessions after ``train_end``.

    The model is in memory alone; `save` writes it.

    Args:
        data: prices, as `read` takes them.
        settings: of the network; None: `Settings()`.
        name: of the model.
        train_end: last session before the test part; None: after 85% of the sessions.
        refit: fit again on all sessions after testing.
        market: prices of those that make the market state; None: ``data`` itself.
        device: where Keras computes.
        progress: show a bar.

    Raises:
        DataError: a source cannot be read, or there is too little to train on.
        SettingsError: an argument cannot work.
        MachineError: TensorFlow was loaded before this process was forked.
        TrainingDiverged: the loss stopped being a finite number.
    """
    from forecaster.jobs import train as job

    require_training()
    end = day_of(train_end, "train_end")
    panel = panel_for(data, market)
    with bar_of(progress) as on_progress:
        result = job.train(
            panel, settings or Settings(), name=name, train_end=end, refit=refit, device=device,
            on_progress=on_progress,
        )  # fmt: skip
    warn_notes(result.notes)
    return Trained(**_fields(result))


@checked
def predict(
    data: Data,
    model: ModelLike = None,
    *,
    horizon: int | None = None,
    level: float | Sequence[float] = (),
    above: float | str | Sequence[float | str] = (),
    below: float | str | Sequence[float | str] = (),
    as_of: Day | None = None,
    market: Data | None = None,
) -> Predictions:
    """Forecast the next sessions of each history.

    Args:
        data: prices, as `read` takes them.
        model: a name, a path, or a model; None: the one trained last, or the one in the box.
        horizon: how many sessions ahead; None: 5, or all that the model can if those are fewer.
        level: intervals in percent, as in ``[80, 95]``, which each step then has as ``intervals``
            and `Predictions.to_dataframe` as columns; between the model's quantile levels they
            are interpolated.
        above: prices, or ``"last"``; each step then has the ``chances`` of ending above them.
        below: prices, or ``"last"``, likewise.
        as_of: forecast as if this date were the last session.
        market: prices of those that make the market state; None: ``data`` itself.

    Returns:
        Forecasts, and failures where others succeeded, each of which is a `ForecastWarning` too.

    Raises:
        ForecastError: there is not one forecast.
    """
    from forecaster.jobs import predict as job
    from forecaster.jobs.chances import checked_marks, with_chances
    from forecaster.jobs.intervals import checked_shares, with_intervals
    from forecaster.jobs.market_set import forecast_alone, other_than_learned
    from forecaster.market.age import ages_of, as_of_notes, file_notes

    author = model_of(model)
    job.checked_horizon(author, horizon)
    shares = checked_shares(author, [level] if isinstance(level, int | float) else level)
    marks = [*checked_marks("above", _several(above)), *checked_marks("below", _several(below))]
    day = day_of(as_of, "as_of")
    members = None if market is None else panel_for(market).histories
    loaded = load_result(data)
    panel = panel_of(loaded)
    members = panel.market if members is None else members
    warn_notes(other_than_learned(author, members))
    ages = ages_of(loaded, datetime.now(UTC)) if day is None else {}
    warn_notes(about for about in file_notes(loaded.files, ages) if about.loud)
    warn_notes(as_of_notes(panel, loaded.calendars, day))
    result = job.predict(
        author, panel.histories, market=members, horizon=horizon, as_of=day,
        calendars=loaded.calendars, ages=ages, record=True,
    )  # fmt: skip
    failures = (*loaded.failures, *result.failures)
    if failures and not result.forecasts:
        raise failures[-1].error
    warn_failures(failures, "was not forecast", [one.ticker for one in result.forecasts])
    warn_notes(forecast_alone(author, members, result.forecasts))
    warn_notes(job.hindsight_notes(author, result.forecasts))
    forecasts = with_chances(with_intervals(result.forecasts, shares), marks)
    result = replace(result, failures=failures, forecasts=forecasts)
    return Predictions(**_fields(result), model=author, histories=panel.histories, intervals=shares)


@checked
def plot(
    data: Data,
    model: ModelLike = None,
    *,
    horizon: int | None = None,
    as_of: Day | None = None,
    market: Data | None = None,
    theme: ThemeName = "light",
) -> Figure:
    """Draw each history with the fan of its forecast.

    Args:
        data: prices, as `read` takes them, of one to twelve tickers.
        model: as `predict` takes it.
        horizon: how many sessions ahead; None: all that the model can.
        as_of: forecast as if this date were the last session.
        market: prices of those that make the market state; None: ``data`` itself.
        theme: of colours.
    """
    author = model_of(model)
    steps = author.settings.horizon if horizon is None else horizon
    return predict(data, author, horizon=steps, as_of=as_of, market=market).plot(theme)


@checked
def backtest(
    data: Data,
    model: ModelLike = None,
    *,
    settings: Settings | None = None,
    train_end: Day | None = None,
    test_end: Day | None = None,
    folds: int = 1,
    refit: Refit = "fold",
    stride: int = 1,
    cells: Sequence[Cell] = ("gru",),
    seeds: int = 1,
    baselines: Sequence[str] = ("naive", "drift", "ewma", "garch", "har"),
    calibrate: bool = True,
    allow_overlap: bool = False,
    market: Data | None = None,
    device: Device = "auto",
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool = False,
) -> Backtest:
    """Score networks, or a saved model, beside baselines on sessions that they have not seen.

    Args:
        data: prices, as `read` takes them.
        model: a name, a path, or a model to be scored as it is; None: networks are fitted.
        settings: of the networks that are fitted; ``cell`` and ``seed`` are varied.
        train_end: the first cutoff; None: after 70% of the sessions.
        test_end: last session used.
        folds: how many cutoffs.
        refit: ``"fold"``: at each cutoff; ``"never"``: at the first.
        stride: score every n-th session.
        cells: of the networks.
        seeds: networks of each cell, whose quantiles are averaged.
        baselines: to be compared with.
        calibrate: correct forecasts by how past ones of a history fared.
        allow_overlap: score a model on sessions that it was trained on.
        market: prices of those that make the market state; None: ``data`` itself.
        device: where Keras computes.
        workers: processes that fit networks; None: this one.
        cluster: address of a Dask scheduler, which is trusted with this machine.
        progress: show a bar.

    Raises:
        DataError: a source cannot be read, or there is nothing to fit on or to score.
        SettingsError: an argument cannot work.
    """
    from forecaster.evaluation.baselines.fit import check_names
    from forecaster.jobs import backtest as job
    from forecaster.jobs.parallel import Pool

    plan = job.Plan(
        train_end=day_of(train_end, "train_end"),
        test_end=day_of(test_end, "test_end"),
        folds=folds, refit=refit, stride=stride, cells=tuple(cells), seeds=seeds,
        baselines=check_names(tuple(baselines)), calibrate=calibrate,
    )  # fmt: skip
    if model is None:
        require_training()
    elif folds > 1 or seeds > 1:
        raise SettingsError(
            f"{parameter('model')} was given with {parameter('folds')} or {parameter('seeds')}; a"
            " saved model is scored as it is, in one fold. Leave those out."
        )
    panel = panel_for(data, market)
    if model is not None:
        result = job.score_model(panel, model_of(model), plan, allow_overlap=allow_overlap)
    else:
        with bar_of(progress) as on_progress:
            result = job.backtest(
                panel, settings or Settings(), plan, device=device, on_progress=on_progress,
                pool=Pool(workers, cluster),
            )  # fmt: skip
    warn_notes(result.notes)
    return Backtest(**_fields(result))


@checked
def compare(
    data: Data,
    settings: Settings | None = None,
    *,
    cells: Sequence[Cell] = ("rnn", "lstm", "gru"),
    market: Data | None = None,
    train_end: Day | None = None,
    device: Device = "auto",
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool = False,
) -> ComparisonResult:
    """Train every kind of network on the same data, each in the same size.

    Args:
        data: prices, as `read` takes them.
        settings: of all, but for what tells them apart; None: 5 sessions ahead, 20 epochs.
        cells: recurrent cells to compare.
        market: histories of which the market state is made, which are not trained on.
        train_end: last session before the test part; None: after 85% of them.
        device: where Keras computes.
        workers: processes that fit networks; None: this one.
        cluster: address of a Dask scheduler, which is trusted with this machine.
        progress: show a bar.

    Raises:
        DataError: a source cannot be read, or there is too little for a test part.
    """
    from forecaster.jobs import compare as job
    from forecaster.jobs.parallel import Pool

    require_training()
    chosen = settings or Settings(horizon=5, epochs=20, patience=3)
    end = day_of(train_end, "train_end")
    with bar_of(progress) as on_progress:
        return job.compare(
            panel_for(data, market), chosen, cells=cells, train_end=end, device=device,
            on_progress=on_progress,
            pool=Pool(workers, cluster),
        )  # fmt: skip


@checked
def explain(
    data: Data,
    model: ModelLike = None,
    *,
    last: int = 10,
    step: int = 1,
    as_of: Day | None = None,
    seed: int = 0,
) -> Explanation:
    """Unroll the forecast of one history: which day moved it, and which inputs matter.

    Args:
        data: prices of one ticker, as `read` takes them.
        model: as `predict` takes it.
        last: sessions to show.
        step: how many sessions ahead.
        as_of: explain as if this date were the last session.
        seed: of the shuffling of inputs.

    Raises:
        SettingsError: there are several histories, or an argument cannot work.
    """
    from forecaster.jobs import explain as job
    from forecaster.market.age import as_of_notes

    author = model_of(model)
    day = day_of(as_of, "as_of")
    panel = panel_for(data)
    if len(panel) != 1:
        raise SettingsError(
            f"{parameter('data')} holds {len(panel)} histories; explain looks into one. Give the"
            " prices of one ticker."
        )
    calendars = panel.calendars or NO_CALENDARS
    warn_notes(as_of_notes(panel, calendars, day))
    return job.explain(
        author, panel.histories[0], last=last, step=step, as_of=day, seed=seed, calendars=calendars
    )


def _several(marks: float | str | Sequence[float | str]) -> Sequence[float | str]:
    return [marks] if isinstance(marks, int | float | str) else marks


def _fields(result: Any) -> dict[str, Any]:
    """The fields of a job's result by their names."""
    return {field.name: getattr(result, field.name) for field in fields(result)}
