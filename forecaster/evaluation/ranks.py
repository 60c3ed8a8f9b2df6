"""Forecasts of ranks: how likely a ticker ends in each group of a list, and their score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats, Rows


def groups_of_ranks(count: int, groups: int) -> Rows:
    """The group, from 0, of each of ``count`` ranks, lowest return first: ``(count,)``.

    Rank r (from 0) is in group ``⌊r G / N⌋``: groups differ by one member at most.
    """
    return np.asarray(np.arange(count) * groups // count, dtype=np.intp)


def uniform_probabilities(count: int, groups: int) -> Floats:
    """Probabilities of the groups where every rank is equally likely: ``(groups,)``."""
    sizes = np.bincount(groups_of_ranks(count, groups), minlength=groups)
    return np.asarray(sizes / count)


def group_probabilities(returns: NDArray[np.floating], groups: int) -> tuple[Floats, Floats]:
    """How often each ticker ends in each group, and its mean rank.

    Args:
        returns: draws of N tickers together, ``(N, M)``.
        groups: G.

    Returns:
        Probabilities ``(N, G)``, lowest returns first, and mean ranks ``(N,)`` from 1 (lowest).
    """
    count, draws = returns.shape
    group = groups_of_ranks(count, groups)
    counts = np.zeros((count, groups))
    ranks = np.zeros(count)
    for start in range(0, draws, _AT_ONCE):
        part = np.ascontiguousarray(returns[:, start : start + _AT_ONCE].T)
        order = np.argsort(part, axis=1)  # (m, N): the ticker of each rank
        for g in range(groups):
            counts[:, g] += np.bincount(order[:, group == g].ravel(), minlength=count)
        weights = np.broadcast_to(np.arange(1.0, count + 1.0), order.shape)
        ranks += np.bincount(order.ravel(), weights=weights.ravel(), minlength=count)
    return counts / draws, ranks / draws


_AT_ONCE = 2000


def actual_groups(returns: Floats, groups: int) -> Rows:
    """The group that each return ``(N,)`` ended in; equal ones in the order given."""
    out = np.empty(len(returns), dtype=np.intp)
    out[np.argsort(returns, kind="stable")] = groups_of_ranks(len(returns), groups)
    return out


def ranked_probability_score(probabilities: Floats, group: Rows) -> Floats:
    """The ranked probability score of each ticker's forecast, ``(N,)``; lower is better.

    ``Σ_k (F_k − 1{group ≤ k})² / G`` with F the cumulative probabilities (Epstein 1969), divided by
    the number of groups as in the M6 competition (Makridakis and others 2023), where a uniform
    forecast of five equal groups scores 0.16.

    Args:
        probabilities: ``(N, G)``.
        group: in which each ended, from 0, ``(N,)``.
    """
    reached = np.arange(probabilities.shape[1]) >= group[:, None]
    distance = np.cumsum(probabilities, axis=1) - reached
    return np.asarray((distance**2).mean(axis=1))
