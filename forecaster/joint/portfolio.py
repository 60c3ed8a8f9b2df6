"""A portfolio: what its positions are worth in one currency, and profits by draws."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Floats32, Rows
from forecaster.errors import DataError, Message, SettingsError, parameter
from forecaster.joint.holdings import CASH, Holdings, Position
from forecaster.market.bars import History
from forecaster.market.files.cells.currencies import code_of
from forecaster.market.notes import Note
from forecaster.wording import few

_HUNDREDTHS = {"GBp": "GBP", "ZAc": "ZAR", "ILA": "ILS", "USX": "USD"}
"""Currencies whose prices are in hundredths."""
_DIRECT, _INVERSE = 1.0, -1.0
_LARGEST = 1e24


@dataclass(frozen=True)
class Portfolio:
    """P positions on N histories: tickers, and the pairs of currencies that convert them.

    Attributes:
        positions: of the holdings, in their order.
        currency: of all values; None where no history says its own.
        values: of the positions at the last closes, ``(P,)``, below 0 for what is owed; shares of 1
            where the holdings are weights.
        asset: the history of each position, ``(P,)``; -1 for cash.
        pair: the history that converts each position, ``(P,)``; -1 where none is needed.
        pair_sign: 1 where the pair's price multiplies, -1 where it divides, ``(P,)``.
        are_weights: whether only shares of the whole are known.
    """

    positions: tuple[Position, ...]
    currency: str | None
    values: Floats
    asset: Rows
    pair: Rows
    pair_sign: Floats
    are_weights: bool

    @property
    def value(self) -> float:
        """What all of it is worth."""
        return float(self.values.sum())

    def position_profits(self, place: int, log_returns: Floats32 | Floats) -> Floats:
        """Profits of one position, ``(M,)``, by log returns of the histories ``(N, M)``."""
        moved = np.zeros(log_returns.shape[1])
        if self.asset[place] >= 0:
            moved += log_returns[self.asset[place]]
        if self.pair[place] >= 0:
            moved += self.pair_sign[place] * log_returns[self.pair[place]]
        return np.asarray(self.values[place] * np.expm1(moved))

    def profits(self, log_returns: Floats32 | Floats) -> Floats:
        """Profits of the whole, ``(M,)``."""
        total = np.zeros(log_returns.shape[1])
        for place in range(len(self.positions)):
            total += self.position_profits(place, log_returns)
        return total


def base_currency(holdings: Holdings, histories: Sequence[History], wanted: str | None) -> str:
    """The currency of all values: the one wanted, or the first holding's; "" where not known."""
    if wanted:
        return _unit(wanted)[1]
    by_ticker = {history.ticker: history for history in histories}
    for position in holdings.positions:
        found = by_ticker.get(known_as(position.ticker, by_ticker))
        currency = _unit_of(position, None if position.ticker == CASH else found)[1]
        if currency:
            return currency
    return ""


def known_as(ticker: str, known: Container[str]) -> str:
    """A ticker of holdings as it is known: as it was written, or else in capitals."""
    return ticker if ticker in known else ticker.upper()


def pair_names(currency: str, base: str) -> tuple[tuple[str, float], ...]:
    """Tickers of the pair that turns a currency into another, and whether its price multiplies."""
    out = []
    for first, second, sign in ((currency, base, _DIRECT), (base, currency, _INVERSE)):
        out += [(f"{first}{second}{end}", sign) for end in ("=X", "", "X")]
        out += [(f"{first}{mark}{second}", sign) for mark in ("/", "-", "_")]
    if base == "USD":
        out.append((f"{currency}-USD", _DIRECT))
    return tuple(out)


def missing_pairs(holdings: Holdings, histories: Sequence[History], base: str) -> list[str]:
    """Tickers of the pairs of currencies that are needed and not among the histories."""
    places = {history.ticker: place for place, history in enumerate(histories)}
    wanted: dict[str, None] = {}
    for position in holdings.positions:
        place = places.get(known_as(position.ticker, places))
        currency = _unit_of(position, None if place is None else histories[place])[1]
        names = [name for name, _ in pair_names(currency, base)]
        if currency not in ("", base) and not any(name in places for name in names):
            wanted[names[0]] = None
    return list(wanted)


def unknown_currencies(holdings: Holdings, histories: Sequence[History], base: str) -> list[Note]:
    """A note where holdings whose currency nobody says are taken to be in the base currency."""
    known = {history.ticker: history for history in histories}
    unsaid = [
        position.ticker
        for position in holdings.positions
        if position.ticker != CASH
        and not _unit_of(position, known.get(known_as(position.ticker, known)))[1]
    ]
    if not base or not unsaid or holdings.are_weights:
        return []
    message = (
        f"no file says the currency of {few(unsaid)}; it is taken to be {base}. Say it with"
        f" {parameter('currency')}, or in a column currency of the holdings."
    )
    return [Note(Message(message), source="holdings", loud=True)]


