"""The verbs of every night: fetch, forecast a watchlist, score what was forecast, look after it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from forecaster.api.arguments import checked
from forecaster.api.persistence import ModelLike, model_of
from forecaster.api.reading import (
    Data,
    Day,
    day_of,
    fetch_options,
    load_result,
    panel_of,
    warn_notes,
)
from forecaster.errors import SettingsError, parameter
from forecaster.wording import listed

if TYPE_CHECKING:
    from forecaster.api.together import Held
    from forecaster.jobs.batch import BatchResult
    from forecaster.jobs.doctor import Check
    from forecaster.jobs.fetch import FetchResult
    from forecaster.jobs.score import ScoreResult
    from forecaster.joint.holdings import Holdings
    from forecaster.market.watchlist import BatchSources
    from forecaster.output.charts.theme import ThemeName

Words: TypeAlias = "str | os.PathLike[str] | Iterable[str]"
"""A ticker or a path, or several: watchlists and price files."""


@checked
def fetch(
    tickers: str | Iterable[str],
    *,
    since: Day | None = None,
    provider: str | None = None,
    calendar: str | None = None,
) -> FetchResult:
    """Fetch price histories into the store, asking for no more than is missing.

    Args:
        tickers: one, or several.
        since: first session wanted; None: all there are.
        provider: ``"yahoo"`` or ``"tiingo"``; None: ``FORECASTER_PROVIDER``, or Yahoo.
        calendar: of all of them; None: of each one's exchange.

    Returns:
        What was done, with the tickers that failed.

    Raises:
        StoreError: the store cannot be used.
    """
    from forecaster.jobs import fetch as job

    result = job.fetch(
        _words(tickers, "tickers"), fetch_options(calendar, since, provider, offline=False)
    )
    warn_notes(result.notes)
    return result


@checked
def batch(
    watchlist: Words,
    model: ModelLike = None,
    *,
    market: Words | None = None,
    risk: Held | None = None,
    horizon: int | None = None,
    provider: str | None = None,
    offline: bool = False,
    calendar: str | None = None,
    max_age: int = 5,
    resume: bool = False,
    wait: float = 0.0,
    workers: int | None = None,
) -> BatchResult:
    """Forecast a whole watchlist in one pass, and write every forecast down in the journal.

    Args:
        watchlist: tickers, watchlists and price files.
        model: as `predict` takes it.
        market: those that make the market state; None: the watchlist itself.
        risk: holdings whose risk is written down as well: a file, shares by ticker (``"CASH"`` is
            money), or ``Holdings``.
        horizon: how many sessions ahead; None: as `predict`.
        provider: ``"yahoo"`` or ``"tiingo"``; None: ``FORECASTER_PROVIDER``, or Yahoo.
        offline: take tickers from the store alone.
        calendar: of all tickers; None: of each one's exchange.
        max_age: how many sessions a ticker's last bar may be behind.
        resume: go on with the last run of the same work if it was cut off.
        wait: seconds to wait for another batch.
        workers: processes that read stored bars and forecast from them; None: one for each core
            from a thousand tickers on.

    Returns:
        Forecasts and failures; nothing is raised for a ticker that failed, nor for holdings whose
        risk could not be forecast.

    Raises:
        LockHeld: another batch did not end in time.
        StoreError: the store cannot be used.
    """
    from forecaster.jobs import batch as job

    result = job.batch(
        model_of(model), _sources(watchlist, "watchlist"),
        market=None if market is None else _sources(market, "market"),
        risk=None if risk is None else _held(risk),
        horizon=horizon, fetching=fetch_options(calendar, None, provider, offline=offline),
        max_age=max_age, resume=resume, wait=wait, workers=workers,
    )  # fmt: skip
    warn_notes(result.notes)
    return result


@checked
def score(
    files: Data | None = None,
    *,
    since: Day | None = None,
    model: str | None = None,
    provider: str | None = None,
    offline: bool = False,
    calendar: str | None = None,
) -> ScoreResult:
    """Score the journal's forecasts, and risks of portfolios, against what happened since.

    Args:
        files: prices as they are now of those that were forecast from files.
        since: first cutoff.
        model: name or id of a model; None: all.
        provider: ``"yahoo"`` or ``"tiingo"``; None: ``FORECASTER_PROVIDER``, or Yahoo.
        offline: take tickers from the store alone.
        calendar: of all tickers; None: of each one's exchange.

    Raises:
        DataError: there is nothing to score.
        StoreError: the store cannot be used.
    """
    from forecaster.jobs.score import score_journal

    happened = () if files is None else panel_of(load_result(files)).histories
    result = score_journal(
        since=day_of(since, "since"), model=model, happened=happened,
        fetching=fetch_options(calendar, None, provider, offline=offline),
    )  # fmt: skip
    warn_notes(result.notes)
    return result


@checked
def report(
    subject: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    data: Data | None = None,
    holdings: Held | None = None,
    theme: ThemeName | None = None,
) -> Path:
    """Write one page on a model or a backtest.

    Args:
        subject: name or file of a model, or the JSON of a backtest.
        output: the page.
        data: prices, whose forecasts are drawn, for a model.
        holdings: as `risk` takes them, for a model: what they may lose, by those prices; they are
            fetched where ``data`` is None.
        theme: of colours; None: the page follows its reader's.

    Returns:
        The page's file.

    Raises:
        ModelError: there is no such model.
        DataError: the file holds no backtest.
        SettingsError: the output is named as no page is.
    """
    from forecaster.api.figures import fans_of
    from forecaster.api.together import risk
    from forecaster.api.verbs import predict
    from forecaster.atomic import replacing
    from forecaster.jobs.backtest_document import BacktestSubject
    from forecaster.jobs.report import read_subject
    from forecaster.output.report.page import SUFFIXES, backtest_page, model_page

    if Path(output).suffix.lower() not in SUFFIXES:
        raise SettingsError(
            f"{parameter('output')} is {os.fspath(output)}; a page's name ends in"
            f" {listed(SUFFIXES, 'or')}. Call it {os.fspath(output)}{SUFFIXES[0]}."
        )
    about = read_subject(os.fspath(subject))
    if isinstance(about, BacktestSubject):
        for name, given in (("data", data), ("holdings", holdings)):
            if given is not None:
                raise SettingsError(
                    f"{parameter(name)} was given and {os.fspath(subject)} is a backtest; a"
                    f" forecast needs a model. Leave {parameter(name)} out."
                )
        page = backtest_page(about, theme)
    else:
        drawn = (
            None
            if data is None
            else predict(data, about.model, horizon=about.model.settings.horizon)
        )
        fans = [] if drawn is None else fans_of(drawn.forecasts, drawn.histories)
        losses = None if holdings is None else risk(holdings, data, about.model)
        page = model_page(about, fans, (), theme, losses)
    with replacing(Path(output)) as file:
        file.write(page.encode())
    return Path(output)


@checked
def doctor(*, quick: bool = False) -> tuple[Check, ...]:
    """Check the installation: packages, folders, models, the store, devices.

    Args:
        quick: start no Keras and read no model.
    """
    from forecaster.jobs.doctor import examine

    return tuple(examine(quick=quick))


def _words(words: Words, name: str) -> Sequence[str]:
    """One word or several.

    Raises:
        SettingsError: there is none, or one is no word.
    """
    found = list(words) if isinstance(words, Iterable) and not isinstance(words, str) else [words]
    if not found:
        raise SettingsError(f"{parameter(name)} is empty; at least one ticker is needed.")
    for word in found:
        if not isinstance(word, str | os.PathLike):
            raise SettingsError(
                f"{parameter(name)} has {word!r}; tickers and paths are needed, as in"
                f' {parameter(name)}=["AAPL"].'
            )
    return [os.fspath(word) for word in found]


def _held(held: Held) -> Sequence[str] | Holdings:
    """A file by its name, which the journal keeps, or holdings."""
    from forecaster.api.together import holdings_from

    if isinstance(held, str | os.PathLike):
        return [os.fspath(held)]
    return holdings_from(held, "shares")


def _sources(words: Words, name: str) -> BatchSources:
    from forecaster.market.watchlist import read_set_sources

    return read_set_sources(_words(words, name))
