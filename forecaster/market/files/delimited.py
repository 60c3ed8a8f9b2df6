"""Delimited text: bytes to rows of cells, whatever the delimiter or line ending."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from forecaster.arrays import Integers
from forecaster.errors import DataError
from forecaster.market.files.column_names import header_of, roles_in
from forecaster.market.files.decoding import decode
from forecaster.market.memory import require_memory
from forecaster.patterns import compiled

DELIMITERS = (",", ";", "\t", "|")
SNIFFED_CHARACTERS = 32_768
SNIFFED_LINES = 60
LONGEST_LINE = 4 * 2**20
MAX_COLUMNS = 20_000
LONGEST_RECORD_LINES = (
    5  # a record over more lines than this has a quotation mark that never closes
)

_ZIP = b"PK\x03\x04"
_SAVE_SHEET = "Save the sheet as CSV and give that file."
_BINARY_KINDS: tuple[tuple[bytes | tuple[bytes, ...], str, str], ...] = (
    (_ZIP, "a zip archive", "Unpack it and give the files inside."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it with gunzip and give the file inside."),
    (b"BZh", "a bzip2 archive", "Unpack it with bunzip2 and give the file inside."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it with unxz and give the file inside."),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "Unpack it with unzstd and give the file inside."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and give the file inside."),
    (b"Rar!", "a RAR archive", "Unpack it and give the file inside."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", _SAVE_SHEET),
    (b"%PDF", "a PDF document", "Give the prices as CSV."),
    (b"SQLite format 3", "an SQLite database", "Export the prices as CSV."),
    (b"\x89HDF", "an HDF5 file", "Save the prices as CSV or Parquet."),
    (b"ARROW1", "an Arrow file", "Save the prices as Parquet."),
    (b"FEA1", "a Feather file", "Save the prices as Parquet."),
    (b"\x93NUMPY", "a NumPy array", "Save the prices as CSV."),
    ((b"\x80\x04", b"\x80\x05"), "a Python pickle", "Save the prices as CSV or Parquet."),
    ((b"\x89PNG", b"\xff\xd8\xff"), "a picture", "Give the prices as CSV."),
)
_HTML = compiled(
    r"\s*(<!doctype|<!--|<\?xml|<(html|head|body|table|script|div|title|meta|svg|p|h1|pre)[\s>])",
    re.I,
)
# ="1,234" keeps a spreadsheet from reading a number; some exports quote it once more
_FORMULA = compiled(r'(?m)(^|[,;\t|])[ ]*="([^"\r\n]*)"(?=[ ]*(?:[,;\t|\r\n]|\Z))')
_QUOTED_FORMULA = compiled(r'"=""([^"\r\n]*)"""')
_QUOTED_LINE = compiled(r'(?m)^"((?:[^"\r\n]|"")*)"[,;\t ]*(?=\r?$)')
_DELIMITER = compiled(r"[,;\t|]")
_BLANKS = compiled(r"\s{2,}")
_SEPARATOR_LINE = compiled(r'\A"?sep=(.)"?[ \t]*(\r\n|\r|\n)', re.I)


@dataclass(frozen=True)
class Rows:
    """Cells as text.

    Attributes:
        cells: one list of cells a row; blank lines are empty lists.
        lines: the 1-based line of the file on which each row starts, shape ``(rows,)``.
        delimiter: what stood between the cells.
    """

    cells: list[list[str]]
    lines: Integers
    delimiter: str


def read_rows(data: bytes, source: str, encoding: str | None = None) -> Rows:
    """Rows of a delimited text.

    Args:
        data: what the file holds.
        source: the file, for messages.
        encoding: the user's word, or None.

    Raises:
        DataError: the bytes are empty, or are no delimited text, or become more than there is
            memory for.
    """
    refuse_binary(data, source)
    if len(data) > LONGEST_LINE:
        _require_lines(data, source)
        _require_room(data, source)
    text = _without_formulas(decode(data, source, encoding))
    refuse_markup(text, source)
    return split_rows(text, source)


def _require_lines(data: bytes, source: str) -> None:
    """Raise a DataError if a line is longer than that of any table of prices."""
    end = b"\n" if b"\n" in data else b"\r"
    start = 0
    while len(data) - start > LONGEST_LINE:
        start = data.rfind(end, start, start + LONGEST_LINE) + 1
        if not start:
            raise DataError(
                f"{source} has a line of more than {LONGEST_LINE // 2**20} MiB; a line for each row"
                " is needed. Check the line ends of the file."
            )


