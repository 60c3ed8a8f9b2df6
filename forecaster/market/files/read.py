"""Price files: paths, folders and standard input become a panel.

Bytes become rows (``delimited``), rows columns (``header``, ``parquet``), columns roles
(``columns``), bars those of tickers (``histories``), and these, from all files, histories
(``joining``). Nothing here fetches.
"""

from __future__ import annotations

import contextlib
import io
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np

from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.bars import Panel
from forecaster.market.calendars import NO_CALENDARS, Calendars
from forecaster.market.files.cells.number_columns import check_decimal
from forecaster.market.files.cells.parse_dates import check_date_format
from forecaster.market.files.cells.parse_numbers import load_arrow
from forecaster.market.files.columns import check_column_options, recognise
from forecaster.market.files.decoding import check_encoding
from forecaster.market.files.delimited import read_rows
from forecaster.market.files.file_names import (
    PARQUET_SUFFIXES,
    STDIN,
    cannot_open,
    check_ticker_name,
    names_no_ticker,
    paths_of,
    require_text,
    ticker_from_name,
)
from forecaster.market.files.header import Table, table_of
from forecaster.market.files.histories import CellStyle, TickerRows, check_currency, read_histories
from forecaster.market.files.joining import Joining
from forecaster.market.files.parquet import read_parquet
from forecaster.market.files.split_tables import tables_in
from forecaster.market.memory import read_at_most
from forecaster.market.notes import Failure, Note
from forecaster.wording import writable

if TYPE_CHECKING:
    from forecaster.market.age import Age

MANY = 16
"""Files from which what reads long columns faster is worth loading."""

_SHOWN = 4
"""Tickers that a message names."""

MAX_TEXT_BYTES = 256 * 2**20
MAX_PARQUET_BYTES = 2**30
STDIN_NAME = "standard input"
STDIN_TICKER = "STDIN"
_PARQUET_MARK = b"PAR1"


