"""From rows to a table: where the header is, which rows hold bars, one column per header.

Title lines above the header, headers of two lines, repeated headers and a missing header are
settled here, and what each header names is looked up once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, islice

from forecaster.arrays import Integers
from forecaster.errors import DataError
from forecaster.market.files.cells.cut_numbers import refuse_cut_numbers
from forecaster.market.files.cells.parse_dates import looks_like_date
from forecaster.market.files.cells.parse_numbers import Column, is_blank, looks_numeric
from forecaster.market.files.column_names import Header, header_of, roles_in
from forecaster.market.files.contents import are_bars, first_bar
from forecaster.market.files.delimited import Rows
from forecaster.wording import plural, were

HEADER_SEARCH_ROWS, HEADER_SEARCH_CELLS, FEWEST_SEARCH_ROWS = 80, 100_000, 5
POSITIONS = ("date", "open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Attributes:
        source: the file as the user named it.
        headers: one per column; that of the field where there is a line of tickers too.
        columns: cells as text, or typed arrays.
        rows: line in the file of each row, shape ``(n,)``.
        delimiter: what stood between the cells; empty for typed files.
        tickers: the ticker of each column where the header has a line of them, else empty strings.
        titles: the cells of the line above the header, if there is one.
        title: the ticker that a line above the header gives to the whole table, or None.
        notes: what was left out or supposed on the way.
    """

    source: str
    headers: tuple[Header, ...]
    columns: tuple[Column, ...]
    rows: Integers
    delimiter: str = ""
    tickers: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    title: str | None = None
    notes: tuple[str, ...] = ()

    def named_headers(self) -> str:
        """The headers for an error message."""
        shown = [f'"{header.text}"' for header in self.headers[:30]]
        return ", ".join(shown) + (" and more" if len(self.headers) > 30 else "")


@dataclass(frozen=True)
class _HeaderLines:
    headers: list[Header]
    first_row: int  # of the data
    tickers: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    note: str | None = None


def table_of(rows: Rows, source: str, wanted: Iterable[str] = ()) -> Table:
    """Find the header in delimited rows and return the columns below it.

    Args:
        rows: the cells.
        source: the file, for messages.
        wanted: headers that the user named; a row that has them all is the header.

    Raises:
        DataError: there is a header and nothing below it, or rows do not fit the header.
    """
    lines = _find_header(rows.cells, list(wanted), source)
    body = [place for place in range(lines.first_row, len(rows.cells)) if any(rows.cells[place])]
    cells, headers, kept, notes = _fit(rows, body, lines.headers, source)
    tickers = lines.tickers
    if tickers:
        tickers = ("",) * (len(headers) - len(tickers)) + tickers
    if not cells:
        raise DataError(
            f"{source} has a header and no rows below it; at least 1 bar is needed. Check the file."
        )
    return Table(
        source=source,
        headers=tuple(headers),
        columns=tuple(list(column) for column in zip(*cells, strict=True)),
        rows=rows.lines[kept],
        delimiter=rows.delimiter,
        tickers=tickers,
        titles=lines.titles,
        notes=tuple(([lines.note] if lines.note else []) + notes),
    )


def _headers(cells: list[str]) -> list[Header]:
    """What a line names, were it a header; of a cell with several lines the first one counts."""
    return [header_of(cell.strip().partition("\n")[0].strip()) for cell in cells]


