"""`forecast fetch`."""

from __future__ import annotations

from typing import Annotated

import typer

from forecaster.cli.options import (
    CalendarCode,
    Format,
    FormatOption,
    Offline,
    Output,
    ProviderName,
    emit,
    parse_date,
)
from forecaster.cli.sources import fetching_of, report_failures, show_notes
from forecaster.errors import SettingsError


def fetch(
    tickers: Annotated[
        list[str] | None,
        typer.Argument(metavar="TICKERS...", help="Tickers, as in AAPL MSFT ^GSPC BTC-USD."),
    ] = None,
    watchlist: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="More tickers: one a line, or a CSV file with a ticker column; - for stdin.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="First session wanted. (default: all there are)"),
    ] = None,
    offline: Offline = False,
    provider: ProviderName = None,
    calendar: CalendarCode = None,
    format: FormatOption = Format.table,
    output: Output = None,
) -> None:
    """Fetch price histories into the store, asking for no more than is missing."""
    import sys

    from forecaster.jobs import fetch
    from forecaster.output.console import render, ticker_bar
    from forecaster.output.data import fetch_csv, fetch_json, fetch_table

    if offline:
        raise SettingsError(
            "--offline asks no source, and fetching is asking one. Leave it out (it can be set in"
            " FORECASTER_OFFLINE and forecaster.toml too)."
        )
    words = list(tickers or [])
    if watchlist is not None:
        from forecaster.market.watchlist import read_watchlist

        words += read_watchlist(watchlist, sys.stdin.buffer)
    if not words:
        raise SettingsError(
            "no ticker was given; at least one is needed, as in: forecast fetch AAPL"
        )
    fetching = fetching_of(provider=provider, calendar=calendar, since=parse_date(since, "--since"))
    with ticker_bar(len(words)) as on_ticker:
        result = fetch.fetch(words, fetching, on_ticker=on_ticker)
    show_notes([(remark.ticker, remark.message) for remark in result.remarks])
    if format is Format.json:
        emit(fetch_json(result), output)
    elif format is Format.csv:
        emit(fetch_csv(result), output)
    elif result.refreshed:
        emit(render(lambda width: fetch_table(result, width), output), output)
    report_failures(list(result.failures), succeeded=len(result.refreshed))
