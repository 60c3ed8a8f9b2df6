"""Write the sample histories from the PyPI package ``bokeh_sampledata``.

    pip install bokeh_sampledata
    python sample_data/make_sample_data.py

The same release of the package gives the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bokeh_sampledata import stocks

TICKERS = ("AAPL", "IBM", "MSFT", "GOOG", "FB")
FIELDS = ("date", "open", "high", "low", "close", "volume", "adj_close")
HEADER = "Date,Open,High,Low,Close,Volume,Adj Close"


def lines_of(ticker: str) -> list[str]:
    """The header and one line a session, oldest first; numbers as short as they round-trip."""
    columns = [getattr(stocks, ticker)[field] for field in FIELDS]
    rows = sorted(zip(*columns, strict=True))
    return [HEADER, *(",".join(str(cell) for cell in row) for row in rows)]


def main(folder: Path) -> None:
    """Write one file per ticker into ``folder`` and say what each holds."""
    for ticker in TICKERS:
        lines = lines_of(ticker)
        path = folder / f"{ticker}.csv"
        path.write_bytes(("\n".join(lines) + "\n").encode("ascii"))
        first, last = lines[1].split(",")[0], lines[-1].split(",")[0]
        print(f"{path.name}: {len(lines) - 1} rows, {first} to {last}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
