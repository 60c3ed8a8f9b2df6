"""Whatever the ticker is called and however the file is written, its own numbers are read or none.

Every dialect that is written here, with every ticker that is a word of headers in some language,
with both decimal signs, both orders of rows and several encodings: one in five of all these files,
or all of them where ``FORECASTER_TORTURE`` is set.
"""

import itertools
import os

import numpy as np
import pytest
from price_files import read_file

WORDS = """
    T O C L V H D DAY LOW OPEN LAST MAX MIN COIN CODE NAV DATA SON AR MA LAG BAS HAUT KURS TIEF HOCH
    FECHA PRICE NAME HOY TIC PAIR RET DIV PER OI USD VOL ADJ INDEX
"""
TICKERS = WORDS.split()
FIELDS = ("open", "high", "low", "close", "volume")
ENGLISH = ("Date", "Open", "High", "Low", "Close", "Volume")
LANGUAGES = {
    "en": ENGLISH,
    "capitals": tuple(word.upper() for word in ENGLISH),
    "letters": ("t", "o", "h", "l", "c", "v"),
    "de": ("Datum", "Eröffnung", "Hoch", "Tief", "Schlusskurs", "Stücke"),
    "fr": ("Date", "Ouverture", "Plus Haut", "Plus Bas", "Clôture", "Volume"),
    "es": ("Fecha", "Apertura", "Máximo", "Mínimo", "Cierre", "Volumen"),
    "it": ("Data", "Apertura", "Massimo", "Minimo", "Chiusura", "Volume"),
    "pt": ("Data", "Abertura", "Máxima", "Mínima", "Último", "Vol."),
    "nl": ("Datum", "Opening", "Hoog", "Laag", "Slotkoers", "Volume"),
    "pl": ("Data", "Otwarcie", "Najwyższy", "Najniższy", "Zamknięcie", "Wolumen"),
    "sv": ("Datum", "Öppning", "Högsta", "Lägsta", "Senaste", "Volym"),
    "tr": ("Tarih", "Açılış", "Yüksek", "Düşük", "Şimdi", "Hacim"),
    "ru": ("Дата", "Открытие", "Макс.", "Мин.", "Закрытие", "Объём"),
    "zh": ("日期", "开盘价", "最高价", "最低价", "收盘价", "成交量"),
    "ja": ("日付", "始値", "高値", "安値", "終値", "出来高"),
    "ko": ("날짜", "시가", "고가", "저가", "종가", "거래량"),
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "cp1252", "cp1251", "shift_jis", "euc_kr")
SESSIONS = np.busday_offset("2023-03-06", np.arange(15), roll="forward")


def bars_of(ticker, seed):
    """Bars of a ticker, at a price level of its own: field -> values."""
    generator = np.random.default_rng([seed, *ticker.encode()])
    close = 10 ** generator.uniform(0.5, 4) * np.exp(np.cumsum(generator.normal(0, 0.02, 15)))
    open_ = close * np.exp(generator.normal(0, 0.01, 15))
    high = np.maximum(open_, close) * 1.01
    low = np.minimum(open_, close) * 0.99
    prices = [np.round(values, 2) for values in (open_, high, low, close)]
    volume = np.round(np.exp(generator.normal(12, 0.6, 15)))
    return dict(zip(FIELDS, [*prices, volume], strict=True))


class Writer:
    """Lines of a file, with one decimal sign and one order of rows."""

    def __init__(self, decimal, newest_first):
        self.decimal = decimal
        self.delimiter = ";" if decimal == "," else ","
        self.newest_first = newest_first

    def number(self, value, places=2):
        return f"{value:.{places}f}".replace(".", self.decimal)

    def bar(self, bars, at):
        prices = [self.number(bars[field][at]) for field in FIELDS[:4]]
        return [*prices, self.number(bars["volume"][at], 0)]

    def rows(self, cells_of):
        order = range(14, -1, -1) if self.newest_first else range(15)
        return [[str(SESSIONS[at]), *cells_of(at)] for at in order]

    def text(self, header_lines, rows):
        lines = ([self.cell(cell) for cell in line] for line in [*header_lines, *rows])
        return "".join(self.delimiter.join(line) + "\n" for line in lines)

    def cell(self, cell):
        return f'"{cell}"' if self.delimiter in cell else cell


def plain(writer, ticker, words):
    bars = bars_of(ticker, 1)
    rows = writer.rows(lambda at: writer.bar(bars, at))
    return writer.text([words], rows), {ticker: bars}


def long(name, place):
    def write(writer, ticker, words):
        panel = {one: bars_of(one, 2) for one in (ticker, "XYZ")}
        rows = []
        for one, bars in panel.items():
            for row in writer.rows(lambda at, bars=bars: writer.bar(bars, at)):
                rows.append([*row[:place], one, *row[place:]])
        return writer.text([[*words[:place], name, *words[place:]]], rows), panel

    return write


def levels(labels, index_line, upper_is_field=True):
    def write(writer, ticker, words):
        bars = bars_of(ticker, 3)
        fields, tickers = [labels[0], *words[1:]], [labels[1], *[ticker] * 5]
        lines = [fields, tickers] if upper_is_field else [tickers, fields]
        lines += [[words[0], *[""] * 5]] if index_line else []
        return writer.text(lines, writer.rows(lambda at: writer.bar(bars, at))), {ticker: bars}

    return write


