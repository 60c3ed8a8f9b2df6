"""Forecasts of a batch as JSON lines, CSV or Parquet, its summary, and gauges for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from forecaster import __version__
from forecaster.output.format import errors, percent, price, to_json, unit, write_lines
from forecaster.output.predict import forecast_object, is_flag, predict_csv, predict_rows
from forecaster.wording import counted

if TYPE_CHECKING:
    from forecaster.jobs.batch import BatchResult
    from forecaster.jobs.nightly_risk import NightlyRisk
    from forecaster.jobs.predict import TickerForecast
    from forecaster.market.notes import Failure
    from forecaster.market.store.risk_journal import LevelWritten, RiskRecord
    from forecaster.model.artifact import Model

_SUCCESS = "forecast_batch_last_success_timestamp_seconds"


def write_jsonl(
    file: BinaryIO,
    _model: Model,
    forecasts: Iterable[TickerForecast],
    _shares: Sequence[float] = (),
) -> None:
    """One object a line, each as an element of ``forecasts`` in ``forecast/1``."""
    write_lines(file, map(forecast_object, forecasts))


def write_csv(
    file: BinaryIO, model: Model, forecasts: Iterable[TickerForecast], shares: Sequence[float] = ()
) -> None:
    """A row for each ticker and step, with columns for the intervals that were asked for."""
    file.write(predict_csv(model, forecasts, shares).encode())


def write_parquet(
    file: BinaryIO, model: Model, forecasts: Iterable[TickerForecast], shares: Sequence[float] = ()
) -> None:
    """The rows and columns of ``write_csv`` as Parquet, with dates as dates and flags as flags."""
    import pyarrow as pa
    from pyarrow import parquet

    header, rows = predict_rows(model, forecasts, shares)
    text, number = pa.string(), pa.float64()
    types = {
        "ticker": text,
        "cutoff": pa.date32(),
        "step": pa.int32(),
        "session": pa.date32(),
        "sessions_behind": pa.int32(),
        "market_tickers": pa.int32(),
    }
    types |= {name: pa.bool_() for name in header if is_flag(name)}
    schema = pa.schema([(name, types.get(name, number)) for name in header])
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]
    table = pa.table(dict(zip(header, columns, strict=True))).cast(schema)
    parquet.write_table(table, file, compression="zstd")


def batch_json(
    result: BatchResult, exit_code: int = 0, failures: Sequence[Failure] | None = None
) -> str:
    """The document ``batch/1``.

    Args:
        result: what the batch did.
        exit_code: of the command that made it.
        failures: in the words of the command; None: the result's own.
    """
    cutoffs = sorted(str(forecast.cutoff) for forecast in result.forecasts)
    return to_json(
        {
            "schema": "batch/1",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": __version__,
            "exit_code": exit_code,
            "run": result.run,
            "resumed": result.resumed,
            "retrained": result.retrained,
            "model": {"name": result.model.name, "id": result.model.id},
            "tickers": result.tickers,
            "forecasts": len(result.forecasts),
            "written": result.written,
            "stale": result.stale,
            "sessions_behind": {
                forecast.ticker: forecast.sessions_behind
                for forecast in result.forecasts
                if forecast.ticker in result.stale
            },
            "oldest_cutoff": cutoffs[0] if cutoffs else None,
            "newest_cutoff": cutoffs[-1] if cutoffs else None,
            "seconds": round(result.seconds, 3),
            "journal": result.head,
            "journal_rows": result.journal_rows,
            "risk": _risk_object(result.risk),
            "errors": errors(result.problems if failures is None else failures),
        }
    )


def _risk_object(night: NightlyRisk | None) -> dict[str, Any] | None:
    """The risk of a portfolio; None where nobody asked or it could not be forecast."""
    if night is None or night.record is None:
        return None
    record = night.record
    whole = None if record.are_weights else record.value
    return {
        "holdings": night.name,
        "written": night.written,
        "cutoff": str(record.cutoff),
        "currency": record.currency,
        "value": whole,
        "steps": [
            {
                "step": step.step,
                "session": str(step.session),
                "session_estimated": step.session_estimated,
                "levels": [_level_object(level, whole) for level in step.levels],
            }
            for step in record.steps
        ],
    }


def _level_object(level: LevelWritten, value: float | None) -> dict[str, float | None]:
    """A tail as shares of the value, and in money where that is known."""
    return {
        "level": level.level,
        "var": level.var,
        "var_amount": None if value is None else level.var * value,
        "es": level.es,
        "es_amount": None if value is None else level.es * value,
    }


def risk_sentence(name: str, record: RiskRecord) -> str:
    """A sentence on what a portfolio may lose by the next session that was forecast."""
    step = record.steps[0]
    level = step.levels[0]
    money = ""
    if not record.are_weights:
        money = f" of {price(record.value)}{unit(record.currency)}"
    return (
        f"{name}: value at risk {percent(level.var, 2)}{money} to {step.session}"
        f" ({100 * level.level:g}%, {counted(step.step, 'session')} ahead), shortfall"
        f" {percent(level.es, 2)}"
    )


def batch_sentence(result: BatchResult) -> str:
    """A sentence on the outcome of a batch."""
    parts = [f"{counted(len(result.forecasts), 'forecast')} by model {result.model.name}"]
    parts.append(f"{result.written} new in the journal")
    if result.stale:
        parts.append(f"{len(result.stale)} stale")
    if result.problems:
        parts.append(f"{len(result.problems)} failed")
    if result.resumed:
        parts.append("an earlier run went on")
    return f"{', '.join(parts)}; {result.seconds:.1f} s"


def batch_metrics(
    result: BatchResult | None, exit_code: int, now: datetime, before: str | None = None
) -> str:
    """Gauges on a batch in the text that node_exporter's textfile collector reads.

    Args:
        result: what it did; None where it failed as a whole.
        exit_code: of the command.
        now: when it ended, with a time zone.
        before: the file of the batch before, which knows when one last succeeded.
    """
    from prometheus_client import CollectorRegistry, Gauge, Info, generate_latest

    registry = CollectorRegistry()

    def say(name: str, about: str, value: float) -> None:
        Gauge(name, about, registry=registry).set(value)

    Info("forecast", "The program.", registry=registry).info({"version": __version__})
    say("forecast_batch_exit_code", "0 done, 3 some tickers failed; others failed.", exit_code)
    say("forecast_batch_last_run_timestamp_seconds", "End of the last run.", now.timestamp())
    succeeded = now.timestamp() if exit_code == 0 else _last_success(before or "")
    if succeeded is not None:
        say(_SUCCESS, "End of the last run with exit code 0.", succeeded)
    if result is not None:
        say("forecast_batch_tickers", "Tickers of the watchlist.", result.tickers)
        say("forecast_batch_forecasts", "Tickers with a forecast.", len(result.forecasts))
        about = "Tickers without a forecast, and a portfolio without a risk."
        say("forecast_batch_failed", about, len(result.problems))
        say("forecast_batch_stale", "Tickers forecast from old bars.", len(result.stale))
        say("forecast_batch_duration_seconds", "From start to end.", result.seconds)
        say("forecast_journal_rows", "Rows of the journal.", result.journal_rows)
        known = [f.sessions_behind for f in result.forecasts if f.sessions_behind is not None]
        if known:
            say("forecast_batch_sessions_behind", "Of the ticker that is most.", max(known))
        head = {"head": result.head}
        Info("forecast_journal", "The last row's hash.", registry=registry).info(head)
    return generate_latest(registry).decode()


def _last_success(text: str) -> float | None:
    """When a batch last succeeded, by the file of an earlier one; None if that does not say."""
    from prometheus_client.parser import text_string_to_metric_families

    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == _SUCCESS:
                    return float(sample.value)
    except (ValueError, KeyError, IndexError):  # it is something else
        pass
    return None
