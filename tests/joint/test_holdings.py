from __future__ import annotations

import pytest

from forecaster.errors import DataError, SettingsError
from forecaster.joint.holdings import Holdings, holdings_of, read_holdings


def written(tmp_path, text, name="held.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def plain(holdings):
    return [(p.ticker, p.amount, p.unit) for p in holdings.positions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ticker,shares\nA,100\nB,-5.5\n", [("A", 100, "shares"), ("B", -5.5, "shares")]),
        ("symbol;value\nAAPL;1000\n", [("AAPL", 1000, "value")]),
        ("Ticker\tQuantity\nBRK-B\t3\n\n", [("BRK-B", 3, "shares")]),
        ("ticker,weight\nA,60%\nB,0.4\n", [("A", 0.6, "weight"), ("B", 0.4, "weight")]),
        ("ticker,shares,value\nA,2,\ncash,,500\n", [("A", 2, "shares"), ("CASH", 500, "value")]),
        ("ticker,shares\nA,1\nCASH,500\n", [("A", 1, "shares"), ("CASH", 500, "value")]),
        ("\ufeffname,ticker,shares\nApple,AAPL,1\n", [("AAPL", 1, "shares")]),
        ("ticker,shares\nA,1.000\n", [("A", 1, "shares")]),
        ("ticker;shares\nA;1.000\nB;2.5\n", [("A", 1, "shares"), ("B", 2.5, "shares")]),
        ("ticker;weight\nA;0.250\nB;0.750\n", [("A", 0.25, "weight"), ("B", 0.75, "weight")]),
        ("ticker;shares\nA;0.125\nB;12.500\n", [("A", 0.125, "shares"), ("B", 12.5, "shares")]),
        ("ticker;shares\nA;1.5000\n", [("A", 1.5, "shares")]),
    ],
)  # fmt: skip
def test_tables_are_read(tmp_path, text, expected):
    assert plain(read_holdings(written(tmp_path, text))) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with nothing"),
        ("ticker,shares\n", "no position"),
        ("AAPL,100\n", "header"),
        ("ticker,price\nA,1\n", "column shares"),
        ("ticker,shares,quantity\nA,1,1\n", "two columns of one kind"),
        ("ticker,value,currency,Currency\nA,1,EUR,USD\n", "one kind .currency and currency"),
        ("ticker,shares\nA,1\nA,2\n", "held twice"),
        ("ticker,shares\nA,\n", "no amount"),
        ("ticker,shares,value\nA,1,2\n", "shares and value"),
        ("ticker,shares\n,5\n", "no ticker"),
        ("ticker,shares\nA,abc\n", "no amount"),
        ('ticker,shares\nA,"1,000"\n', "signs of"),
        ("ticker;shares\nA;1,5\n", "no amount"),
        ("ticker,shares\nB,2,\nA,1,000\n", "row 3 has 3 cells, and the header has 2"),
        ("ticker,cost,shares\nA,1,5,10\n", "row 2 has 4 cells"),
        ("ticker\tshares\nA\t1.000\n", "row 2: '1.000' may be 1000 or 1;"),
        ("ticker;shares\nA;7\nB;-1.500\n", "row 3: '-1.500' may be -1500 or -1.5;.*-1.5000"),
        ("ticker,shares\nA,nan\n", "no amount"),
        ("ticker,shares\nA,inf\n", "no amount"),
        ("ticker,shares\nA,0\n", "other than 0"),
        ("ticker,weight\nA,0.5\nB,0.4\n", "add up to 0.9"),
        ("ticker,weight\nA,50\nB,50\n", "add up to 100.*percent sign"),
        ("ticker,weight\nA,0.5\nCASH,0.3\n", "CASH,0.5$"),
        ("ticker,weight\nA,0.5\n", "CASH,0.5$"),
        ("ticker,weight,shares\nA,0.5,\nB,,3\n", "weights for all"),
        ("ticker,value\nCASH,3\n", "all cash"),
        (b"ticker,shares\nA\xff,1\n", "no text"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read_holdings(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_holdings(str(tmp_path / "none.csv"))


class TestWords:
    def test_positions_then_sources(self):
        holdings, rest = holdings_of(["AAPL=100", "CASH=50", "EURUSD=X", "prices"])
        assert plain(holdings) == [("AAPL", 100, "shares"), ("CASH", 50, "value")]
        assert rest == ["EURUSD=X", "prices"]

    def test_a_file_then_sources(self, tmp_path):
        path = written(tmp_path, "ticker,shares\nA,1\n")
        holdings, rest = holdings_of([path, "A.csv"])
        assert (plain(holdings), rest) == ([("A", 1, "shares")], ["A.csv"])

    def test_a_file_whose_name_looks_like_a_position_is_a_file(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        written(tmp_path, "ticker,shares\nA,1\n", "A=1")
        assert plain(holdings_of(["A=1"])[0]) == [("A", 1, "shares")]

    def test_tickers_with_an_equals_sign(self):
        holdings, rest = holdings_of(["ES=F=2", "EURUSD=X=1000", "GC=F", "gbpusd=x", "a=b.csv"])
        assert holdings.tickers == ("ES=F", "EURUSD=X")
        assert rest == ["GC=F", "gbpusd=x", "a=b.csv"]

    @pytest.mark.parametrize(
        "words",
        [
            ["A=1", "A=2"],
            ["A=0"],
            ["CASH=5"],
            ["A=1,000"],
            ["A="],
            ["A=abc", "B=1"],
            ["A=1", "CASH=100EUR"],
            ["A=1", "B=10%"],
        ],
    )
    def test_refusals(self, words):
        with pytest.raises(DataError):
            holdings_of(words)

    def test_a_position_behind_a_source(self):
        with pytest.raises(SettingsError, match="IBM=5 comes after prices"):
            holdings_of(["AAPL=5", "prices", "IBM=5"])

    def test_nothing(self):
        with pytest.raises(SettingsError):
            holdings_of([])


def test_cash_in_two_currencies(tmp_path):
    text = "ticker,value,currency\nA,1,\nCASH,5,EUR\nCASH,5,usd\n"
    assert isinstance(read_holdings(written(tmp_path, text)), Holdings)