def many_levels(writer, ticker, words):
    panel = {one: bars_of(one, 4) for one in (ticker, "ABC", "O")}
    fields = ["Price", *[word for word in words[1:] for _ in panel]]
    tickers = ["Ticker", *[one for _ in words[1:] for one in panel]]
    rows = writer.rows(
        lambda at: [cell for f in range(5) for bars in panel.values()
                    for cell in [writer.bar(bars, at)[f]]]
    )  # fmt: skip
    return writer.text([fields, tickers, [words[0], *[""] * (len(fields) - 1)]], rows), panel


def joined(form):
    def write(writer, ticker, words):
        panel = {one: bars_of(one, 5) for one in dict.fromkeys((ticker, "XYZ"))}
        header = [words[0], *[form.format(t=one, f=word) for one in panel for word in words[1:]]]
        rows = writer.rows(lambda at: [c for bars in panel.values() for c in writer.bar(bars, at)])
        return writer.text([header], rows), panel

    return write


def joined_alone(form):
    def write(writer, ticker, words):
        bars = bars_of(ticker, 6)
        header = [words[0], *[form.format(t=ticker, f=word) for word in words[1:]]]
        return writer.text([header], writer.rows(lambda at: writer.bar(bars, at))), {ticker: bars}

    return write


def wide(others):
    def write(writer, ticker, words):
        panel = {one: bars_of(one, 7) for one in dict.fromkeys((ticker, *others))}
        rows = writer.rows(lambda at: [writer.number(bars["close"][at]) for bars in panel.values()])
        closes = {one: {"close": bars["close"]} for one, bars in panel.items()}
        return writer.text([[words[0], *panel]], rows), closes

    return write


def side_by_side(writer, ticker, words):
    panel = {one: bars_of(one, 8) for one in dict.fromkeys((ticker, "XYZ"))}
    rows = writer.rows(lambda at: [])
    for row, at in zip(rows, range(14, -1, -1) if writer.newest_first else range(15), strict=True):
        cells = [writer.number(bars["close"][at]) for bars in panel.values()]
        row[:] = [row[0], cells[0], "", row[0], *cells[1:]]
    header = [words[0], words[4], "", words[0], words[4]]
    closes = {one: {"close": bars["close"]} for one, bars in panel.items()}
    return writer.text([[ticker, "", "", "XYZ", ""], header], rows), closes


def with_turnover(writer, ticker, words):
    bars = bars_of(ticker, 9)

    def cells(at):
        turnover = writer.number(bars["close"][at] * bars["volume"][at])
        return [*writer.bar(bars, at), turnover]

    return writer.text([[*words, "Value"]], writer.rows(cells)), {ticker: bars}


def with_units(writer, ticker, words):
    bars = bars_of(ticker, 10)
    units = ["", *["USD"] * 4, "shares"]
    return writer.text([words, units], writer.rows(lambda at: writer.bar(bars, at))), {ticker: bars}


WRITERS = {
    "plain": plain,
    "long, Ticker": long("Ticker", 0),
    "long, symbol": long("symbol", 6),
    "long, Name": long("Name", 6),
    "yfinance": levels(("Price", "Ticker"), True),
    "pandas_datareader": levels(("Attributes", "Symbols"), True),
    "levels without labels": levels(("", ""), False),
    "tickers above fields": levels(("", ""), True, upper_is_field=False),
    "yfinance, several": many_levels,
    "T.Close": joined("{t}.{f}"),
    "Close_T": joined("{f}_{t}"),
    "tuples": joined("('{f}', '{t}')"),
    "T.Close alone": joined_alone("{t}.{f}"),
    "Close T alone": joined_alone("{f} {t}"),
    "wide": wide(("AAPL", "MSFT")),
    "wide, words": wide(("O", "C")),
    "wide, alone": wide(()),
    "side by side": side_by_side,
    "turnover": with_turnover,
    "units": with_units,
}


def agrees(history, bars):
    """Whether each field holds what was written, or nothing."""
    return all(
        np.isnan(getattr(history, field)).all() or np.array_equal(getattr(history, field), values)
        for field, values in bars.items()
    ) and np.array_equal(history.close, bars["close"])


@pytest.mark.parametrize("name", WRITERS)
def test_the_numbers_read_are_the_numbers_written(tmp_path, name):
    """No file is read with other numbers, dates or tickers; most are read."""
    read = written = 0
    styles = itertools.cycle(itertools.product(".,", (False, True), ENCODINGS))
    every = 1 if "FORECASTER_TORTURE" in os.environ else 5
    cases = list(itertools.product(TICKERS, LANGUAGES.items()))
    for ticker, (language, words) in cases[::every]:
        decimal, newest_first, encoding = next(styles)
        text, panel = WRITERS[name](Writer(decimal, newest_first), ticker, list(words))
        path = tmp_path / f"{ticker}.csv"
        try:
            path.write_bytes(text.encode(encoding))
        except UnicodeEncodeError:
            path.write_text(text, encoding="utf-8")
        loaded = read_file(str(path))
        written += 1
        read += len(loaded.panel) == len(panel)
        for history in loaded.panel:
            case = (ticker, language, decimal, newest_first, encoding, history.ticker)
            assert history.ticker in panel, case
            assert agrees(history, panel[history.ticker]), case
            assert np.array_equal(history.sessions, SESSIONS), case
    assert read > (0.2 if name == "wide, alone" else 0.5) * written, (read, written)
