"""Price files written by tests, and what reading them gives."""

from forecaster.errors import DataError
from forecaster.market.files.read import DEFAULT_READ_OPTIONS, LoadResult, ReadOptions, read_files

DIALECTS = {
    "yahoo": (
        "Date,Open,High,Low,Close,Adj Close,Volume\n"
        "2020-01-02,10,11,9,10.5,9.5,1000\n2020-01-03,10.5,12,10,11.25,10.25,2000\n"
    ),
    "yahoo page": (
        'Date,Open,High,Low,"Close\n'
        ' Close price adjusted for splits.","Adj Close\n Adjusted.",Volume\n'
        '"Jan 3, 2020",10.5,12,10,11.25,10.25,"2,000"\n"Jan 2, 2020",10,11,9,10.5,9.5,"1,000"\n'
    ),
    "yfinance": (
        "Price,Adj Close,Close,High,Low,Open,Volume\nTicker,X1,X1,X1,X1,X1,X1\nDate,,,,,,\n"
        "2020-01-02,9.5,10.5,11,9,10,1000\n2020-01-03,10.25,11.25,12,10,10.5,2000\n"
    ),
    "stooq": (
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\r\n"
        "2020-01-02,10,11,9,10.5,1000\r\n2020-01-03,10.5,12,10,11.25,2000\r\n"
    ),
    "stooq ascii": (
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "X.US,D,20200102,000000,10,11,9,10.5,1000,0\n"
        "X.US,D,20200103,000000,10.5,12,10,11.25,2000,0\n"
    ),
    "metatrader": (
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        "2020.01.02\t10\t11\t9\t10.5\t1000\t0\t3\n2020.01.03\t10.5\t12\t10\t11.25\t2000\t0\t3\n"
    ),
    "metatrader without header": (
        "2020.01.02,00:00,10,11,9,10.5,1000\n2020.01.03,00:00,10.5,12,10,11.25,2000\n"
    ),
    "investing": (
        '\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"01/03/2020","11.25","10.50","12.00","10.00","2.00K","0.85%"\n'
        '"01/02/2020","10.50","10.00","11.00","9.00","1.00K","0.85%"\n'
        '"12/31/2019","10.50","10.00","11.00","9.00","1.00K","0.85%"\n'
    ),
    "investing, old": (
        '"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"Jan 03, 2020","11.25","10.50","12.00","10.00","2.00K","0.85"\n'
        '"Jan 02, 2020","10.50","10.00","11.00","9.00","1.00K","0.85"\n'
        '"","","","","","",""\n'
        '"","Highest:12","Lowest:9","Difference:3","Average:10","Change %:5.03"\n'
    ),
    "nasdaq": (
        "Date, Close/Last, Volume, Open, High, Low\n"
        "01/13/2020, $11.25, 2000, $10.50, $12.00, $10.00\n"
        "01/10/2020, $10.50, 1000, $10.00, $11.00, $9.00\n"
    ),
    "german": (
        "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen\n"
        "2020-01-03;10,50;12,00;10;11,25;2.000;20.123\n2020-01-02;10;11;9;10,5;1.000;9.456\n\n\n"
    ),
    "nordic": (
        "sep=;\nDate;Bid;Opening price;High price;Low price;Closing price;Total volume;Trades;\n"
        "2020-01-03;10,1;10,50;12,00;10,00;11,25;2 000;33;\n"
        "2020-01-02;10,1;10,00;11,00;9,00;10,50;1 000;33;\n"
    ),
    "nse": (
        "date,series,open,high,low,prev_close,ltp,close,vwap,volume,value\n"
        '2020-01-02,EQ,10,11,9,8,10.45,10.5,10.2,"1,000","6,01,305.85"\n'
        '2020-01-03,EQ,10.5,12,10,10.5,11.2,11.25,11.1,"2,000","17,08,56,105.5"\n'
    ),
    "tiingo": (
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash\n"
        "2020-01-02T00:00:00.000Z,10.5,11,9,10,1000,9.5,9,8,9,4000,0.0\n"
        "2020-01-03T00:00:00.000Z,11.25,12,10,10.5,2000,10.25,9,8,9,8000,0.0\n"
    ),
    "quandl": (
        ",Date,Open,High,Low,Close,Volume,ExDividend,AdjOpen,AdjHigh,AdjLow,AdjClose,Stock\n"
        "0,2020-01-03,10.5,12,10,11.25,2000.0,0.0,9,9,9,10.25,AAPL\n"
        "1,2020-01-02,10,11,9,10.5,1000.0,0.0,9,9,9,9.5,AAPL\n"
    ),
    "binance": (
        "open_time,open,high,low,close,volume,num_trades\n"
        "1577923200000,10,11,9,10.5,1000,3\n1578009600000,10.5,12,10,11.25,2000,3\n"
    ),
    "cryptodatadownload": (
        "https://www.CryptoDataDownload.com\n"
        "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD\n"
        "1578009600,2020-01-03 00:00:00,BTC/USD,10.5,12,10,11.25,2000,9\n"
        "1577923200,2020-01-02 00:00:00,BTC/USD,10,11,9,10.5,1000,9\n"
    ),
    "unnamed index": (
        ",Open,High,Low,Close,Volume\n"
        "2020-01-02,10,11,9,10.5,1000\n2020-01-03,10.5,12,10,11.25,2000\n"
    ),
    "quantmod": (
        '"","X.Open","X.High","X.Low","X.Close","X.Volume","X.Adjusted"\n'
        '"2020-01-02",10,11,9,10.5,1000,9.5\n"2020-01-03",10.5,12,10,11.25,2000,10.25\n'
    ),
    "boursorama": (
        "date\touv\thaut\tbas\tclot\tvol\tdevise\t\n"
        "13/01/2020 00:00\t10.5\t12\t10\t11.25\t2000\tEUR\t\n"
        "10/01/2020 00:00\t10\t11\t9\t10.5\t1000\tEUR\t\n"
    ),
    "mixed offsets": (
        "Datetime,Open,High,Low,Close,Volume\n2024-03-08 00:00:00-05:00,10,11,9,10.5,1000\n"
        "2024-03-11 00:00:00-04:00,10.5,12,10,11.25,2000\n"
    ),
}


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return str(path)


def read_file(path: str, options: ReadOptions = DEFAULT_READ_OPTIONS) -> LoadResult:
    """One file or folder, read."""
    return read_files([path], options)


def closes(tmp_path, text, name="X.csv", **options):
    """The one history of a file that must read without failures."""
    loaded = read_file(write(tmp_path, name, text), ReadOptions(**options))
    assert not loaded.failures, loaded.failures[0].error
    (history,) = loaded.panel
    return history


def failure(tmp_path, text, name="X.csv", **options):
    loaded = read_file(write(tmp_path, name, text), ReadOptions(**options))
    assert len(loaded.panel) == 0
    (failed,) = loaded.failures
    assert isinstance(failed.error, DataError)
    return str(failed.error)


def messages(loaded):
    return [note.message for note in loaded.notes]
