"""Made-up markets and networks for tests: seeded, small, like the real thing where it matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecaster.features.representation import Representation
from forecaster.jobs.score_card import date_of, panel_facts
from forecaster.market.bars import PRICE_FIELDS, History, Panel
from forecaster.model.artifact import Model
from forecaster.model.card import Card
from forecaster.model.numpy_rnn import GATES, CellWeights, Head, Layer, Network
from forecaster.model.rulers import Rulers
from forecaster.model.settings import Settings


def weekdays(first: str, count: int) -> np.ndarray:
    """``count`` days from Monday to Friday, the first one not before ``first``."""
    days = np.datetime64(first, "D") + np.arange(2 * count + 7)
    return days[np.is_busday(days)][:count]


def garch_history(
    ticker: str, sessions: int, seed: int, *, first: str = "2015-01-05", last: str | None = None
) -> History:
    """Open, high, low, close and volume with volatility that clusters, on weekdays.

    Args:
        ticker: the symbol.
        sessions: how many.
        seed: of everything random.
        first: day of the first session.
        last: day before which the last session lies; given instead of ``first``.
    """
    rng = np.random.default_rng(seed)
    variance, returns = 2e-4, np.empty(sessions)
    for t in range(sessions):
        returns[t] = np.sqrt(variance) * rng.standard_t(6) * np.sqrt(4 / 6)
        variance = 4e-6 + 0.9 * variance + 0.08 * returns[t] ** 2
    close = 50.0 * np.exp(np.cumsum(returns))
    before = np.concatenate([[50.0], close[:-1]])
    opened = before * np.exp(0.5 * returns * rng.uniform(0, 1, sessions))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, 0.006, sessions)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, 0.006, sessions)))
    days = weekdays(first, sessions)
    if last is not None:
        days = weekdays(str(np.datetime64(last, "D") - 2 * sessions - 7), 3 * sessions + 14)
        days = days[days < np.datetime64(last, "D")][-sessions:]
    return History(
        ticker=ticker,
        sessions=days,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=np.round(1e6 * np.exp(rng.normal(0, 0.4, sessions))),
        adjusted_close=close * 0.9,
        adjusted=True,
        currency="USD",
    )


def closing_at(history: History, code: str, hour: int) -> History:
    """The history on a calendar whose sessions close at an hour UTC of their date."""
    closes = history.sessions.astype("datetime64[s]") + np.timedelta64(hour, "h")
    return replace(history, calendar=code, closes=closes)


def close_only(history: History) -> History:
    """The same closes, with nothing else known."""
    unknown = np.full(len(history), np.nan)
    return replace(history, open=unknown, high=unknown, low=unknown, volume=unknown)


def noise_after(history: History, day: np.datetime64, seed: int = 99) -> History:
    """The history with every bar after ``day`` replaced by wild noise on the same dates."""
    rng = np.random.default_rng(seed)
    late = history.sessions > day
    noise = np.sort(np.exp(rng.normal(3.0, 2.0, (int(late.sum()), 6))), axis=1)
    low, opened, close, adjusted, high, volume = noise.T
    wild = {"low": low, "open": opened, "close": close, "adjusted_close": adjusted}
    wild |= {"high": high, "volume": volume}
    parts = {}
    for field in PRICE_FIELDS:
        values = getattr(history, field).copy()
        values[late] = wild[field]
        parts[field] = values
    return replace(history, **parts)


def random_network(settings: Settings, features: int, seed: int = 0, size: float = 0.4) -> Network:
    """A network with random weights everywhere, biases included, as no initialiser gives them."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0.0, size, shape).astype(np.float32)

    def cell(inputs: int) -> CellWeights:
        gates = GATES[settings.cell] * settings.layer_units
        bias = (2, gates) if settings.cell == "gru" else (gates,)
        return CellWeights(draw(inputs, gates), draw(settings.layer_units, gates), draw(*bias))

    sides = 2 if settings.bidirectional else 1
    layers, width = [], features
    for _ in range(settings.layers):
        layers.append(Layer(cell(width), cell(width) if settings.bidirectional else None))
        width = settings.layer_units * sides
    horizon, gaps = settings.horizon, len(settings.quantiles) - 1
    head = Head(draw(width + features, 2 * horizon), draw(2 * horizon), draw(horizon, gaps))
    return Network(
        cell=settings.cell,
        activation=settings.activation,
        layers=tuple(layers),
        head=head,
        horizon=settings.horizon,
        levels=settings.quantiles,
    )


def card_of(panel: Panel, network: Network) -> Card:
    """The card of a model that was trained to the panel's first session and never measured."""
    return Card(
        data=panel_facts(panel),
        trained_to=date_of(panel.sessions[0]),
        epochs=0,
        weights=network.weight_count,
        device="cpu",
        packages={},
        scores=None,
    )


def trained_to(model: Model, session: np.datetime64) -> Model:
    """A model whose card says that it was trained to a session."""
    return replace(model, card=model.card.model_copy(update={"trained_to": date_of(session)}))


def random_model(
    settings: Settings, panel: Panel, seed: int = 0, size: float = 0.4, *, calibrated: bool = False
) -> Model:
    """A model whose representation is fitted on the panel and whose weights are random."""
    representation = Representation.fit(settings.scale, list(panel))
    network = random_network(settings, len(representation.features), seed, size)
    scaling, levels = representation.scaling, settings.quantiles
    rulers = Rulers.fit(scaling, list(panel), settings.horizon, levels) if calibrated else None
    return Model(
        name="random",
        created="2020-01-01T00:00:00+00:00",
        settings=settings,
        representation=representation,
        network=network,
        card=card_of(panel, network),
        rulers=rulers,
    )


def same_weights(one: Network, other: Network) -> bool:
    """Whether two networks hold the same numbers, to the bit."""
    return weight_bytes(one) == weight_bytes(other)


def weight_bytes(network: Network) -> list[bytes]:
    """All weights of a network as bytes, bottom layer first."""
    return [w.tobytes() for w in network.weights.values()]
