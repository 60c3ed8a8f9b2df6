"""GARCH(1,1) with Student-t errors, fitted to each history: the textbook's volatility forecast.

    r_t = μ + ε_t,   ε_t = σ_t z_t,   σ²_{t+1} = ω + α ε²_t + β σ²_t,   z_t ~ standardised t(ν)

(Bollerslev 1986, 1987.) Fitted once by maximum likelihood, with the ``arch`` package, on returns up
to the end of the training range, then filtered forward over later bars without fitting again. The
variance of an h-session return is the sum of the h expected variances. Its shape is a t again: a
sum of h independent t(ν) has the excess kurtosis of one over h, so ν_h = 4 + (ν − 4) h.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.evaluation.baselines.ewma import Ewma
from forecaster.features.volatility import log_returns
from forecaster.market.bars import History
from forecaster.market.notes import Note

SHORTEST = 250
"""Fewest returns for a fit; with fewer the likelihood says next to nothing about α and β."""

_PERCENT = 100.0
_LARGEST_PERSISTENCE = 0.99999


@dataclass(frozen=True)
class GarchParameters:
    """μ, ω, α, β and ν of the equations, for returns in percent, and where the recursion starts.

    Attributes:
        start: σ² of the first return, from which the likelihood was computed. Where β is nearly 1
            it is felt for hundreds of sessions, and a maximum belongs to its own start alone.
    """

    mu: float
    omega: float
    alpha: float
    beta: float
    nu: float
    start: float


def fit_garch(history: History) -> GarchParameters | str:
    """Maximum-likelihood parameters of one history, or why there are none."""
    returns = log_returns(history)[1:] * _PERCENT
    if len(returns) < SHORTEST:
        return f"{len(returns)} returns up to the cutoff, and a fit needs {SHORTEST}"
    if float(np.std(returns)) < 1e-4:
        return "its price hardly moves"
    from arch import arch_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a failure is in the convergence flag
        model = arch_model(returns, mean="Constant", vol="GARCH", p=1, q=1, dist="t")
        fit = model.fit(disp="off", show_warning=False)
    values = [float(v) for v in fit.params]
    if fit.convergence_flag != 0 or not all(math.isfinite(v) for v in values):
        return "no maximum of its likelihood was found"
    mu, omega, alpha, beta, nu = values
    return GarchParameters(mu, omega, alpha, beta, nu, float(fit.conditional_volatility[0]) ** 2)


def next_variances(parameters: GarchParameters, returns: Floats) -> Floats:
    """σ²_{t+1} after each return, ``(n,)``, in percent squared.

    Args:
        parameters: as fitted.
        returns: log returns from the first one that was fitted on, ``(n,)``, not in percent.
    """
    from scipy.signal import lfilter

    shocks = (returns * _PERCENT - parameters.mu) ** 2
    drive = parameters.omega + parameters.alpha * shocks
    zi = [parameters.beta * parameters.start]
    filtered, _ = lfilter([1.0], [1.0, -parameters.beta], drive, zi=zi)
    return np.asarray(filtered, dtype=np.float64)


def cumulative_variances(parameters: GarchParameters, following: Floats, horizon: int) -> Floats:
    """Variance of the next h returns together, ``(n, H)``, from σ²_{t+1} ``(n,)``."""
    persistence = _persistence(parameters)
    level = parameters.omega / (1.0 - persistence)
    each = level + (following[:, None] - level) * persistence ** np.arange(horizon)
    return np.asarray(np.cumsum(each, axis=1))


def _persistence(parameters: GarchParameters) -> float:
    """α + β, how slowly a shock fades; kept below 1 so that a long-run variance exists."""
    return min(parameters.alpha + parameters.beta, _LARGEST_PERSISTENCE)


@dataclass(frozen=True)
class Garch:
    """Fitted parameters by ticker; the others are forecast by EWMA.

    Attributes:
        parameters: ticker to parameters.
        spare: forecasts tickers without parameters.
        horizon: H.
        levels: Q quantile levels.
    """

    parameters: dict[str, GarchParameters]
    spare: Ewma
    horizon: int
    levels: tuple[float, ...]
    name: str = "garch"

    @classmethod
    def fit(
        cls, histories: list[History], spare: Ewma, horizon: int, levels: tuple[float, ...]
    ) -> tuple[Garch, list[Note]]:
        """Fit every history, and note those that could not be fitted."""
        parameters, notes = {}, []
        for history in histories:
            fitted = fit_garch(history)
            if isinstance(fitted, str):
                message = f"garch could not be fitted to {history.ticker} ({fitted})"
                notes.append(Note(f"{message}; ewma stands in", history.ticker))
            else:
                parameters[history.ticker] = fitted
        return cls(parameters, spare, horizon, levels), notes

    def forecast(self, history: History, rows: Rows) -> Floats:
        """Cumulative log-return quantiles from sessions ``rows`` ``(m,)``: ``(m, H, Q)``."""
        fitted = self.parameters.get(history.ticker)
        if fitted is None:
            return self.spare.forecast(history, rows)
        from scipy.stats import t as student

        filtered = next_variances(fitted, log_returns(history)[1:])
        following = np.concatenate([[fitted.start], filtered])[rows]
        deviation = np.sqrt(cumulative_variances(fitted, following, self.horizon)) / _PERCENT
        steps = np.arange(1, self.horizon + 1)
        nu = np.full(self.horizon, fitted.nu)
        if fitted.nu > 4.0:
            nu = 4.0 + (fitted.nu - 4.0) * steps
        unit = np.sqrt((nu - 2.0) / nu)  # scipy's t has variance ν / (ν − 2)
        shape = student.ppf(np.asarray(self.levels), nu[:, None]) * unit[:, None]
        centre = fitted.mu / _PERCENT * steps
        return np.asarray(centre[:, None] + deviation[:, :, None] * shape)
