"""The words that vendors put above their columns, and the role each one means.

A header is compared by its key: lower case, no accents, letters and digits only, so that
``Adj. Close``, ``adjClose`` and ``adj_close`` are one word. Within a role the earlier name wins
when a file has several: a ``close`` is better than a ``price``, and both better than an ``ltp``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ROLES = (
    "date",
    "ticker",
    "open",
    "high",
    "low",
    "close",
    "adjusted_close",
    "volume",
    "currency",
)
TIME = "time"
LONGEST_HEADER = 200


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMES: dict[str, str] = {
    "date": """
        date date1 tradedate tradingdate tradeday tradingday day exchangedate pricedate quotedate
        asofdate businessdate sessiondate session datum data fecha dato dzien jour seance
        datasesji datanotowania dtyyyymmdd yyyymmdd handelstag borsentag datetime dateandtime
        localdate dateutc dategmt timestamp begin beginsat snappedat opentime timeopen gmttime
        utctime localtime starttime candletime unix unixtimestamp unixtime epoch t ts 日期
        交易日期 日付 날짜 дата
    """,
    "ticker": """
        ticker symbol tic tickersymbol stocksymbol stockticker stockcode symbole simbolo kuerzel
        kurzel ric tsymbol secid security instrument stock asset coin pair scrip scripcode code
        tscode bloombergticker yahooticker name securityname companyname company nazwa
        instrumentname permno isin wkn 代码 股票代码 тикер
    """,
    "open": """
        open openprice openingprice opening priceopen pxopen openbid erster eroffnung eroeffnung
        eroffnungskurs eroeffnungskurs eroffn anfang otwarcie kursotwarcia ouverture ouv premier
        apertura abertura openingskoers oppningskurs apningskurs abne 开盘 开盘价 始値 시가 o
    """,
    "high": """
        high highprice highestprice highest dayhigh pricehigh pxhigh highbid hoch hochst hoechst
        hochstkurs hoechstkurs tageshoch tageshochst hochster najwyzszy najwyszy kursmax
        kursmaksymalny maks plushaut haut maximo maximum massimo hoogste hoog alta maxima hogst
        hogstakurs hoy max 最高 最高价 高値 고가 hi h
    """,
    "low": """
        low lowprice lowestprice lowest daylow pricelow pxlow lowbid tief tiefst tiefstkurs
        tagestief tiefster najnizszy najniszy kursmin kursminimalny plusbas bas minimo minimum
        laagste laag baixa minima lagst lagstakurs lav min 最低 最低价 安値 저가 lo l
    """,
    "close": """
        close closeprice closingprice closing priceclose closelast closebid tradeclose schluss
        schlusskurs zamkniecie kurszamkniecia zuletzt laatst ostatnio senaste
        cloture clot cierre chiusura
        fechamento slotkoers slot slutkurs stangningskurs pxlast pxclose lastprice last
        lasttrade settle settlement settlementprice settleprice price preis kurs letzter dernier
        ultimo ultimoprezzo prezzo precio preco koers dernierprix cours nav navprice
        value wert 收盘 收盘价 終値 종가 ltp c
    """,
    "adjusted_close": """
        adjclose adjustedclose adjcloseprice adjustedcloseprice closeadj closeadjusted
        adjclosingprice adjustedclosingprice adjustedprice adjprice adjlast closepriceadjusted
        bereinigterschlusskurs schlusskursbereinigt schlussbereinigt clotureajuste
        clotureajustee cierreajustado fechamentoajustado chiusuraaggiustata adjusted adj
    """,
    "volume": """
        stucke stuecke umsatzstuck umsatzstucke umsatzstueck volumestuck volumenstuck
        numberofshares noofshares sharesvolume sharevolume volumeshares shares totaltradedquantity
        tradedquantity tradedquantitynos ttltrdqnty quantity qty pxvolume volume totalvolume
        tradingvolume tradevolume tradedvolume volumetraded handelsvolumen volumen wolumen wol
        umsatz vol volym volumes omzet volumefrom tickvolume tickvol realvolume 成交量
        出来高 거래량 v
    """,
    "currency": """
        currency ccy curr currencycode wahrung waehrung waluta devise divisa moneda valuta
        munteenheid moeda
    """,
    TIME: "time hour uhrzeit zeit heure hora ora tijd godzina czas",
    "adjusted_open": "adjopen adjustedopen openadj openadjusted",
    "adjusted_high": "adjhigh adjustedhigh highadj highadjusted",
    "adjusted_low": "adjlow adjustedlow lowadj lowadjusted",
}
# Roles that a long panel's tickers can be mistaken for: C, O, V, L, LOW, MAX, ... are symbols too.
WEAK_KEYS = _words(
    "coin pair code tic c o h l v t hi lo low open last max min day adj vol price nav value high"
)
# Numeric columns that are never a ticker's closes, even under an upper-case header.
NOISE_KEYS = _words(
    """
        change chg netchange net pctchange changepct percentchange return returns dividend
        dividends div divcash exdividend splitratio splitfactor stocksplits splits capitalgains
        vwap average averageprice trades numtrades numberoftrades nooftrades turnover tradevalue
        marketcap openint openinterest oi spread per period prevclose previousclose prev bid ask
        index id no row deliverable amount amplitude obrot zmiana differenz veranderung
        variation rsi macd sma ema 52wh 52wl
    """
)
_LOOKUP: dict[str, tuple[str, int]] = {
    name: (role, rank) for role, names in _NAMES.items() for rank, name in enumerate(names.split())
}
_LETTERS = str.maketrans({"ł": "l", "Ł": "l", "ß": "ss", "ø": "o", "Ø": "o", "æ": "ae", "Æ": "ae"})
_NUMBERED = re.compile(r"^\s*\d{1,2}[a-z]?\.\s*(?=\D)")
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")


@lru_cache(maxsize=4096)
def key_of(header: str) -> str:
    """The header without case, accents, spaces and signs: ``Eröffnung`` -> ``eroffnung``."""
    letters = unicodedata.normalize("NFKD", _NUMBERED.sub("", header).translate(_LETTERS))
    kept = (letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", "".join(kept)).lower().translate(_NOT_ALNUM)


class _DropSigns(dict[int, int | None]):
    def __missing__(self, point: int) -> int | None:
        self[point] = point if chr(point).isalnum() else None
        return self[point]


_NOT_ALNUM = _DropSigns()


@lru_cache(maxsize=4096)
def role_of(header: str) -> tuple[str, int] | None:
    """The role that a header names and its rank there (0 is the best name), or None.

    Units in brackets are looked past when the whole header says nothing: ``Close (USD)`` is a
    close, while ``Umsatz (Stück)`` is known as it stands. A header with a percent sign names none.
    """
    if "%" in header or len(header) > LONGEST_HEADER:
        return None
    found = _LOOKUP.get(key_of(header))
    if found is None and ("(" in header or "[" in header):
        found = _LOOKUP.get(key_of(_BRACKETS.sub("", header)))
    return found


def roles_in(headers: list[str]) -> set[str]:
    """The distinct roles that a row of cells names, were it a header."""
    return {found[0] for found in map(role_of, headers) if found is not None}