def value_positions(holdings: Holdings, histories: Sequence[History], base: str) -> Portfolio:
    """What holdings are worth at the last closes of their histories.

    Args:
        holdings: their positions.
        histories: of all tickers, and of the pairs of currencies.
        base: currency of all values; "" where none is known.

    Raises:
        DataError: a ticker or a pair has no history, or two holdings have the same.
        SettingsError: all of it is worth nothing or less.
    """
    places = {history.ticker: place for place, history in enumerate(histories)}
    values, pairs, signs = [], [], []
    assets: list[int] = []
    for position in holdings.positions:
        place, unit, pair, sign = _looked_up(position, histories, places, base)
        history = None if place < 0 else histories[place]
        rate = 1.0 if pair < 0 else float(histories[pair].close[-1]) ** sign
        price = _unit(position.currency)[0]  # of money: 0.01 where it is pence
        if history is not None and position.unit == "shares":
            price = float(history.close[-1]) * unit
        if history is not None and place in assets:
            raise DataError(
                f"{holdings.positions[assets.index(place)].ticker} and {position.ticker} have one"
                " history; a ticker can be held once. Add the two up."
            )
        values.append(position.amount * (1.0 if holdings.are_weights else price * rate))
        assets.append(place)
        pairs.append(pair)
        signs.append(sign)
    portfolio = Portfolio(
        holdings.positions, base or None, np.array(values), np.array(assets, dtype=np.intp),
        np.array(pairs, dtype=np.intp), np.array(signs), holdings.are_weights,
    )  # fmt: skip
    if not np.isfinite(portfolio.values).all() or np.abs(portfolio.values).max() > _LARGEST:
        raise DataError(
            f"the holdings are worth more than {_LARGEST:g}, which no portfolio is; amounts are"
            " needed as they are owned. Correct them."
        )
    if not portfolio.value > 0:
        raise SettingsError(
            f"the holdings are worth {portfolio.value:,.2f} {base}".rstrip()
            + "; more than 0 is needed, since losses are a share of it. Add the cash that short"
            f" sales brought in: {CASH}=AMOUNT"
        )
    return portfolio


def needed(holdings: Holdings, histories: Sequence[History], base: str) -> list[int]:
    """Places of the histories that holdings and the pairs of their currencies have, rising.

    Raises:
        DataError: a ticker or a pair has none.
    """
    places = {history.ticker: place for place, history in enumerate(histories)}
    found = [_looked_up(position, histories, places, base) for position in holdings.positions]
    return sorted({place for asset, _, pair, _ in found for place in (asset, pair) if place >= 0})


def _looked_up(
    position: Position, histories: Sequence[History], places: dict[str, int], base: str
) -> tuple[int, float, int, float]:
    """The history of a position, the unit of its prices, its pair, and how that converts."""
    place = _place_of(position, places)
    unit, currency = _unit_of(position, None if place < 0 else histories[place])
    return place, unit, *_pair_of(currency, base, places, position.ticker)


def _place_of(position: Position, places: dict[str, int]) -> int:
    """The history of a position; -1 for cash."""
    if position.ticker == CASH:
        return -1
    name = known_as(position.ticker, places)
    if name in places:
        return places[name]
    raise DataError(
        f"{position.ticker} is held and has no history among the sources; one is needed for each"
        " holding. Add its file or its ticker."
    )


def _unit(said: str | None) -> tuple[float, str]:
    """The unit of prices, and their currency, of a code or sign as price files may have it."""
    code = code_of(said or "") or (said or "").upper()
    return (0.01, _HUNDREDTHS[code]) if code in _HUNDREDTHS else (1.0, code)


def _unit_of(position: Position, history: History | None) -> tuple[float, str]:
    """The unit and currency of a position: its history's, or what the holdings say.

    Raises:
        DataError: they say two currencies.
    """
    said = _unit(position.currency)
    if history is None or not history.currency:
        return said
    found = _unit(history.currency)
    if position.currency and said[1] != found[1]:
        raise DataError(
            f"{position.ticker} is in {said[1]} by the holdings and in {found[1]} by its history;"
            " one currency is needed. Correct the holdings, or leave the currency out."
        )
    return found


def _pair_of(currency: str, base: str, places: dict[str, int], ticker: str) -> tuple[int, float]:
    """The history that converts a currency, and how; -1 where none is needed."""
    if not currency or currency == base:
        return -1, _DIRECT
    for name, sign in pair_names(currency, base):
        if name in places:
            return places[name], sign
    raise DataError(
        f"{ticker} is in {currency} and the portfolio in {base}; a history of {currency}{base}=X is"
        f" needed to convert it. Add that ticker or a file of it to the sources, or choose another"
        f" {parameter('base')}."
    )
