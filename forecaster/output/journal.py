"""Tables, JSON, JSON lines and CSV of the journal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from rich.console import RenderableType

from forecaster.market.store.journal import Entry, levels_of
from forecaster.market.store.ledger import RISK
from forecaster.output.console import Text
from forecaster.output.format import (
    csv_rows,
    price,
    safe_cell,
    share,
    to_json,
    unit,
    write_lines,
)
from forecaster.output.tabular.layout import Specs, columns_of, fitting_table
from forecaster.wording import counted

if TYPE_CHECKING:
    from forecaster.market.store.chain import Chain
    from forecaster.market.store.risk_journal import RiskEntry


def journal_table(
    entries: Sequence[Entry], total: int, width: int, *, chosen: bool
) -> list[RenderableType]:
    """A row for each forecast: its time, model, ticker, and its last median and interval."""
    if not entries and chosen:
        return [
            Text("No forecast in the journal is like that. See all with: forecast journal list")
        ]
    if not entries:
        return [Text("The journal is empty. Fill it with: forecast batch WATCHLIST")]
    currencies = {entry.forecast.currency for entry in entries}
    common = (*currencies,)[0] if len(currencies) == 1 else None
    columns = columns_of(_columns(common or "price"), entries, _LEFT)
    sourced = any(entry.forecast.source for entry in entries)
    hidden = {"currency"} if len(currencies) < 2 else set()
    columns = [c for c in columns if c.name not in hidden and (sourced or c.name != "source")]
    more = total - len(entries)
    return [
        fitting_table(columns, width),
        *([Text(f"and {counted(more, 'older one')}")] if more else []),
    ]


def chain_json(chain: Chain) -> str:
    """The document ``journal-verify/1``."""
    return to_json(
        {
            "schema": "journal-verify/1",
            "forecasts": chain.entries - chain.risks,
            "risks": chain.risks,
            "head": chain.head,
            "noted": chain.noted,
            "broken": list(chain.broken),
        }
    )


def chain_text(chain: Chain) -> str:
    """How many rows hold, and where a head that was noted is among them."""
    rows = counted(chain.entries - chain.risks, "forecast")
    if chain.risks:
        held = "a portfolio" if chain.risks == 1 else "portfolios"
        rows += f" and {counted(chain.risks, 'risk')} of {held}"
    since = ""
    if chain.noted is not None:
        later = chain.entries - chain.noted
        since = f"the noted head is that of row {chain.noted}, and {later:,} came since\n"
    return f"{rows}, none changed; head {chain.head}\n{since}"


def risks_table(entries: Sequence[RiskEntry], total: int, width: int) -> list[RenderableType]:
    """A row for each risk of a portfolio: its value at risk at the nearest step; none without."""
    if not entries:
        return []
    levels = entries[-1].record.steps[0].levels
    columns: Specs[RiskEntry] = (
        ("no.", "", 0, lambda entry: str(entry.number)),
        ("created", "UTC", 4, lambda entry: f"{entry.author.created:%Y-%m-%d %H:%M}"),
        ("model", "", 3, lambda entry: entry.author.model),
        ("holdings", "", 0, lambda entry: entry.record.portfolio),
        ("cutoff", "", 0, lambda entry: str(entry.record.cutoff)),
        ("to", "", 5, lambda entry: str(entry.record.steps[0].session)),
        ("value", "", 1, _value),
        *(
            (f"VaR {100 * level.level:g}%", "%", 2, partial(_value_at_risk, place))
            for place, level in enumerate(levels)
        ),
    )
    more = total - len(entries)
    return [
        Text("Risk of portfolios", style="bold"),
        fitting_table(columns_of(columns, entries, ("model", "holdings")), width),
        *([Text(f"and {counted(more, 'older one')}")] if more else []),
    ]


def _value(entry: RiskEntry) -> str:
    record = entry.record
    return "weights" if record.are_weights else f"{price(record.value)}{unit(record.currency)}"


def _value_at_risk(place: int, entry: RiskEntry) -> str:
    levels = entry.record.steps[0].levels
    return share(levels[place].var if place < len(levels) else None, ".2f")


def _last_median(entry: Entry) -> str:
    median = entry.forecast.steps[-1]["quantiles"].get("0.5")
    return "–" if median is None else price(median)


def _last_interval(entry: Entry) -> str:
    last = entry.forecast.steps[-1]["quantiles"]
    low, high = last.get("0.05"), last.get("0.95")
    return "–" if low is None or high is None else f"{price(low)} to {price(high)}"


_LEFT = ("model", "ticker", "currency", "source")


def _columns(currency: str) -> Specs[Entry]:
    """All columns, prices in a currency or in those that a column names."""
    return (
        ("no.", "", 0, lambda entry: str(entry.number)),
        ("created", "UTC", 4, lambda entry: f"{entry.author.created:%Y-%m-%d %H:%M}"),
        ("model", "", 3, lambda entry: entry.author.model),
        ("ticker", "", 0, lambda entry: entry.forecast.ticker),
        ("cutoff", "", 0, lambda entry: str(entry.forecast.cutoff)),
        ("steps", "", 5, lambda entry: str(len(entry.forecast.steps))),
        ("close", currency, 2, lambda entry: price(entry.forecast.last_close)),
        ("median", currency, 1, _last_median),
        ("90% interval of the last step", currency, 6, _last_interval),
        ("currency", "", 2, lambda entry: entry.forecast.currency or "–"),
        ("source", "", 7, lambda entry: entry.forecast.source or "–"),
    )


_CSV_COLUMNS = (
    "number", "run", "created", "model", "model_id", "model_hash", "ticker", "cutoff",
    "fingerprint", "last_close", "currency", "source", "joined_on",
    "market_tickers", "hash",
)  # fmt: skip


def journal_json(entries: Sequence[Entry], risks: Sequence[RiskEntry]) -> str:
    """The document ``journal/1``."""
    return to_json(
        {
            "schema": "journal/1",
            "forecasts": [_object(entry) for entry in entries],
            "risks": [_risk_object(entry) for entry in risks],
        }
    )


def journal_csv(entries: Sequence[Entry]) -> str:
    """A row for each ticker and step."""
    buffer = io.BytesIO()
    write_csv(buffer, entries, levels_of(entries))
    return buffer.getvalue().decode()


def write_jsonl(file: BinaryIO, entries: Iterable[Entry | RiskEntry]) -> None:
    """An object a line, as in ``journal/1``, forecasts and risks in one order."""
    write_lines(
        file, (_object(one) if isinstance(one, Entry) else _risk_object(one) for one in entries)
    )


def write_csv(file: BinaryIO, entries: Iterable[Entry], levels: Sequence[str]) -> None:
    """A row for each ticker and step, with a column for each of the quantile levels."""
    writer = csv_rows(file)
    ahead = ["step", "session", "session_estimated", "naive"]
    writer.writerow([*_CSV_COLUMNS, *ahead, *(f"q{level}" for level in levels)])
    for entry in entries:
        cells = _object(entry)
        for step in entry.forecast.steps:
            quantiles = step["quantiles"]
            writer.writerow(
                [
                    *(safe_cell(cells[name]) for name in _CSV_COLUMNS),
                    step["step"],
                    step["session"],
                    str(step["session_estimated"]).lower(),
                    step["naive"],
                    *(quantiles.get(level) for level in levels),
                ]
            )


def _object(entry: Entry) -> dict[str, Any]:
    facts = {**vars(entry.author), **vars(entry.forecast)}
    return {
        "number": entry.number,
        **{name: facts[name] for name in _CSV_COLUMNS[1:-1]},
        "created": entry.author.created.isoformat(timespec="seconds"),
        "cutoff": str(entry.forecast.cutoff),
        "steps": list(entry.forecast.steps),
        "hash": entry.hash,
    }


def _risk_object(entry: RiskEntry) -> dict[str, Any]:
    record = entry.record
    return {
        "number": entry.number,
        "kind": RISK,
        **vars(entry.author),
        "created": entry.author.created.isoformat(timespec="seconds"),
        "cutoff": str(record.cutoff),
        "fingerprint": record.fingerprint,
        "value": record.value,
        "currency": record.currency,
        "source": record.source,
        "market_tickers": record.market_tickers,
        **{
            name: [part.model_dump(mode="json") for part in getattr(record, name)]
            for name in ("positions", "histories", "steps")
        },
        "hash": entry.hash,
    }
