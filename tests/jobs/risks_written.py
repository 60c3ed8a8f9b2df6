"""Risks of portfolios written into a journal, from made-up histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import numpy as np
from fake_provider import FakeProvider, evening
from written import in_any_order, run

from forecaster.jobs.portfolio_record import PortfolioRecord
from forecaster.market.bars import History
from forecaster.market.store import Store
from forecaster.market.store.ledger import Author
from forecaster.market.store.risk_journal import (
    HistoryWritten,
    LevelWritten,
    PositionWritten,
    RiskRecord,
    RiskStepWritten,
    append_risk,
)

VAR = 0.02
VALUES = {"ABC": 600.0, "XYZ": 300.0}


def risk_row(
    made: Mapping[str, History],
    row: int,
    *,
    steps: Sequence[int] = (1,),
    var: float = VAR,
    values: Mapping[str, float] = {"ABC": 600.0, "XYZ": 300.0},
    pair: tuple[str, bool] | None = None,
    source: str | None = "mine.csv",
    files: Mapping[str, str] = {},
    estimated: bool = False,
    named: Mapping[int, np.datetime64] = {},
    currency: str = "USD",
) -> RiskRecord:
    """Positions with 100 of cash, from a row of histories; XYZ may be converted by a pair."""
    positions = [
        PositionWritten(
            ticker=name, amount=value / 10, unit="shares", currency=None, value=value,
            pair=pair[0] if pair and name == "XYZ" else None,
            inverse=bool(pair and pair[1] and name == "XYZ"),
        )
        for name, value in values.items()
    ]  # fmt: skip
    positions.append(
        PositionWritten(
            ticker="CASH", amount=100, unit="value", currency=None, value=100.0, pair=None,
            inverse=False,
        )
    )  # fmt: skip
    leader = made[max(values, key=lambda name: abs(values[name]))]
    seen = [*values, *([pair[0]] if pair else [])]
    days = [named.get(h, leader.sessions[min(row + h, len(leader) - 1)]) for h in steps]
    return RiskRecord(
        cutoff=max(made[name].sessions[row] for name in seen),
        fingerprint="a" * 64,
        value=sum(values.values()) + 100.0,
        currency=currency,
        positions=tuple(positions),
        histories=tuple(
            HistoryWritten(
                ticker=name, cutoff=day_of(made[name].sessions[row]), source=files.get(name)
            )
            for name in seen
        ),
        steps=tuple(
            RiskStepWritten(
                step=h, session=day_of(day), session_estimated=estimated,
                levels=(
                    LevelWritten(level=0.95, var=var, es=1.3 * var),
                    LevelWritten(level=0.99, var=2 * var, es=2.3 * var),
                ),
            )
            for h, day in zip(steps, days, strict=True)
        ),
        source=source,
    )  # fmt: skip


def day_of(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))


def put(
    store: Store, record: RiskRecord, created: datetime | None = None, model: str = "m"
) -> None:
    author = Author("run", created or evening(record.cutoff), model, f"id-{model}", "0" * 64)
    with in_any_order(), store.writing() as tx:
        assert append_risk(tx, author, record)


def only(store: Store, source: FakeProvider, **options) -> PortfolioRecord:
    (record,) = run(store, source, **options).portfolios
    return record
