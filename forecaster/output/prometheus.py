"""How a batch ended, in the text that Prometheus reads: a file for node_exporter's collector."""

from __future__ import annotations

from datetime import datetime

from forecaster import __version__
from forecaster.jobs.batch import BatchResult

SUFFIX = ".prom"
"""The collector reads files of this suffix alone."""
_SUCCESS = "forecast_batch_last_success_timestamp_seconds"


def batch_metrics(
    result: BatchResult | None, exit_code: int, now: datetime, before: str | None = None
) -> str:
    """Gauges on a batch, for alarms on age, failures and staleness.

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
        say("forecast_batch_failed", "Tickers without a forecast.", len(result.failures))
        say("forecast_batch_stale", "Tickers forecast from old bars.", len(result.stale))
        say("forecast_batch_duration_seconds", "From start to end.", result.seconds)
        say("forecast_journal_rows", "Forecasts in the journal.", result.journal_rows)
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
