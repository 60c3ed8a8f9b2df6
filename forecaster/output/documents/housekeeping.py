"""Documents of ``fetch``, ``data``, ``models`` and ``config``, and lines of the log."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from forecaster.documents import Count, Flag, PanelFacts, Scores, Whole
from forecaster.market.update import Outcome
from forecaster.model.settings import Settings
from forecaster.output.documents.parts import Date, Problem, Time


class FetchedTicker(TypedDict):
    """What a source's answer changed of one ticker.

    Attributes:
        ticker: symbol.
        outcome: new; updated with new sessions; reloaded, because stored bars had changed; current,
            as there was nothing new; kept, as the answer had less.
        added: count of new bars.
        bars: count of stored bars.
        first: first stored session.
        cutoff: last stored session.
    """

    ticker: str
    outcome: Outcome
    added: Whole
    bars: Whole
    first: Date
    cutoff: Date


class FetchNote(TypedDict):
    """A sentence on one ticker, or on all of them.

    Attributes:
        ticker: symbol; None for all of them.
    """

    ticker: str | None
    message: str


class FetchDocument(TypedDict):
    """Bars that were brought up to date, as written by forecast fetch.

    Attributes:
        errors: tickers that could not be fetched.
    """

    schema: Literal["fetch/1"]
    tickers: list[FetchedTicker]
    notes: list[FetchNote]
    errors: list[Problem]


class StoredExtent(TypedDict):
    """What is stored of one ticker.

    Attributes:
        ticker: symbol.
        source: of its bars.
        currency: of its prices; None where it is not known.
        calendar: of its exchange; None where it is not known.
        first: first stored session.
        cutoff: last stored session.
        bars: count of stored bars.
        fetched: time of the source's last answer.
    """

    ticker: str
    source: str
    currency: str | None
    calendar: str | None
    first: Date
    cutoff: Date
    bars: Whole
    fetched: Time


class DataDocument(TypedDict):
    """Stored bars, as listed by forecast data list.

    Attributes:
        tickers: in alphabetical order.
    """

    schema: Literal["data/1"]
    tickers: list[StoredExtent]


class StoreFinding(TypedDict):
    """Something about stored bars that a user should know.

    Attributes:
        ticker: symbol; None where it concerns the whole store.
        damaged: whether bars are wrong or unreadable, not only incomplete.
        message: one sentence.
    """

    ticker: str | None
    damaged: bool
    message: str


class VerifyDocument(TypedDict):
    """Stored bars that were checked, as written by forecast data verify.

    Attributes:
        tickers: count of histories that were read.
        bars: count of bars that were read.
    """

    schema: Literal["verify/1"]
    tickers: Whole
    bars: Whole
    findings: list[StoreFinding]


class ListedModel(TypedDict):
    """A trained model; of a damaged one all but its name and file is None.

    Attributes:
        name: chosen by the user.
        id: first digits of its digest.
        file: where it is.
        cell: rnn, lstm or gru.
        horizon: sessions ahead that it forecasts.
        tickers: count of those that it was trained on; 0 where they were not kept.
        trained_to: last session that its weights have seen.
        skill: how much lower its pinball loss is than the last price's, one session ahead; None
            where it was not measured.
        created: time of its training.
    """

    name: str
    id: str | None
    file: str
    cell: str | None
    horizon: Count | None
    tickers: Whole | None
    trained_to: Date | None
    skill: float | None
    created: Time | None


class ModelsDocument(TypedDict):
    """Trained models, as listed by forecast models list.

    Attributes:
        models: the one that is used by default first.
    """

    schema: Literal["models/1"]
    models: list[ListedModel]


class ModelDocument(TypedDict):
    """A model, as shown by forecast models show.

    Attributes:
        name: chosen by the user.
        id: first digits of its digest.
        file: where it is.
        created: time of its training.
        data: bars of the panel that it was trained on.
        market: tickers of the set that made its market state; None: those of the panel.
        trained_to: last session that its weights have seen.
        epochs: passes over the data with the best validation loss.
        weights: count of trained numbers.
        device: cpu or gpu, for training.
        packages: versions of those that it was trained with.
        scores: errors on the test part; None where they were not measured.
    """

    schema: Literal["model/1"]
    name: str
    id: str
    file: str
    created: Time
    settings: Settings
    data: PanelFacts
    market: list[str] | None
    trained_to: Date
    epochs: Whole
    weights: Count
    device: str
    packages: dict[str, str]
    scores: Scores | None


class JournalVerifyDocument(TypedDict):
    """The chain of the journal that was computed again, as written by forecast journal verify.

    Attributes:
        forecasts: count of rows of tickers.
        risks: count of rows of portfolios.
        head: hash of the last row.
        noted: number of the row whose hash was noted, 0 for the empty journal's; None where none
            was given, or it is not there.
        broken: what is wrong, one sentence each; empty where the chain holds.
    """

    schema: Literal["journal-verify/1"]
    forecasts: Whole
    risks: Whole
    head: str
    noted: Whole | None
    broken: list[str]


class ShownSetting(TypedDict):
    """One setting.

    Attributes:
        key: as in forecaster.toml, a command's with the command, such as train.cell.
        value: as text, without secrets.
        source: where it comes from.
        name: the file and its table, the variable, or the flag; empty for a default.
    """

    key: str
    value: str
    source: Literal["default", "file", "environment", "flag"]
    name: str


class ConfigDocument(TypedDict):
    """Settings and where each comes from, as shown by forecast config show.

    Attributes:
        file: path of the file of settings.
        exists: whether it is there.
    """

    schema: Literal["config/1"]
    file: str
    exists: bool
    settings: list[ShownSetting]


class FoundCheck(TypedDict):
    """The check of one part of the installation.

    Attributes:
        name: of the part.
        ok: whether it is as it should be.
        finding: its state, in words.
        remedy: one thing to do; None where it is ok.
    """

    name: str
    ok: Flag
    finding: str
    remedy: str | None


class DoctorDocument(TypedDict):
    """Whether an installation is as it should be, as written by forecast doctor.

    Attributes:
        created: time of writing.
        version: of the program.
        ok: whether every check is.
    """

    schema: Literal["doctor/1"]
    created: Time
    version: str
    ok: Flag
    checks: list[FoundCheck]


class LogLine(TypedDict):
    """A line on stderr where the log is JSON.

    Attributes:
        time: of writing, UTC.
        level: bug has a traceback as its message.
        command: that runs, with its group; None before one is known.
        run: of a batch, as the journal names it, once it has begun.
        exit_code: on the line that ends the run.
    """

    time: Time
    level: Literal["note", "warning", "error", "bug"]
    command: str | None
    message: str
    run: NotRequired[str]
    exit_code: NotRequired[int]
