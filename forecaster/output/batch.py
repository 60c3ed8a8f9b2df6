"""A batch's forecasts as JSON lines, CSV or Parquet, and its summary."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from forecaster.jobs.batch import BatchResult
from forecaster.output.format import errors, to_json
from forecaster.output.predict import forecast_object, predict_csv, predict_table


def write_jsonl(file: BinaryIO, done: BatchResult) -> None:
    """One object a line, each as an element of ``forecasts`` in ``forecast/1``."""
    for forecast in done.forecasts:
        line = json.dumps(forecast_object(forecast), allow_nan=False, ensure_ascii=False)
        file.write(line.encode() + b"\n")


def write_csv(file: BinaryIO, done: BatchResult) -> None:
    """A row for each ticker and step."""
    file.write(predict_csv(done.model, done.forecasts).encode())


def write_parquet(file: BinaryIO, done: BatchResult) -> None:
    """A row for each ticker and step as Parquet, with dates as dates and flags as flags."""
    import pyarrow as pa
    from pyarrow import parquet

    header, rows = predict_table(done.model, done.forecasts)
    text, number = pa.string(), pa.float64()
    types = {
        "ticker": text,
        "cutoff": pa.date32(),
        "step": pa.int32(),
        "session": pa.date32(),
        "session_estimated": pa.bool_(),
    }
    schema = pa.schema([(name, types.get(name, number)) for name in header])
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]
    arrays = [
        pa.array(
            [_date(cell) for cell in column] if field.type == pa.date32() else column, field.type
        )
        for column, field in zip(columns, schema, strict=True)
    ]
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), file, compression="zstd")


def summary(done: BatchResult) -> str:
    """The document ``batch/1``."""
    cutoffs = sorted(str(forecast.cutoff) for forecast in done.forecasts)
    return to_json(
        {
            "schema": "batch/1",
            "run": done.run,
            "resumed": done.resumed,
            "model": {"name": done.model.name, "id": done.model.id},
            "tickers": len(done.forecasts) + len(done.failures),
            "forecasts": len(done.forecasts),
            "written": done.written,
            "stale": list(done.stale),
            "oldest_cutoff": cutoffs[0] if cutoffs else None,
            "newest_cutoff": cutoffs[-1] if cutoffs else None,
            "seconds": round(done.seconds, 3),
            "journal": done.head,
            "errors": errors(done.failures),
        }
    )


def last_line(done: BatchResult) -> str:
    """What a person wants to know of a batch."""
    parts = [f"{len(done.forecasts)} forecasts by model {done.model.name}"]
    parts.append(f"{done.written} new in the journal")
    if done.stale:
        parts.append(f"{len(done.stale)} from stored bars, as their source failed")
    if done.failures:
        parts.append(f"{len(done.failures)} failed")
    if done.resumed:
        parts.append("an earlier run went on")
    return f"{', '.join(parts)}; {done.seconds:.1f} s"


def _date(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)
