"""Draws of the returns of several tickers together, step after step, by a seed.

A draw is a path: the normal scores of step h are those of the step before and of new ones,
``Z_h = (√h₁ Z_{h₁} + √(h − h₁) ε) / √h``, so that the sessions of a draw belong together. Draws
come in pairs with opposite normal scores, which halves the work and the noise of means, and their
mixing variables are stratified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Floats32
from forecaster.errors import SettingsError, parameter
from forecaster.joint.copula import Copula
from forecaster.joint.dependence import Dependence
from forecaster.joint.marginals import Marginals

DRAWS = 20_000

_CELLS = 4096
"""Cells of the table that turns copula values into returns, with a straight line in each."""
_BEND = 4.0
"""The cells are even in ``T / (4 + |T|)``: fine in the middle, and without an end."""
_LEAST = 1e-30
"""Smallest probability of the table: no draw comes near it."""


@dataclass(frozen=True)
class Draws:
    """Log returns of N tickers up to one step, in M draws.

    Attributes:
        step: h.
        log_returns: ``(N, M)``.
    """

    step: int
    log_returns: Floats32


def simulate(
    dependence: Dependence,
    marginals: Mapping[int, Marginals],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Iterator[Draws]:
    """Draws for some steps, nearest first; one step's arrays are held at a time.

    Args:
        dependence: of N tickers.
        marginals: of the same tickers, by step.
        draws: M, even.
        seed: the same seed gives the same bits.

    Raises:
        SettingsError: the seed is below 0.
    """
    if seed < 0:
        raise SettingsError(
            f"{parameter('seed')} is {seed}; a whole number from 0 on is needed. Change"
            f" {parameter('seed')}."
        )
    generator = np.random.default_rng(seed)
    half, count = draws // 2, len(dependence.correlation)
    root = np.linalg.cholesky(dependence.correlation).astype(np.float32)
    copula = dependence.copula
    mixing = _stratified_mixing(copula, half, generator)
    shift = (copula.skew * (mixing - copula.mean_mixing)).astype(np.float32)
    size = np.sqrt(mixing).astype(np.float32)
    probabilities = _cell_probabilities(copula)
    scores = np.zeros((count, half), dtype=np.float32)
    before = 0
    for step in sorted(marginals):
        fresh = root @ generator.standard_normal((count, half), dtype=np.float32)  # (N, M/2)
        scores *= np.float32(np.sqrt(before / step))
        fresh *= np.float32(np.sqrt((step - before) / step))
        scores += fresh
        before = step
        tables = marginals[step].at(*probabilities).astype(np.float32)  # (N, cells + 1)
        out = np.empty((count, 2 * half), dtype=np.float32)
        for row, table, own in zip(out, tables, scores, strict=True):
            values = own * size
            _look_up(shift + values, table, row[:half])
            _look_up(shift - values, table, row[half:])
        yield Draws(step, out)


def _stratified_mixing(copula: Copula, count: int, generator: np.random.Generator) -> Floats:
    """Draws of g, one from each of ``count`` equally likely parts of its distribution."""
    from scipy.special import gammaincinv

    parts = (generator.permutation(count) + generator.random(count)) / count
    return np.asarray(copula.freedom / (2.0 * gammaincinv(copula.freedom / 2.0, parts)))


def _cell_probabilities(copula: Copula) -> tuple[Floats, Floats]:
    """P(T ≤ x) and P(T > x) at the ends of the cells, ``(cells + 1,)`` each."""
    bent = np.linspace(-1.0, 1.0, _CELLS + 1)
    bent[[0, -1]] = bent[[1, -2]]  # the outermost ends are infinite
    below, above = copula.probabilities(_BEND * bent / (1.0 - np.abs(bent)))
    return np.maximum(below, _LEAST), np.maximum(above, _LEAST)


def _look_up(values: Floats32, table: Floats32, out: Floats32) -> None:
    """One ticker's copula values ``(M,)`` as returns, by its table ``(cells + 1,)``."""
    place = np.abs(values)
    place += np.float32(_BEND)
    np.divide(values, place, out=place)
    place += np.float32(1.0)
    place *= np.float32(_CELLS / 2)
    cell = place.astype(np.int32)
    place -= cell
    low = table.take(cell)
    cell += 1
    high = table.take(cell)
    high -= low
    high *= place
    np.add(low, high, out=out)