@dataclass(frozen=True)
class ReadOptions:
    """What the user says about the files.

    Attributes:
        columns: role -> header as in the file, such as ``{"close": "Schlusskurs"}``.
        date_format: a ``strptime`` format.
        ticker: the name of the single history.
        decimal: the sign in front of decimals, ``.`` or ``,``.
        encoding: of text files, as Python names it.
        currency: code, as in ``EUR``, of prices whose file names none.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    ticker: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    currency: str | None = None


DEFAULT_READ_OPTIONS = ReadOptions()


NamedPath: TypeAlias = tuple[Path, str]
"""A file and the name to use in messages."""

Reader: TypeAlias = "Callable[[Sequence[NamedPath], ReadOptions], Iterable[Collected]]"
"""Reads files, here or in other processes; what it gives is in their order."""


@dataclass(frozen=True)
class LoadResult:
    """What was read.

    Attributes:
        panel: the histories.
        notes: what was repaired or is worth knowing.
        failures: what could not be used, and why.
        calendars: when the tickers trade.
        stale: tickers whose stored bars are used because their source failed.
        files: the file with the newest bars of each ticker, as the user named it; none for fetched
            ones.
        ages: how old the last bar of each fetched ticker is.
    """

    panel: Panel
    notes: tuple[Note, ...]
    failures: tuple[Failure, ...]
    calendars: Calendars = field(default_factory=lambda: NO_CALENDARS)
    stale: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    ages: Mapping[str, Age] = field(default_factory=dict)


def read_files(
    sources: Sequence[str | Table],
    options: ReadOptions = DEFAULT_READ_OPTIONS,
    *,
    stdin: BinaryIO | None = None,
    reader: Reader | None = None,
) -> LoadResult:
    """Read files, folders, standard input and tables in memory into one panel.

    Args:
        sources: paths, ``-``, and tables; a table's ``title`` goes before its tickers.
        options: column names, date format, ticker, decimal sign, encoding, currency.
        stdin: where ``-`` reads; the process's standard input if None.
        reader: of the files of a source; None: :func:`read_each`.

    Returns:
        Histories in the order of the sources; notes; failures, which raise nothing here.

    Raises:
        SettingsError: an option cannot work: an unknown role, a date format without a day, no
            decimal sign, an unknown encoding, no currency, one ticker name for several histories.
    """
    check_column_options(options.columns)
    if options.date_format is not None:
        check_date_format(options.date_format)
    if options.decimal is not None:
        check_decimal(options.decimal)
    if options.encoding is not None:
        check_encoding(options.encoding)
    check_currency(options.currency)
    if options.ticker is not None:
        check_ticker_name(options.ticker)
    collected = Collected(options)
    stdin_read = False
    for source in sources:
        if source == STDIN:
            collected.add_stdin(stdin, again=stdin_read)
            stdin_read = True
        else:
            collected.add(source, reader or read_each)
    return collected.loaded()


def read_each(files: Sequence[NamedPath], options: ReadOptions) -> Iterator[Collected]:
    """What is in each of some files."""
    if len(files) >= MANY:
        load_arrow()
    for path, name in files:
        collected = Collected(options)
        collected.add_file(path, name)
        yield collected


class Collected:
    """Rows by ticker, notes and failures, while sources are read one by one."""

    def __init__(self, options: ReadOptions) -> None:
        self.options = options
        self.parts: dict[str, list[TickerRows]] = {}
        self.notes: list[Note] = []
        self.failures: list[Failure] = []

    def loaded(self) -> LoadResult:
        """The histories of all rows.

        Raises:
            SettingsError: one ticker was named for several histories.
        """
        today = np.datetime64(date.today(), "D")
        joining = Joining()
        for ticker, parts in self._named_parts().items():
            joining.add(ticker, parts, today)
        joining.finish()
        return LoadResult(
            panel=Panel(tuple(joining.histories.values())),
            notes=(*self.notes, *joining.notes),
            failures=(*self.failures, *joining.failures),
            files=joining.sources,
        )

    def _named_parts(self) -> dict[str, list[TickerRows]]:
        """Rows by ticker, under the name that the user gave; files without one go by it alone."""
        name, parts = self.options.ticker, self.parts
        if name is None:
            return parts
        rows = [part for some in parts.values() for part in some]
        if len(parts) > 1 and any(part.is_named for part in rows):
            raise SettingsError(
                f"{parameter('ticker')} {name} names one history, but {len(parts)} were read."
                f" Leave {parameter('ticker')} out, or give one file with one history."
            )
        return {name.strip(): [part._replace(is_named=True) for part in rows]} if rows else {}

    def add(self, source: str | Table, reader: Reader) -> None:
        """Read one source; a folder stands for its price files."""
        if isinstance(source, Table):
            with self._failing(source.source):
                found = Collected(self.options)
                found._add_table(source, source.source.replace(" ", "").upper(), is_named=False)
                self._join(found._under(source.title) if source.title else found)
            return
        with self._failing(writable(source)):
            for found in reader(paths_of(source), self.options):
                self._join(found)

    def add_file(self, path: Path, name: str) -> None:
        """Read one file."""
        with self._failing(name):
            table = _file_table(path, name, self.options)
            ticker, known = ticker_from_name(path.name), not names_no_ticker(path.name)
            self._add_table(table, ticker, is_named=known)

    def add_stdin(self, stdin: BinaryIO | None, *, again: bool) -> None:
        """Read standard input, which can be read once."""
        with self._failing(STDIN if again else STDIN_NAME):
            if again:
                raise DataError(
                    f"{STDIN_NAME} was given twice; it can be read once. Leave one - out."
                )
            self._add_table(_stdin_table(stdin, self.options), STDIN_TICKER, is_named=False)

    def _under(self, ticker: str) -> Collected:
        """What was in one table, under the ticker that it was given with.

        Raises:
            DataError: the table has several histories.
        """
        if len(self.parts) > 1:
            names = [*self.parts][:_SHOWN] + ["…"] * (len(self.parts) > _SHOWN)
            raise DataError(
                f"{ticker} is given as one ticker, and its table has {len(self.parts)} histories"
                f" ({', '.join(names)}); one is needed. Give the table by itself, without a ticker."
            )
        for rows in self.parts.values():
            self.parts = {ticker: [part._replace(ticker=ticker, is_named=True) for part in rows]}
        return self

    def _join(self, found: Collected) -> None:
        """Add what was in another file."""
        self.notes += found.notes
        self.failures += found.failures
        for ticker, rows in found.parts.items():
            self.parts.setdefault(ticker, []).extend(rows)

    @contextlib.contextmanager
    def _failing(self, source: str) -> Iterator[None]:
        """A DataError becomes a failure of that source, and so does a lack of memory for it."""
        try:
            yield
        except DataError as error:
            self.failures.append(Failure(error, source=source))
        except MemoryError:
            problem = f"{source} takes more memory than is free; prices must fit into it. Split it."
            self.failures.append(Failure(DataError(problem), source=source))

    def _add_table(self, table: Table, ticker: str, *, is_named: bool) -> None:
        self.notes += [Note(message + ".", source=table.source) for message in table.notes]
        for part in tables_in(table):
            name = part.title or ticker
            self._add_part(part, name, is_named=is_named or part.title is not None)

    def _add_part(self, table: Table, ticker: str, *, is_named: bool) -> None:
        options = self.options
        layout = recognise(table, options.columns)
        style = CellStyle(options.date_format, options.decimal, options.currency)
        found, notes = read_histories(table, layout, ticker, style, is_named=is_named)
        if not found:
            raise DataError(
                f"{table.source} has no row with a date and a price; at least 1 bar is needed."
                " Check the file."
            )
        self.notes += [Note(note + ".", source=table.source) for note in (*layout.notes, *notes)]
        for rows in found:
            self.parts.setdefault(rows.ticker, []).append(rows)


def _file_table(path: Path, name: str, options: ReadOptions) -> Table:
    require_text(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DataError(
                f"{name} is no regular file; a price file is needed. To read from a pipe, give - as"
                " the source."
            )
        with path.open("rb") as file:
            mark = file.read(4)
            file.seek(0)
            if mark == _PARQUET_MARK:
                _require_size(status.st_size, MAX_PARQUET_BYTES, name, "Split it by ticker")
                return read_parquet(file, name)
            _require_size(status.st_size, MAX_TEXT_BYTES, name, "Split it or convert it to Parquet")
            data = read_at_most(file, MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise cannot_open(name, error) from error
    if path.suffix.lower() in PARQUET_SUFFIXES and data:
        raise DataError(
            f"{name} is not a Parquet file, though its name says so; the prices must be in the"
            " format that the name says. Write the file again or rename it."
        )
    return table_of(read_rows(data, name, options.encoding), name, options.columns.values())


def _stdin_table(stdin: BinaryIO | None, options: ReadOptions) -> Table:
    stream = stdin or getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise DataError(
            f"{STDIN_NAME} is closed; a table of prices is needed. Pipe a file into it."
        )
    try:
        data = read_at_most(stream, MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise cannot_open(STDIN_NAME, error) from error
    _require_size(len(data), MAX_TEXT_BYTES, STDIN_NAME, "Split it or give a Parquet file")
    if data.startswith(_PARQUET_MARK):
        return read_parquet(io.BytesIO(data), STDIN_NAME)
    rows = read_rows(data, STDIN_NAME, options.encoding)
    return table_of(rows, STDIN_NAME, options.columns.values())


def _require_size(size: int, limit: int, name: str, remedy: str) -> None:
    if size > limit:
        raise DataError(
            f"{name} is larger than {limit // 2**20} MiB, the most that is read at once. {remedy}."
        )
