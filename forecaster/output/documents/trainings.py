"""Documents of ``train``, ``compare``, ``tune`` and ``export``."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from forecaster.documents import Count, MonthRow, ScoreRow, Share, Size, VerdictRow, Whole
from forecaster.jobs.study_file import ConfirmationRecord, StudyFacts, TrialRecord
from forecaster.model.card import RepresentationState, SplitDates
from forecaster.model.settings import Cell, Settings, UsedDevice
from forecaster.output.documents.parts import ByBaseline, Date, MeasuredModel, Problem, Time


class SavedModel(MeasuredModel):
    """A model that was written to a file.

    Attributes:
        name: chosen by the user.
        id: first digits of its digest.
        cell: rnn, lstm or gru.
        skill: by step (1 and the last) and baseline, 1 - loss / baseline's loss; None if it was not
            measured.
        file: its path.
    """

    file: str


class Epoch(TypedDict):
    """Losses of one pass over the data, in units of the scaled targets.

    Attributes:
        epoch: from 1.
        training: mean over its batches.
        validation: pinball loss after it; None without a validation part.
    """

    epoch: Count
    training: float
    validation: float | None


class TrainDocument(TypedDict):
    """A model that was trained, its data and its errors, as written by forecast train.

    Attributes:
        created: time of the training.
        tickers: count of tickers that were scored; 0 where nothing was measured.
        histories: sessions of each ticker that it was trained on.
        split: dates of training, validation and test.
        settings: of the network and its training.
        epochs: passes over the data with the best validation loss.
        history: of every epoch of the fit that chose their number.
        device: for training.
        seconds: of training.
        targets_per_second: in training steps alone.
        sessions_scored: count of held-out sessions; 0 where nothing was measured.
        rows: the error table, by model and step; empty where nothing was measured.
        verdict: the network against each baseline.
        months: losses month by month.
        errors: sources that were left out.
    """

    schema: Literal["train/1"]
    model: SavedModel
    created: Time
    tickers: Whole
    histories: dict[str, Count]
    split: SplitDates
    settings: Settings
    epochs: Whole
    history: list[Epoch]
    device: UsedDevice
    seconds: Size
    targets_per_second: Whole
    sessions_scored: Whole
    rows: list[ScoreRow]
    verdict: list[VerdictRow]
    months: list[MonthRow]
    errors: list[Problem]


class TickerModel(TypedDict):
    """The model of one ticker.

    Attributes:
        ticker: symbol.
        sessions: of its history.
        epochs: passes over the data with the best validation loss.
        skill: over naive and ewma, one session ahead; None where nothing was measured.
        name: of the model.
        id: first digits of its digest.
        file: its path.
    """

    ticker: str
    sessions: Count
    epochs: Whole
    skill: ByBaseline
    name: str
    id: str
    file: str


class PerTickerDocument(TypedDict):
    """One model for each ticker, as written by forecast train with one model a ticker.

    Attributes:
        created: time of writing.
        errors: tickers and sources without a model.
    """

    schema: Literal["train-per-ticker/1"]
    created: Time
    models: list[TickerModel]
    errors: list[Problem]


class ComparedNetwork(TypedDict):
    """Cost and scores of one network.

    Attributes:
        name: of the network.
        weights: count of trained numbers.
        seconds: of training.
        targets_per_second: in training steps alone.
        epochs: passes over the data up to the best validation loss.
        memory: sessions before the last that hold 90% of the influence of all earlier sessions.
        first: scores one session ahead.
        last: scores at the last step.
        verdicts: against each baseline, one session ahead and at the last step.
    """

    name: str
    weights: Count
    seconds: Size
    targets_per_second: Size
    epochs: Whole
    memory: Whole
    first: ScoreRow
    last: ScoreRow
    verdicts: list[VerdictRow]


class CompareDocument(TypedDict):
    """Networks side by side, as written by forecast compare.

    Attributes:
        split: dates of fitting, validation and test, the same for all.
        tickers: that were scored.
        sessions_scored: count of held-out sessions.
        best: name of the network with the lowest pinball loss one session ahead.
        errors: sources that were left out.
    """

    schema: Literal["compare/1"]
    split: SplitDates
    tickers: list[str]
    sessions_scored: Whole
    best: str
    networks: list[ComparedNetwork]
    errors: list[Problem]


class SearchFold(TypedDict):
    """Dates of a fold of a search.

    Attributes:
        cutoff: last session that training saw.
        test_from: first session that is scored.
        test_to: last session that is scored.
    """

    cutoff: Date
    test_from: Date
    test_to: Date


class SearchTrial(TypedDict):
    """One setting that was tried.

    Attributes:
        trial: its number; 0 is the default.
        values: of the settings that were searched, by their names; None for a default that depends
            on others.
        state: complete; stopped for being worse than half of the trials before; or diverged.
        losses: of the folds that were scored, each 1 where it is as good as ewma.
        skill: 1 - their mean; None where it diverged.
        gain: 1 - their mean / the default's on the same folds; None where one of them diverged.
        reason: why it diverged; None where it did not.
        seconds: of its fits.
    """

    trial: Whole
    values: dict[str, str | float | None]
    state: Literal["complete", "stopped", "diverged"]
    losses: list[Size]
    skill: float | None
    gain: float | None
    reason: str | None
    seconds: Size


class SearchConfirmation(TypedDict):
    """The best trial against the default on folds that no trial saw.

    Attributes:
        gain: 1 - loss / the default's loss; None where one of them diverged.
        p: of the Diebold-Mariano test that they are equal; None where that cannot be told.
        loss: of the best trial, 1 where it is as good as ewma; None where it diverged.
        default_loss: likewise of the default.
        sessions: that were scored.
        first: first of them.
        last: last of them.
    """

    gain: float | None
    p: Share | None
    loss: Size | None
    default_loss: Size | None
    sessions: Whole
    first: Date
    last: Date


class TuneDocument(TypedDict):
    """A search for settings, as written by forecast tune.

    Attributes:
        created: time of writing.
        tickers: whose histories were used.
        train_end: last session that was used.
        folds: that trials were scored on.
        held_back: that the best trial was confirmed on.
        searched: values of each setting that was searched.
        planned: how many trials there would have been with more time.
        best: number of the trial with the lowest loss on the folds.
        confirmation: of the best trial; None where that is the default.
        better: whether the best trial is significantly better than the default there.
        settings: to train with: those of the best trial if it is better, else the default.
        study: file of the trials; None where they were not kept.
        errors: sources that were left out.
    """

    schema: Literal["tune/1"]
    created: Time
    tickers: list[str]
    train_end: Date
    folds: list[SearchFold]
    held_back: list[SearchFold]
    searched: dict[str, list[str | float | None]]
    trials: list[SearchTrial]
    planned: Count
    best: Whole
    confirmation: SearchConfirmation | None
    better: bool
    settings: Settings
    study: str | None
    errors: list[Problem]


class StudyWritten(TypedDict):
    """The trials of a search that are done, as kept by forecast tune, which goes on from them.

    Attributes:
        created: time of its beginning.
        study: what is searched.
        trials: that are done, in order.
        confirmations: of the default and of the best trial.
    """

    schema: Literal["tune-study/1"]
    created: Time
    study: StudyFacts
    trials: list[TrialRecord]
    confirmations: list[ConfirmationRecord]


class ExportedModel(TypedDict):
    """The model of an exported network.

    Attributes:
        name: chosen by the user.
        id: first digits of its digest.
    """

    name: str
    id: str
    cell: Cell


class ExportDocument(TypedDict):
    """Inputs and outputs of an exported network, as written beside it by forecast export.

    Attributes:
        network: name of its file.
        inputs: names of the axes of its input.
        outputs: names of the axes of its output.
        whole_sequence: whether it answers after every session of its input, not only the last.
        quantiles: levels, in the order of the output.
        horizon: steps of the output.
        context: sessions that it reads.
        bars: sessions before a forecast that its inputs need.
        variables: meaning of each variable of the formulas.
        functions: meaning of each function of the formulas.
        definitions: formulas that others use, in the order of evaluation.
        formulas: of each input before it is standardised, in the order of the inputs.
        standardised: how an input is standardised.
        limit: of a standardised input; None for none.
        price: formula of a price quantile from the output y, h sessions ahead.
        representation: names, means and deviations of the inputs, and the unit of the outputs.
    """

    schema: Literal["export/1"]
    network: str
    model: ExportedModel
    inputs: list[str]
    outputs: list[str]
    whole_sequence: bool
    quantiles: list[float]
    horizon: Count
    context: Count
    bars: Count
    variables: dict[str, str]
    functions: dict[str, str]
    definitions: dict[str, str]
    formulas: dict[str, str]
    standardised: str
    limit: float | None
    price: str
    representation: RepresentationState