def _require_room(data: bytes, source: str) -> None:
    """Raise a DataError if so many rows and cells are more than there is memory for."""
    rows = max(data.count(b"\n"), data.count(b"\r"))
    cells = rows + max(data.count(sign) for sign in (b",", b";", b"\t", b"|", b"  "))
    width = 3 if data.isascii() else 10  # one letter beyond Latin widens all others, in each copy
    require_memory(width * len(data) + 250 * rows + 60 * cells, source)


def refuse_binary(data: bytes, source: str) -> None:
    """Raise a DataError that says what kind of file this is, if it is a known binary kind."""
    kinds = _BINARY_KINDS
    if b"xl/" in data[:65536] or b"[Content_Types].xml" in data[:65536]:
        kinds = ((_ZIP, "an Excel workbook", _SAVE_SHEET), *kinds)
    elif b"opendocument" in data[:256]:
        kinds = ((_ZIP, "an OpenDocument file", _SAVE_SHEET), *kinds)
    for mark, kind, remedy in kinds:
        if data.startswith(mark):
            raise DataError(f"{source} is {kind}; delimited text or Parquet is needed. {remedy}")


def refuse_markup(text: str, source: str) -> None:
    """Raise a DataError if the text is a web page or JSON."""
    if _HTML.match(text):
        raise DataError(
            f"{source} is a web page or XML, not a table of prices (a saved error page, perhaps);"
            " delimited text is needed. Download the CSV file again."
        )
    if text.lstrip()[:1] in {"{", "["}:
        raise DataError(
            f"{source} looks like JSON; delimited text or Parquet is needed. Save the prices as"
            " CSV."
        )


def _without_formulas(text: str) -> str:
    """Cells that are formulas of one text, as in ``="2024-01-02"``, as that text."""
    if '="' not in text:
        return text
    return _FORMULA.sub(r'\1"\2"', _QUOTED_FORMULA.sub(r'"\1"', text))


def split_rows(text: str, source: str) -> Rows:
    """Cut text into rows of cells, with the line number of each row.

    Raises:
        DataError: a quotation mark is never closed, or a cell is longer than any price.
    """
    declared = _SEPARATOR_LINE.match(text)
    start = 1 if declared else 0
    if declared:
        text = text[declared.end() :]
    if not declared:
        text = _without_quoted_lines(text)
    delimiter = declared.group(1) if declared else sniff_delimiter(text)
    if not declared and _are_aligned(text, delimiter):
        return _aligned_rows(text, source)
    reader = csv.reader(_lines(text), delimiter=delimiter, skipinitialspace=True)
    cells: list[list[str]] = []
    try:
        cells.extend(reader)
    except csv.Error as error:
        raise DataError(
            f"{source}, row {reader.line_num + start}: {error}; a table of prices has short cells."
            " Check the quotation marks and line ends of the file."
        ) from error
    _require_table(cells, source)
    if len(cells) > 2 and 1 < len(cells[-1]) < len(cells[-2]) and text[-1] not in "\r\n":
        cells[-1].pop()  # the text was cut off within it
    if reader.line_num == len(cells):
        lines = np.arange(1, len(cells) + 1, dtype=np.int64)
    else:
        lines = _first_lines(text, delimiter, source, start)
    return Rows(cells, lines + start, delimiter)


