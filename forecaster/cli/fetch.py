"""`forecast fetch`."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from forecaster.cli.flags import failures_in_flags
from forecaster.cli.options import Reading, reading_options
from forecaster.cli.parsing import parse_date
from forecaster.cli.results import Writing
from forecaster.cli.sources import fetching_of, report_failures, show_notes, standard_input
from forecaster.cli.uses import reads
from forecaster.errors import SettingsError


@reading_options("offline", "provider", "calendar")
def fetch(
    tickers: Annotated[
        list[str] | None,
        reads(
            typer.Argument(
                metavar="[TICKERS]...",
                help="Tickers, as in AAPL MSFT ^GSPC BTC-USD, files that list some, or -.",
            )
        ),
    ] = None,
    watchlist: Annotated[
        str | None,
        reads(
            typer.Option(
                "--from",
                metavar="FILE",
                help="More tickers: one a line, or a CSV file with a ticker column; - for stdin.",
            )
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="First session wanted. (default: all there are)"),
    ] = None,
    *,
    reading: Reading,
    to: Writing,
) -> None:
    """Fetch price histories into the store, asking for no more than is missing."""
    from forecaster.jobs import fetch
    from forecaster.market.files.file_names import STDIN
    from forecaster.output.data import fetch_csv, fetch_json, fetch_table
    from forecaster.output.live.progress_bars import ticker_bar

    if reading.offline:
        raise SettingsError(
            "--offline asks no source, and fetching is asking one. Leave it out (it can be set in"
            " FORECASTER_OFFLINE and forecaster.toml too)."
        )
    words = _listed(tickers or [])
    if STDIN in words and watchlist is None:
        words.remove(STDIN)
        watchlist = STDIN
    if watchlist is not None:
        from forecaster.market.watchlist import read_watchlist

        words += read_watchlist(watchlist, standard_input([watchlist], "tickers, one a line"))
    if not words:
        raise SettingsError(
            "no ticker was given; at least one is needed, as in: forecast fetch AAPL"
        )
    fetching = fetching_of(reading, parse_date(since, "--since"))
    with ticker_bar(len(words)) as on_ticker:
        result = fetch.fetch(words, fetching, on_ticker=on_ticker)
    result = replace(result, failures=failures_in_flags(result.failures))
    show_notes(result.notes)
    to.write(
        table=lambda width: fetch_table(result, width),
        json=lambda: fetch_json(result),
        csv=lambda: fetch_csv(result),
        empty=not result.updated,
    )
    report_failures(result.failures, succeeded=len(result.updated))


def _listed(words: list[str]) -> list[str]:
    """Tickers, and those in files.

    Raises:
        DataError: a file is not there, or names no ticker.
        SettingsError: a file holds prices.
    """
    from forecaster.market.files.file_names import SUFFIXES
    from forecaster.market.watchlist import kind_of, read_watchlist

    tickers: list[str] = []
    for word in words:
        if not (word.lower().endswith(SUFFIXES) or Path(word).is_file()):
            tickers.append(word)
        elif kind_of(word) == "prices":
            raise SettingsError(
                f"{word} holds prices, and fetching needs names of tickers. To store its prices,"
                f" type: forecast data import {shlex.quote(word)}"
            )
        else:
            tickers += read_watchlist(word)
    return tickers
