"""Retraining: train on from a model's weights over new sessions, and keep the better model.

The last sessions after the model's training are held out. A candidate trains on from the model's
weights over everything before them, and both forecast them. If the candidate is not worse, it
trains on over the held-out sessions too and takes the model's place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from forecaster.evaluation.baselines.fit import QUICK
from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.origins import Origins
from forecaster.evaluation.scores import ScoreTable, score
from forecaster.jobs.fitting import baseline_losses, losses_of
from forecaster.jobs.market_set import learned_with
from forecaster.jobs.score_card import card_scores, date_of, panel_facts
from forecaster.market.bars import Panel
from forecaster.model.artifact import Model
from forecaster.model.card import Card, Retraining
from forecaster.model.devices import choose_device
from forecaster.model.forecaster import Forecaster
from forecaster.model.numpy_rnn import Network
from forecaster.model.settings import Device, UsedDevice
from forecaster.model.training import fit, targets_by_step
from forecaster.wording import counted

NEEDED = 20
"""Fewest sessions after the model's training for a fair comparison."""

HELD_OUT = 10
"""Sessions at the end that both models forecast."""

EPOCHS = 4
"""Epochs of training on: the weights are near their goal already."""

_BEFORE = "model in use"


@dataclass(frozen=True)
class RetrainResult:
    """The outcome of retraining.

    Attributes:
        model: the new model, or the old one.
        replaced: whether it is the new one.
        reason: one sentence on why.
    """

    model: Model
    replaced: bool
    reason: str


def retrain(model: Model, panel: Panel, *, device: Device = "auto") -> RetrainResult:
    """Train on from a model's weights, and keep the better one.

    Args:
        model: in use.
        panel: whole histories; those under two bars are not used.
        device: where Keras computes.

    Raises:
        TrainingDiverged: a loss was not finite; the model stays.
        SettingsError: the device is not there.
    """
    panel = panel.keep(lambda history: len(history) > 1)
    trained_to = model.trained_to
    unseen = panel.sessions[panel.sessions > trained_to] if len(panel) else np.array([])
    if len(unseen) < NEEDED:
        reason = (
            f"model {model.name} was not retrained: {counted(len(unseen), 'session')} came since"
            f" {trained_to}, and a fair contest needs {NEEDED}"
        )
        return RetrainResult(model, False, reason)
    used = choose_device(device)
    cutoff = unseen[-HELD_OUT - 1]
    candidate = _train_on(model, panel.up_to(cutoff))
    table, losses = _contest(model, candidate, panel, cutoff)
    new, old = (_loss(table, name) for name in (model.settings.cell, _BEFORE))
    evidence = f"{new:.6g} against {old:.6g} on the {HELD_OUT} sessions to {unseen[-1]}"
    if not new <= old:
        reason = f"model {model.name} was kept: training on was no better, {evidence}"
        return RetrainResult(model, False, reason)
    final = replace(
        model,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        network=_train_on(model, panel),
        card=_card(model, panel, cutoff, table, losses, used),
    )
    return RetrainResult(final, True, f"model {model.name} was retrained: {evidence}")


def _train_on(model: Model, panel: Panel) -> Network:
    """Weights after ``EPOCHS`` more epochs over a panel, with the model's representation."""
    return fit(
        model.settings,
        [history for history in panel if len(history) > 1],
        None,
        epochs=EPOCHS,
        represent=lambda _settings, _histories, _market: model.representation,
        market=panel.market,
        start=model.network,
    ).network


def _contest(
    model: Model, candidate: Network, panel: Panel, cutoff: np.datetime64
) -> tuple[ScoreTable, MonthlyLosses]:
    """Both networks and the quick baselines on the sessions from the cutoff on."""
    settings = model.settings
    origins = Origins.of(panel, cutoff, panel.sessions[-1])
    actuals = origins.actuals(settings.horizon)
    losses = {}
    for name, network in ((settings.cell, candidate), (_BEFORE, model.network)):
        alone = Forecaster(settings, model.representation, network)
        losses[name] = losses_of(alone, panel, origins, actuals)
    past = panel.up_to(cutoff)
    baselines, _ = baseline_losses(QUICK, past, origins, actuals, settings.quantiles)
    losses |= baselines
    table = score(actuals, losses, settings.quantiles, QUICK)
    return table, MonthlyLosses.of(actuals, losses)


def _loss(table: ScoreTable, name: str) -> float:
    """Mean over the scored steps of pinball loss over √h."""
    return float(np.mean([row.pinball / np.sqrt(row.step) for row in table.of(name)]))


def _card(
    model: Model,
    panel: Panel,
    cutoff: np.datetime64,
    table: ScoreTable,
    losses: MonthlyLosses,
    device: UsedDevice,
) -> Card:
    """The new card; scores are the candidate's on the held-out sessions."""
    cell = model.settings.cell
    kept = replace(
        table,
        rows=tuple(row for row in table.rows if row.model != _BEFORE),
        verdicts=tuple(verdict for verdict in table.verdicts if verdict.model != _BEFORE),
    )
    pinball = {name: loss for name, loss in losses.pinball.items() if name != _BEFORE}
    card = model.card
    return Card(
        data=panel_facts(panel),
        market=learned_with(panel, model.representation),
        trained_to=date_of(panel.sessions[-1]),
        split=card.split,
        epochs=EPOCHS,
        targets_by_step=targets_by_step([len(h) for h in panel], model.settings.horizon),
        weights=card.weights,
        device=device,
        packages=card.packages,
        scores=card_scores(kept, replace(losses, pinball=pinball), cell),
        retrained=Retraining.model_validate(
            {
                "from": model.id,
                "held_out_from": date_of(cutoff),
                "epochs": EPOCHS,
                "tickers": sorted(card.learned),
            }
        ),
    )
