"""The section of a report on what holdings may lose: its picture, its numbers, its sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forecaster.jobs.predict import in_hindsight
from forecaster.jobs.risk import Risk
from forecaster.model.artifact import Model
from forecaster.output.charts.loss_distribution import loss_drawing
from forecaster.output.risk import (
    diversification_sentence,
    odds_sentence,
    risk_head,
    shortfall_shares,
)

_HEADS = {"riskmetrics": "RiskMetrics"}
"""Names of others that are written in another way."""


@dataclass(frozen=True)
class Holding:
    """A part of the shortfall.

    Attributes:
        name: of a holding, or of the others together.
        weight: of the value.
        share: of the shortfall.
    """

    name: str
    weight: float
    share: float


@dataclass(frozen=True)
class LossSection:
    """What holdings may lose.

    Attributes:
        risk: its numbers.
        title: what is held.
        svg: the distribution of the profit by step, as a drawing.
        others: names of what stands beside the forecast; empty where the past is too short.
        holdings: who makes the shortfall; empty where one alone is held.
        sentences: what else there is to say.
    """

    risk: Risk
    title: str
    svg: str
    others: Sequence[str]
    holdings: Sequence[Holding]
    sentences: Sequence[str]

    @property
    def other_heads(self) -> list[str]:
        """What stands above the columns of the others."""
        return [f"{_HEADS.get(name, name)} VaR" for name in self.others]


def loss_section(risk: Risk, model: Model) -> LossSection:
    """The section of one portfolio.

    Args:
        risk: of it.
        model: who forecast.
    """
    sentences = [odds_sentence(risk), diversification_sentence(risk)]
    if in_hindsight(model, risk.forecast.cutoff):
        sentences.append(
            "The model has seen what came next, so this forecast is no fair test of it."
        )
    return LossSection(
        risk=risk,
        title=risk_head(risk),
        svg=loss_drawing(risk, model),
        others=list(risk.steps[0].levels[0].others),
        holdings=_holdings(risk),
        sentences=[sentence for sentence in sentences if sentence],
    )


def _holdings(risk: Risk) -> list[Holding]:
    portfolio = risk.portfolio
    if len(portfolio.positions) < 2:
        return []
    shares, shown, rest = shortfall_shares(risk)
    weights = portfolio.values / portfolio.value
    out = [
        Holding(portfolio.positions[i].ticker, float(weights[i]), float(shares[i])) for i in shown
    ]
    if rest:
        alone = portfolio.positions[rest[0]].ticker
        name = alone if len(rest) == 1 else f"{len(rest)} others"
        out.append(Holding(name, float(weights[rest].sum()), float(shares[rest].sum())))
    return out
