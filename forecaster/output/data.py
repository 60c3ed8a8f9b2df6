"""Tables, JSON, CSV and Parquet of stored and fetched bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, BinaryIO

from rich.console import RenderableType

from forecaster.jobs.data import TickerExport, Verification
from forecaster.jobs.fetch import FetchResult
from forecaster.market.store.tickers import Extent
from forecaster.market.update import UpdateResult
from forecaster.output.console import Text
from forecaster.output.format import (
    csv_rows,
    errors,
    safe_cell,
    to_csv,
    to_json,
)
from forecaster.output.tabular.layout import Specs, columns_of, fitting_table
from forecaster.wording import counted


def fetch_table(result: FetchResult, width: int) -> list[RenderableType]:
    """A row for each ticker: the outcome, and the bars in the store."""
    columns: Specs[UpdateResult] = (
        ("ticker", "", 0, lambda r: r.ticker),
        ("outcome", "", 0, lambda r: r.outcome),
        ("new", "", 0, lambda r: f"{r.added:,}"),
        ("bars", "", 1, lambda r: f"{r.extent.bars:,}"),
        ("from", "", 2, lambda r: str(r.extent.first)),
        ("to", "", 0, lambda r: str(r.extent.cutoff)),
    )
    left = ("ticker", "outcome")
    return [fitting_table(columns_of(columns, result.updated, left), width)]


def extents_table(extents: Sequence[Extent], where: str, width: int) -> list[RenderableType]:
    """A row for each stored ticker, and the sum."""
    if not extents:
        return [Text(f"{where} holds no bars yet. Fetch some with: forecast fetch AAPL")]
    columns: Specs[Extent] = (
        ("ticker", "", 0, lambda e: e.info.ticker),
        ("bars", "", 0, lambda e: f"{e.bars:,}"),
        ("from", "", 1, lambda e: str(e.first)),
        ("to", "", 0, lambda e: str(e.cutoff)),
        ("currency", "", 2, lambda e: e.info.currency or "–"),
        ("calendar", "", 3, lambda e: e.info.calendar or "–"),
        ("source", "", 5, lambda e: e.info.source),
        ("fetched", "UTC", 4, lambda e: f"{e.info.answered:%Y-%m-%d %H:%M}"),
    )
    left = ("ticker", "currency", "calendar", "source")
    bars = counted(sum(extent.bars for extent in extents), "bar")
    return [
        fitting_table(columns_of(columns, extents, left), width),
        Text(f"{counted(len(extents), 'ticker')}, {bars} in {where}"),
    ]


def verification_table(result: Verification, where: str) -> list[RenderableType]:
    """Findings, damage first, and a sum."""
    ordered = sorted(result.findings, key=lambda finding: not finding.damaged)
    lines = [
        Text(
            f"{'damaged  ' if f.damaged else ''}{f.ticker + '  ' if f.ticker else ''}{f.message}",
            style="red" if f.damaged else "",
        )
        for f in ordered
    ]
    damaged = sum(f.damaged for f in result.findings)
    state = f"{damaged} damaged" if damaged else "whole"
    held = f"{counted(result.tickers, 'ticker')}, {counted(result.bars, 'bar')}"
    return [
        *lines,
        Text(f"{where}: {held}, {state}"),
    ]


EXPORT_COLUMNS = (
    "ticker", "date", "open", "high", "low", "close", "adj_close", "volume", "dividends",
    "stock_splits", "currency",
)  # fmt: skip

_FETCH_COLUMNS = ("ticker", "outcome", "added", "bars", "first", "cutoff")

_EXTENT_COLUMNS = ("ticker", "source", "currency", "calendar", "first", "cutoff", "bars", "fetched")


def fetch_json(result: FetchResult) -> str:
    """The document ``fetch/1``."""
    return to_json(
        {
            "schema": "fetch/1",
            "tickers": [dict(zip(_FETCH_COLUMNS, row, strict=True)) for row in _fetch_rows(result)],
            "notes": [{"ticker": r.ticker, "message": r.message} for r in result.notes],
            "errors": errors(result.failures),
        }
    )


def fetch_csv(result: FetchResult) -> str:
    """A row for each ticker."""
    return to_csv(_FETCH_COLUMNS, _fetch_rows(result))


def extents_json(extents: Sequence[Extent]) -> str:
    """The document ``data/1``."""
    rows = [dict(zip(_EXTENT_COLUMNS, _extent_row(e), strict=True)) for e in extents]
    return to_json({"schema": "data/1", "tickers": rows})


def extents_csv(extents: Sequence[Extent]) -> str:
    """A row for each ticker."""
    return to_csv(_EXTENT_COLUMNS, [_extent_row(e) for e in extents])


def _extent_row(extent: Extent) -> list[Any]:
    """The cells of ``_EXTENT_COLUMNS``."""
    info = extent.info
    return [
        info.ticker,
        info.source,
        info.currency,
        info.calendar,
        str(extent.first),
        str(extent.cutoff),
        extent.bars,
        info.answered.isoformat(timespec="seconds"),
    ]


def verification_json(result: Verification) -> str:
    """The document ``verify/1``."""
    return to_json({"schema": "verify/1", **asdict(result)})


def write_csv(file: BinaryIO, exports: Iterable[TickerExport]) -> None:
    """A row for each ticker and session; blank cells where a value is not known."""
    writer = csv_rows(file)
    writer.writerow(EXPORT_COLUMNS)
    for export in exports:
        columns = _columns(export)
        for place in (0, -1):  # the ticker and the currency
            columns[place] = [safe_cell(cell) for cell in columns[place]]
        writer.writerows(zip(*columns, strict=True))


def write_parquet(file: BinaryIO, exports: Iterable[TickerExport]) -> None:
    """Stored bars as one Parquet table, a row group for each ticker."""
    import pyarrow as pa
    from pyarrow import parquet

    text, number, day = pa.string(), pa.float64(), pa.date32()
    types = [text, day, *[number] * (len(EXPORT_COLUMNS) - 3), text]
    schema = pa.schema(list(zip(EXPORT_COLUMNS, types, strict=True)))
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for export in exports:
            columns = _columns(export)
            arrays = [pa.array(c, t) for c, t in zip(columns, types, strict=True) if t != day]
            arrays.insert(1, pa.array(export.history.sessions))
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _fetch_rows(result: FetchResult) -> list[list[Any]]:
    return [
        [r.ticker, r.outcome, r.added, r.extent.bars, str(r.extent.first), str(r.extent.cutoff)]
        for r in result.updated
    ]


def _columns(export: TickerExport) -> list[list[Any]]:
    """The cells of ``EXPORT_COLUMNS``, column by column."""
    history = export.history
    n = len(history)
    prices = (
        history.open, history.high, history.low, history.close, history.adjusted_close,
        history.volume,
    )  # fmt: skip
    paid = {action.session: action.value for action in export.dividends}
    split = {action.session: action.value for action in history.splits}
    return [
        [history.ticker] * n,
        history.sessions.astype(str).tolist(),
        *([None if v != v else v for v in p.tolist()] for p in prices),  # noqa: PLR0124
        [paid.get(session, 0.0) for session in history.sessions],
        [split.get(session, 0.0) for session in history.sessions],
        [history.currency] * n,
    ]
