"""Histories that were read before, beside what is read now: options hold for them, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forecaster.errors import SettingsError, StoreError, parameter
from forecaster.market.bars import History, Panel
from forecaster.wording import counted, listed

if TYPE_CHECKING:
    from forecaster.market.calendars import Schedule
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
        fetching: whose calendar they have where they have none; the sessions of those that they
            have are looked up where no panel brings them.

    Raises:
        SettingsError: columns are named and nothing that was read has any, or a ticker for several
            histories.
    """
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
    known = {code: one for panel in ready for code, one in (panel.calendars or {}).items()}
    dated = _on_calendars(histories, known, fetching)
    market = ready[0].market if len(ready) == 1 and not len(loaded.panel) else None
    return replace(
        loaded,
        panel=Panel((*dated.panel.histories, *loaded.panel.histories), market),
        notes=(*dated.notes, *loaded.notes),
        calendars=type(loaded.calendars)({**dated.calendars, **loaded.calendars}),
    )


def _on_calendars(
    histories: Sequence[History], known: Mapping[str, Schedule], fetching: FetchOptions
) -> LoadResult:
    """The histories with the schedules of their calendars, which are made where none is known.

    Raises:
        SettingsError, StoreError: a calendar was asked for, and there is no store to keep it in.
    """
    from forecaster.market.calendars import Calendars
    from forecaster.market.fetch_options import store_and_provider
    from forecaster.market.files.read import LoadResult
    from forecaster.market.load import on_calendar
    from forecaster.market.notes import Note

    places: dict[str, list[int]] = {}
    for place, history in enumerate(histories):
        code = history.calendar or fetching.calendar
        if code is not None and (history.calendar is None or code not in known):
            places.setdefault(code, []).append(place)
    if not places:
        return LoadResult(Panel(tuple(histories)), (), (), Calendars(known))
    made: dict[int, History] = {}
    notes: list[Note] = []
    calendars = dict(known)
    try:
        with store_and_provider(fetching, None, None) as (store, _):
            for code, of_code in places.items():
                panel = Panel(tuple(histories[place] for place in of_code))
                dated = on_calendar(LoadResult(panel, (), ()), code, store, datetime.now(UTC))
                made.update(zip(of_code, dated.panel, strict=True))
                notes += dated.notes if any(one.calendar is None for one in panel) else ()
                calendars.update(dated.calendars)
    except (SettingsError, StoreError) as problem:
        if fetching.calendar is not None:  # else nobody asked for what a store is needed for
            raise
        notes.append(Note(f"sessions are estimated, as {problem}", source=listed([*places])))
    every = Panel(tuple(made.get(place, one) for place, one in enumerate(histories)))
    return LoadResult(every, tuple(notes), (), Calendars(calendars))
