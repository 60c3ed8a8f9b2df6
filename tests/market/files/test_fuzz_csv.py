"""Delimited text of any dialect, with cells, lines and bytes changed: a history or a message."""

from __future__ import annotations

import random
from pathlib import Path

from fuzzing import flipped, fuzz
from price_files import DIALECTS

from forecaster.market.files.read import ReadOptions, read_files
from forecaster.market.watchlist import read_batch_sources, read_set_sources

CELLS = (
    "", " ", "-", "n/a", "0", "-1", "1e308", "1e-320", "1e400", "inf", "nan", "1.234", "1,234",
    "1.234.567,8", "$10.50", "(3)", "12 3/8", "1/0", "10%", "2K", "1e5B", "9" * 80, "9" * 400,
    "2020-02-30", "0001-01-01", "9999-12-31", "1492-10-12", "2563-01-02", "01/02/03", "13/13/2020",
    "20200102", "1577923200", "-1577923200", "15834", "99999999999999999999", "Jan 5, 2020",
    "5. Januar 2020", "令和2年1月5日", "109/01/05", "2020-01-02T23:00:00+14:00", "2020-W01-1",
    "2020-01-02 25:61", '"', '""', '"a', "'", "=1+1", "@SUM", "\t", "\0", "\r", "\x1b[2J", "\u202e",
    "\ufeff", "\u2028", "١٢", "１２", "½", "½½", "nan%", "É", "x" * 300, "x" * 140_000, "<td>", "{",
    "Date", "Close", "Ticker", "AAPL", "(", "('Close', 'A')", "A.Close", "Close (USD)", "[" * 90,
    "#", "sep=;", "%", "1:1", "0x1F", "1_000", "--1", "+-1", "1-", "1..2", ",", ";", "|", "\n",
)  # fmt: skip
HEADERS = (
    "Date", "Close", "Open", "High", "Low", "Volume", "Adj Close", "Ticker", "Symbol", "Time", "",
    "Datum", "Kurs", "終値", "AAPL", "MSFT", "T", "LOW", "AAPL.Close", "Close_MSFT", "unix", "x",
    "Currency", "Unnamed: 0", "Close.1", "<CLOSE>", "Value", "year", "Price (USD)", "%",
)  # fmt: skip
DELIMITERS = (",", ",", ",", ";", "\t", "|", "  ", " ", ":")
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252")


def drawn(rng: random.Random) -> bytes:
    """A file that some vendor could have written, or nobody."""
    text = rng.choice([*DIALECTS.values()]) if rng.random() < 0.4 else table(rng)
    for _ in range(rng.choice([0, 1, 1, 3, 10])):
        text = rng.choice(CHANGES)(rng, text)[:1_000_000]
    data = text.encode(rng.choice(ENCODINGS), errors="replace")
    return flipped(rng, data) if rng.random() < 0.3 else data


def table(rng: random.Random) -> str:
    """Rising dates and prices under drawn headers."""
    width, count = rng.choice([2, 2, 3, 7, 40]), rng.choice([0, 1, 2, 30, 30, 300])
    sign = rng.choice(DELIMITERS)
    headers = [rng.choice(HEADERS) for _ in range(width)]
    if rng.random() < 0.7:
        headers[:2] = ["Date", "Close"]
    rows = [sign.join(headers)] * rng.choice([0, 1, 1, 1, 1, 2])
    for place in range(count):
        cells = [f"{rng.uniform(90, 110):.{rng.choice([0, 2, 3])}f}" for _ in range(width)]
        cells[0] = dated(rng, place, count)
        rows.append(sign.join(cells))
    return rng.choice(["\n", "\n", "\r\n", "\r"]).join(rows) + rng.choice(["", "\n", "\n\n"])


def dated(rng: random.Random, place: int, count: int) -> str:
    """A date of a row, written in the way of its file most often."""
    month, day = 1 + place // 28 % 12, 1 + place % 28
    year = 2010 + place // 336
    style = count * 7 % 5 if rng.random() < 0.995 else rng.randrange(6)
    iso = f"{year}-{month:02d}-{day:02d}"
    slashed, stamp = f"{month}/{day}/{year}", str(1262304000 + 86400 * place)
    dotted = f"{day:02d}.{month:02d}.{year}"
    return (iso, dotted, iso.replace("-", ""), slashed, stamp, rng.choice(CELLS))[style]


def cell_changed(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    place, sign = rng.randrange(len(lines)), rng.choice(DELIMITERS)
    cells = lines[place].split(sign)
    cells[rng.randrange(len(cells))] = rng.choice(CELLS)
    return "\n".join([*lines[:place], sign.join(cells), *lines[place + 1 :]])


def column_changed(rng: random.Random, text: str) -> str:
    sign, cell = rng.choice(DELIMITERS), rng.choice(CELLS)
    place = rng.randrange(4)
    lines = [line.split(sign) for line in text.split("\n")]
    for cells in lines[rng.randrange(2) :]:
        cells[place : place + rng.choice([0, 1])] = [cell]
    return "\n".join(map(sign.join, lines))


def line_moved(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    line = lines.pop(rng.randrange(len(lines)))
    lines.insert(rng.randrange(len(lines) + 1), line)
    return "\n".join(lines if rng.random() < 0.5 else [line, *lines])


def lines_repeated(rng: random.Random, text: str) -> str:
    return text * rng.choice([2, 2, 3, 50]) if len(text) < 4_000 else text


def put_in(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(CELLS) * rng.choice([1, 1, 2, 30]) + text[place:]


def sign_replaced(rng: random.Random, text: str) -> str:
    old, new = rng.choice(".,;\t\n-/0129"), rng.choice([*".,;\t|\n\r \"'-/:9", "", "\0", "é"])
    return text.replace(old, new, rng.choice([-1, 1, 5]))


CHANGES = (cell_changed, cell_changed, column_changed, line_moved, lines_repeated, put_in,
           sign_replaced)  # fmt: skip


def read(path: Path) -> None:
    options = [
        ReadOptions(),
        ReadOptions(date_format="%d/%m/%Y", decimal=","),
        ReadOptions(columns={"close": "Close", "date": "Date"}, ticker="A"),
        ReadOptions(encoding="utf-16"),
    ]
    size = path.stat().st_size
    for option in options[: 1 if size % 3 else None]:
        loaded = read_files([str(path)], option)
        assert len(loaded.panel) + len(loaded.failures) > 0
        for history in loaded.panel:
            assert history.fingerprint


def test_fuzz_csv(tmp_path: Path) -> None:
    fuzz("csv files", drawn, read, tmp_path, ".csv")


def words(rng: random.Random) -> bytes:
    """A watchlist, as lines or as a table."""
    sign = rng.choice(["\n", "\n", "\r\n", "\n\n", ","])
    lines = [rng.choice([*CELLS, *HEADERS, "BRK-B", "# note"]) for _ in range(rng.randint(0, 9))]
    if rng.random() < 0.4:
        lines = [f"{rng.choice(['ticker', 'Symbol', 'date'])},x", *(f"{one},1" for one in lines)]
    data = sign.join(lines).encode(rng.choice(ENCODINGS), errors="replace")
    return flipped(rng, data) if rng.random() < 0.3 else data


def test_fuzz_watchlists(tmp_path: Path) -> None:
    fuzz("watchlists", words, lambda path: read_batch_sources([str(path)]), tmp_path, ".txt")
    fuzz("sets of tickers", words, lambda path: read_set_sources([str(path)]), tmp_path, ".csv")