def _lines(text: str) -> Iterator[str]:
    """Lines with plain line ends, from a piece of the text at a time: each is copied, widened."""
    return chain.from_iterable(io.StringIO(piece, newline=None) for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > LONGEST_LINE:
        window = start, start + LONGEST_LINE
        end = text.rfind("\n", *window) + 1 or text.rfind("\r", *window) + 1 or len(text)
        yield text[start:end]
        start = end
    yield text[start:]


def _without_quoted_lines(text: str) -> str:
    """The text without quotation marks around whole lines, as a column of lines is saved."""
    head = [line for line in text[:SNIFFED_CHARACTERS].splitlines()[:SNIFFED_LINES] if line.strip()]
    quoted = [
        line
        for line in head
        if (match := _QUOTED_LINE.fullmatch(line)) and _DELIMITER.search(match[1])
    ]
    if 5 * len(quoted) < 4 * len(head):
        return text
    return _QUOTED_LINE.sub(lambda match: match[1].replace('""', '"'), text)


def _are_aligned(text: str, delimiter: str) -> bool:
    """Whether cells stand apart by blanks: with these alone a line names several roles."""
    lines = text[:SNIFFED_CHARACTERS].splitlines()[:SNIFFED_LINES]
    if _tabularity(lines, delimiter)[0] > 1:
        return False
    header = max(lines, key=lambda line: _roles_of(_blank_cells(line)), default="")
    return _roles_of(_blank_cells(header)) > 1 and _DELIMITER.search(header) is None


def _blank_cells(line: str) -> list[str]:
    """The cells of a line, which two blanks set apart, or one where there are no two."""
    text = line.strip()
    cells = _BLANKS.split(text)
    return cells if len(cells) > 1 else text.split()


def _aligned_rows(text: str, source: str) -> Rows:
    """Rows of cells that blanks set apart; the header may lack the name of the first column.

    Raises:
        DataError: a row has another number of cells than the header, so that some are blank.
    """
    lines = text.splitlines()
    filled = [place for place, line in enumerate(lines) if line.strip()]
    head = max(filled[:SNIFFED_LINES], key=lambda place: _roles_of(_blank_cells(lines[place])))
    header, below = _blank_cells(lines[head]), [place for place in filled if place > head]
    if len(below) > 1 and len(lines[below[0]].split()) == 1:
        header = [lines[below[0]].strip(), *header]  # pandas writes the name of an index below
        below = below[1:]
    words = Counter(len(lines[place].split()) for place in below)
    for cut in (str.split, _blank_cells):
        rows = [cut(lines[place]) for place in below]
        widths = {len(row) for row in rows}
        if len(words) < 2 and widths in (set(), {len(header)}, {len(header) + 1}):
            names = [""] * (max(widths, default=0) - len(header))
            return Rows([names + header, *rows], np.array([head, *below], dtype=np.int64) + 1, " ")
    odd = next((p for p in below if len(_blank_cells(lines[p])) != len(header)), head)
    raise DataError(
        f"{source}, row {odd + 1}: {len(_blank_cells(lines[odd]))} cells with blanks between them,"
        f" but the header has {len(header)}; commas, semicolons or tabs between cells are needed."
        " Save the table as CSV."
    )


def _roles_of(cells: list[str]) -> int:
    return len(roles_in(map(header_of, cells)))


def _require_table(cells: list[list[str]], source: str) -> None:
    """Raise a DataError for too many columns, or one alone, as in a message saved as a file."""
    require_columns(max(map(len, cells), default=0), source)
    if any(len(row) > 1 for row in cells):
        return
    texts = [row[0].strip() for row in cells if row and row[0].strip()]
    if texts:
        raise DataError(
            f'{source} holds no table but "{texts[0][:60]}"; rows of cells with commas,'
            " semicolons or tabs between them are needed. Download the file again, or save it as"
            " CSV."
        )


def require_columns(count: int, source: str) -> None:
    """Raise a DataError if a table has more columns than are looked at."""
    if count > MAX_COLUMNS:
        raise DataError(
            f"{source} has {count:,} columns; at most {MAX_COLUMNS:,} are read. Split the file."
        )


def _first_lines(text: str, delimiter: str, source: str, start: int) -> Integers:
    reader = csv.reader(_lines(text), delimiter=delimiter, skipinitialspace=True)
    ends = np.array([reader.line_num for _ in reader], dtype=np.int64)
    firsts = np.concatenate([[0], ends[:-1]]) + 1
    spans = ends - firsts + 1
    if int(spans.max()) > LONGEST_RECORD_LINES:
        row = int(firsts[int(np.argmax(spans > LONGEST_RECORD_LINES))]) + start
        raise DataError(
            f"{source}, row {row}: a quotation mark is opened and not closed for"
            f" {int(spans.max())} lines; cells must be closed. Correct the row."
        )
    return firsts


def sniff_delimiter(text: str) -> str:
    """The delimiter under which the head of the file reads most like a table with known headers."""
    lines = text[:SNIFFED_CHARACTERS].splitlines()[:SNIFFED_LINES]
    return max(DELIMITERS, key=lambda delimiter: _tabularity(lines, delimiter))


def _tabularity(lines: list[str], delimiter: str) -> tuple[int, float, int]:
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
    except csv.Error:
        return (0, 0.0, 0)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return (0, 0.0, 0)
    width, count = widths.most_common(1)[0]
    roles = max(len(roles_in(map(header_of, row))) for row in rows)
    return (roles, count / len(rows), width)
