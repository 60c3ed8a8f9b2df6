"""Histories that were read before, beside what is read now: options hold for them, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forecaster.errors import SettingsError, parameter
from forecaster.market.bars import History, Panel
from forecaster.wording import counted

if TYPE_CHECKING:
    from forecaster.market.fetch_options import FetchOptions
    from forecaster.market.files.read import LoadResult, ReadOptions


def under(name: str | None, panel: Panel) -> Panel:
    """A panel whose one history has the ticker that a mapping gives it.

    Raises:
        SettingsError: it has several.
    """
    if name is None:
        return panel
    if len(panel) != 1:
        raise SettingsError(
            f"{parameter('data')} gives {name} a panel of {counted(len(panel), 'history')}; one is"
            " needed. Give the panel by itself, without a ticker."
        )
    return replace(panel, histories=(panel.histories[0].having(ticker=name),))


def with_ready(
    loaded: LoadResult, ready: Sequence[Panel], options: ReadOptions, fetching: FetchOptions
) -> LoadResult:
    """What was read, after histories that were there already.

    Args:
        loaded: what was read.
        ready: the others.
        options: whose ticker, and whose currency where none is known, they have.
        fetching: whose calendar they have where they have none.

    Raises:
        SettingsError: columns are named and nothing that was read has any, or a ticker for several
            histories.
    """
    from forecaster.market.calendars import Calendars

    histories = [history for panel in ready for history in panel]
    if options.columns and not (len(loaded.panel) or loaded.failures):
        raise SettingsError(
            f"{parameter('data')} was read before, and the columns of a history have their roles."
            " Name them where the table or the file is read."
        )
    if options.ticker is not None:
        if len(histories) + len(loaded.panel) > 1:
            raise SettingsError(
                f"{parameter('ticker')} {options.ticker} names one history, but"
                f" {len(histories) + len(loaded.panel)} were given. Leave it out."
            )
        histories = [history.having(ticker=options.ticker.strip()) for history in histories]
    if options.currency is not None:
        histories = [
            history if history.currency else history.having(currency=options.currency)
            for history in histories
        ]
    dated = _on_calendar(histories, fetching)
    known = {code: one for panel in ready for code, one in (panel.calendars or {}).items()}
    market = ready[0].market if len(ready) == 1 and not len(loaded.panel) else None
    return replace(
        loaded,
        panel=Panel((*dated.panel.histories, *loaded.panel.histories), market),
        notes=(*dated.notes, *loaded.notes),
        calendars=Calendars({**known, **dated.calendars, **loaded.calendars}),
    )


def _on_calendar(histories: Sequence[History], fetching: FetchOptions) -> LoadResult:
    """The histories, those without a calendar on the one that was named."""
    from forecaster.market.fetch_options import store_and_provider
    from forecaster.market.files.read import LoadResult
    from forecaster.market.load import on_calendar

    without = LoadResult(Panel(tuple(one for one in histories if one.calendar is None)), (), ())
    if fetching.calendar is None or not len(without.panel):
        return replace(without, panel=Panel(tuple(histories)))
    with store_and_provider(fetching, None, None) as (store, _):
        dated = on_calendar(without, fetching.calendar, store, datetime.now(UTC))
    found = {history.ticker: history for history in dated.panel}
    every = tuple(found.get(one.ticker, one) for one in histories)
    return replace(dated, panel=Panel(every))
