"""Stored bars and what was fetched, as JSON, CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from forecaster.errors import ForecastError
from forecaster.jobs.fetch import Fetched
from forecaster.market.store.bars import Extent
from forecaster.output.documents import safe_cell, to_csv, to_json

if TYPE_CHECKING:
    from forecaster.jobs.data import Exported, Verified

EXPORT_COLUMNS = (
    "ticker", "date", "open", "high", "low", "close", "adj_close", "volume", "dividends",
    "stock_splits", "currency",
)  # fmt: skip

_FETCHED = ("ticker", "outcome", "added", "bars", "first", "cutoff")
_LISTED = ("ticker", "source", "currency", "calendar", "first", "cutoff", "bars", "fetched")


def fetched_json(fetched: Fetched) -> str:
    """The document ``fetch/1``."""
    return to_json(
        {
            "schema": "fetch/1",
            "tickers": [dict(zip(_FETCHED, row, strict=True)) for row in _fetched_rows(fetched)],
            "notes": [{"ticker": r.ticker, "message": r.message} for r in fetched.remarks],
            "errors": errors(fetched.failures),
        }
    )


def fetched_csv(fetched: Fetched) -> str:
    """A row for each ticker."""
    return to_csv(_FETCHED, _fetched_rows(fetched))


def errors(failures: Iterable[tuple[str, ForecastError]]) -> list[dict[str, str]]:
    """``[{"ticker", "code", "message"}]``."""
    return [{"ticker": word, "code": e.code, "message": str(e)} for word, e in failures]


def listed_json(extents: Sequence[Extent]) -> str:
    """The document ``data/1``."""
    rows = [dict(zip(_LISTED, listed_row(e), strict=True)) for e in extents]
    return to_json({"schema": "data/1", "tickers": rows})


def listed_csv(extents: Sequence[Extent]) -> str:
    """A row for each ticker."""
    return to_csv(_LISTED, [listed_row(e) for e in extents])


def listed_row(extent: Extent) -> list[Any]:
    """The cells of ``_LISTED``."""
    known = extent.known
    return [
        known.ticker,
        known.source,
        known.currency,
        known.calendar,
        str(extent.first),
        str(extent.cutoff),
        extent.bars,
        known.answered.isoformat(timespec="seconds"),
    ]


def verified_json(verified: Verified) -> str:
    """The document ``verify/1``."""
    return to_json(
        {
            "schema": "verify/1",
            "tickers": verified.tickers,
            "bars": verified.bars,
            "findings": [
                {"ticker": f.ticker, "damaged": f.damaged, "message": f.message}
                for f in verified.findings
            ],
        }
    )


def write_csv(file: BinaryIO, exported: Iterable[Exported]) -> None:
    """A row for each ticker and session; blank cells where a value is not known."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EXPORT_COLUMNS)
    for one in exported:
        columns = _columns(one)
        columns[0] = [safe_cell(one.history.ticker)] * len(one.history)
        writer.writerows(zip(*columns, strict=True))
    text.flush()
    text.detach()


def write_parquet(file: BinaryIO, exported: Iterable[Exported]) -> None:
    """The same table as Parquet, a row group for each ticker."""
    import pyarrow as pa
    from pyarrow import parquet

    text, number, day = pa.string(), pa.float64(), pa.date32()
    types = [text, day, *[number] * (len(EXPORT_COLUMNS) - 3), text]
    schema = pa.schema(list(zip(EXPORT_COLUMNS, types, strict=True)))
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for one in exported:
            columns = _columns(one)
            arrays = [pa.array(c, t) for c, t in zip(columns, types, strict=True) if t != day]
            arrays.insert(1, pa.array(one.history.sessions))
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _fetched_rows(fetched: Fetched) -> list[list[Any]]:
    return [
        [r.ticker, r.outcome, r.added, r.bars, str(r.first), str(r.cutoff)]
        for r in fetched.refreshed
    ]


def _columns(one: Exported) -> list[list[Any]]:
    """The cells of ``EXPORT_COLUMNS``, column by column."""
    history = one.history
    n = len(history)
    prices = (
        history.open, history.high, history.low, history.close, history.adjusted_close,
        history.volume,
    )  # fmt: skip
    paid = {action.session: action.value for action in one.dividends}
    split = {action.session: action.value for action in history.splits}
    return [
        [history.ticker] * n,
        history.sessions.astype(str).tolist(),
        *([None if v != v else v for v in p.tolist()] for p in prices),  # noqa: PLR0124
        [paid.get(session, 0.0) for session in history.sessions],
        [split.get(session, 0.0) for session in history.sessions],
        [history.currency] * n,
    ]