def _head(cells: list[list[str]]) -> list[int]:
    """The places of the lines where a header is looked for: not blank, and no rule of Markdown."""
    texts: Iterable[int] = (p for p, row in enumerate(cells) if any(c.strip(" :-") for c in row))
    if len({*map(len, cells)}) > 1:  # lines without text do not make a table wide
        texts = list(texts)
        cells = [cells[place] for place in texts]
    width = max(map(len, cells), default=1) or 1
    most = max(min(HEADER_SEARCH_ROWS, HEADER_SEARCH_CELLS // width), FEWEST_SEARCH_ROWS)
    return list(islice(texts, most))


def _find_header(cells: list[list[str]], wanted: list[str], source: str) -> _HeaderLines:
    head = _head(cells)
    if not head:
        raise DataError(
            f"{source} has blank cells only; a table of prices is needed. Check the file."
        )
    first = first_bar(cells, head)
    above = head if first is None else head[: head.index(first)]
    lines = {place: _headers(cells[place]) for place in above}
    above = [place for place in above if not _are_units(lines[place])] or above
    levels = None if first is None else _two_line_header([lines[p] for p in above[-3:]], first)
    if levels is not None and {header.text for header in levels.headers}.issuperset(wanted):
        return levels
    for place in head:
        if wanted and {cell.strip() for cell in cells[place]}.issuperset(wanted):
            return _HeaderLines(_headers(cells[place]), place + 1)
    if first is not None and (levels or not above):
        return levels or _positions(cells, first, source)
    place = max(lines, key=lambda place: (_columns_named(lines[place]), place))
    if _columns_named(lines[place]) < 2 and first is not None:
        dated = [line for line in above if _names_dates_and_more(lines[line])]
        place = (dated or above)[-1]  # nothing else is known: the line right above the bars
    titles = [line for line in above if line < place]
    telling = [line for line in titles if {"ticker", "name"} & roles_in(lines[line])] or titles
    return _HeaderLines(lines[place], place + 1, titles=tuple(cells[telling[-1]]) if titles else ())


def _are_units(line: list[Header]) -> bool:
    """Whether a line says in what the columns below it are measured."""
    return all(header.is_unit for header in line if header.text)


def _names_dates_and_more(line: list[Header]) -> bool:
    return "date" in roles_in(line) and any(header.text for header in line[1:])


def _columns_named(headers: list[Header]) -> int:
    """How many different roles a line names; a column without a name may hold the dates."""
    roles = roles_in(headers)
    return len(roles) + ("date" not in roles and bool(headers) and headers[0].is_unnamed)


def _two_line_header(lines: list[list[Header]], first: int) -> _HeaderLines | None:
    """Fields on one line and tickers on another, as pandas writes two-level columns.

    Args:
        lines: up to three above the bars.
        first: the row of the first bar.
    """
    index_name = []
    if len(lines) > 1 and not any(header.text for header in lines[-1][1:]):
        index_name = lines[-1][:1]
        lines = lines[:-1]
    if len(lines) < 2 or len(lines[-2]) != len(lines[-1]):
        return None
    upper, lower = lines[-2], lines[-1]
    orders = [p for p in ((upper, lower), (lower, upper)) if _are_levels(*p, index_name)]
    if not orders:
        return None
    fields, other = max(orders, key=lambda pair: _likelihood(*pair))
    dates = [h for h in (*index_name, upper[0], lower[0]) if h.role == "date"]
    date = dates[0] if dates else header_of("")
    return _HeaderLines([date, *fields[1:]], first, ("", *_carried(other)))


def _carried(line: list[Header]) -> list[str]:
    """A line of tickers; blank cells, which a spreadsheet merged, take the one to their left."""
    cells = [header.text for header in line[1:]]
    carried: accumulate[str] = accumulate(cells, lambda left, cell: cell or left)
    return list(carried)


def _are_levels(fields: list[Header], other: list[Header], below: list[Header]) -> bool:
    """Whether one line names fields and the other tickers; numbers are some above "Date" alone."""
    is_title = _labels(other) is None and " " in other[0].text
    if is_title or not _are_fields(fields) or _repeats_dates(fields):
        return False
    named = [header for header in other[1:] if header.text]
    if len(named) < 2 and len(named) != sum(1 for header in fields[1:] if header.text):
        return False  # a title line, not tickers
    if _labels(other) == "ticker":
        return True
    numbers = (looks_numeric(header.text) or looks_like_date(header.text) for header in other)
    if "date" not in roles_in(below) and any(numbers):
        return False  # a session without prices, not tickers
    words = {h.text for h in named if h.role and h.text.istitle() and not h.text.isupper()}
    are_words = 2 * len(words) >= len({header.text for header in named}) > 0  # as "Adjusted"
    if are_words or _labels(fields) == "ticker" or all(header.is_unit for header in named):
        return False
    pairs = list(zip((header.role for header in fields[1:]), _carried(other), strict=True))
    known = [pair for pair in pairs if pair[0] is not None]
    closes = {ticker for role, ticker in known if role in {"close", "adjusted_close"}}
    return len(set(known)) == len(known) and closes == {ticker for _, ticker in known}


def _labels(line: list[Header]) -> str | None:
    """What the first cell, which names the level, says of the line: pandas writes ``Ticker``."""
    return line[0].role if line else None


def _likelihood(fields: list[Header], other: list[Header]) -> tuple[bool, bool, int]:
    """How much speaks for a line of fields above or below one of tickers, where both could be.

    A ticker may be the word of a column: ``T``, ``O``, ``DAY``, ``LOW``.
    """
    words = [header for header in fields[1:] if header.text]
    in_capitals = all(header.is_role_or_symbol for header in words)
    return _labels(other) == "ticker", not in_capitals, len(roles_in(words))


def _repeats_dates(line: list[Header]) -> bool:
    """Whether several columns are named as dates: tables side by side, under their titles."""
    return sum(1 for header in line if header.role == "date") > 1


def _are_fields(line: list[Header]) -> bool:
    named = [header for header in line[1:] if header.text]
    known = sum(1 for header in named if header.role is not None)
    return known > 0 and 2 * known >= len(named)


def _positions(cells: list[list[str]], first: int, source: str) -> _HeaderLines:
    """Names for a file without a header, if its columns can only be date, O, H, L, C and V.

    Raises:
        DataError: they could be something else.
    """
    rows = [row for row in cells[first:] if any(row)]
    width = len(rows[0])
    names = list(POSITIONS)
    if width > 5 and all(":" in row[1] or row[1].strip("0") == "" for row in rows if row[1:]):
        names.insert(1, "time")
    names = names[:width]
    if width >= 5 and are_bars(rows, names.index("open")):
        note = (
            "there is no header; the columns were taken as " + ", ".join(names) + ". Add a header"
            " line if that is wrong"
        )
        names += [""] * (width - len(names))
        return _HeaderLines(_headers(names), first, note=note)
    example = ",".join(["Date", "Close", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"][:width])
    raise DataError(
        f"{source} has no header line, and its columns are not plainly date, open, high, low, close"
        f" and volume; named columns are needed. Add a line of {width} names on top, as in"
        f" {example}."
    )


def _fit(
    rows: Rows, body: list[int], headers: list[Header], source: str
) -> tuple[list[list[str]], list[Header], list[int], list[str]]:
    """Make every row as wide as the header, and leave out repeated headers and rows too wide."""
    notes: list[str] = []
    cells = rows.cells
    if body and _has_row_names(cells, body, headers):
        headers = [header_of(""), *headers]
    width = len(headers)
    header_cells = [header.text.lower() for header in headers]
    every = [cells[place] for place in body]
    firsts = "\n".join([row[0] for row in every]).lower()
    if rows.delimiter == ",":
        refuse_cut_numbers(every, headers, rows.lines[body], source)
    if {*map(len, every)} <= {width} and header_cells[0] not in firsts:
        return every, headers, body, notes
    kept: list[int] = []
    fitted, repeated, wide = [], 0, []
    for place in body:
        row = cells[place]
        if len(row) != width:
            if len(row) > width and any(not is_blank(cell) for cell in row[width:]):
                wide.append(place)
                continue
            row = row[:width] + [""] * (width - len(row))
        if row[0].strip().lower() == header_cells[0] != "":
            if [cell.strip().lower() for cell in row] == header_cells:
                _refuse_second_title(rows, place, source)
                repeated += 1
                continue
            if kept:
                _refuse_second_header(row, int(rows.lines[place]), source)
        fitted.append(row)
        kept.append(place)
    if wide:
        notes.append(_too_wide(rows, wide, len(body), width, source))
    if repeated:
        lines = plural("line", repeated)
        notes.append(f"{repeated} repeated header {lines} {were(repeated)} left out")
    return fitted, headers, kept, notes


def _refuse_second_title(rows: Rows, place: int, source: str) -> None:
    """Raise a DataError if the line above a repeated header names another table."""
    before = (rows.cells[line] for line in range(place - 1, -1, -1))
    above = next((row for row in before if any(row)), [])
    filled = [cell for cell in above if cell.strip()]
    if above and len(filled) == 1 and not looks_numeric(filled[0]):
        row = int(rows.lines[place])
        raise DataError(
            f'{source}, row {row}: a second table begins below "{filled[0][:40]}"; one table is'
            " needed. Give each a file of its own."
        )


def _refuse_second_header(row: list[str], line: int, source: str) -> None:
    """Raise a DataError if a row is the header of another table."""
    named = [cell.strip() for cell in row if cell.strip()]
    if len(named) > 1 and not any(map(looks_numeric, named)):
        raise DataError(
            f"{source}, row {line}: a second table begins ({', '.join(named[:4])}); one table is"
            " needed. Give each a file of its own."
        )


def _has_row_names(cells: list[list[str]], body: list[int], headers: list[Header]) -> bool:
    """Whether rows have one cell more than the header, a date in front, as R writes them."""
    return (
        "date" not in roles_in(headers)
        and all(len(cells[place]) == len(headers) + 1 for place in body)
        and looks_like_date(cells[body[0]][0], numbers=True)
    )


def _too_wide(rows: Rows, wide: list[int], total: int, width: int, source: str) -> str:
    row, count = int(rows.lines[wide[0]]), len(rows.cells[wide[0]])
    if 2 * len(wide) > total:
        raise DataError(
            f"{source}, row {row}: {count} cells, but the header has {width}; they must match."
            " Put numbers that contain commas in quotation marks, or use semicolons between cells."
        )
    return (
        f"{len(wide)} of {total} rows with more cells than the header were left out, first row"
        f" {row}"
    )
