"""Documents of ``train``, ``compare`` and ``export``."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from forecaster.documents import Count, MonthRow, ScoreRow, Size, VerdictRow, Whole
from forecaster.model.card import RepresentationState, SplitDates
from forecaster.model.settings import Cell, Settings, UsedDevice
from forecaster.output.documents.parts import ByBaseline, MeasuredModel, Problem, Time


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
        limit: of a standardised input.
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
    limit: float
    price: str
    representation: RepresentationState
