"""The vocabulary: what a header's words mean."""

import pytest

from forecaster.market.files.column_names import header_of, key_of


@pytest.mark.parametrize(
    "header",
    [
        "Adj Close",
        "adjClose",
        "adjusted_close",
        "Adj. Close",
        "AdjClose",
        "adj_close",
        "Adjusted Close",
        "5. adjusted close",
        "Adj Close**",
        "Close Adj",
    ],
)
def test_every_name_of_the_adjusted_close(header):
    assert header_of(header).role == "adjusted_close"


@pytest.mark.parametrize(
    ("role", "headers"),
    [
        ("date", "Date|<DATE>|Datum|Data|Fecha|timestamp|Exchange Date|open_time|snapped_at"),
        ("open", "Open|<OPEN>|Eröffnung|Otwarcie|Ouverture|Apertura|1. open|Erster|PX_OPEN"),
        ("high", "High|Tageshoch|Najwyższy|Najwyzszy|Plus Haut|Máximo|Hoogste"),
        ("low", "Low|Tagestief|Najniższy|Najnizszy|Plus Bas|Mínimo|Laagste"),
        (
            "close",
            "Close|Close/Last|Schlußkurs|Zamknięcie|Clôture|Cierre|PX_LAST|Price|Close (USD)",
        ),
        ("volume", "Volume|Vol.|Stücke|Wolumen|Volumen|Umsatz (Stück)|<VOL>|Number of Shares"),
        ("ticker", "Ticker|symbol|Stock|<TICKER>|unique_id|item_id|PERMNO|证券代码"),
        ("name", "Name|Company Name|Nazwa|名称"),
        ("currency", "Currency|Währung|Waluta|devise"),
    ],
)
def test_headers_with_and_without_accents(role, headers):
    for header in headers.split("|"):
        assert header_of(header).role == role, header


def test_headers_that_name_nothing():
    for header in (
        "prev_close",
        "series",
        "Change %",
        "vwap",
        "52wh",
        "",
        "no_of_trades",
        "%Close",
    ):
        assert header_of(header).role is None, header


def test_key_drops_accents_signs_and_case():
    assert key_of(" Eröffnungs-Kurs ") == "eroffnungskurs"
    assert key_of("Zamknięcie") == "zamkniecie"


@pytest.mark.parametrize(
    ("header", "symbol", "role_or_symbol"),
    [
        ("AAPL", True, False),
        ("^GSPC", True, False),
        ("C", False, True),
        ("LOW", False, True),
        ("Low", False, False),
        ("OPEN", False, True),
        ("RSI", False, False),
        ("Change %", False, False),
    ],
)
def test_headers_that_are_or_could_be_tickers(header, symbol, role_or_symbol):
    assert header_of(header).is_symbol is symbol
    assert header_of(header).is_role_or_symbol is role_or_symbol


def test_the_better_name_of_a_role_has_the_lower_rank():
    assert header_of("close").rank < header_of("Price").rank < header_of("LTP").rank
    assert [h.role for h in map(header_of, ("Volume BTC", "Unnamed: 0"))] == [None, None]
    assert header_of("Volume BTC").is_volume_of
    assert header_of("Unnamed: 0").is_unnamed


@pytest.mark.parametrize(
    ("role", "headers"),
    [
        (
            "open",
            "Precio apertura|Preço de Abertura|Prezzo di apertura|open_px|Trade Open|Opening Rate",
        ),
        ("high", "Max. Price|En Yüksek Fiyat|Maximum ár|Макс. цена|Prezzo massimo|HghPric|高"),
        ("low", "Min. Price|En Düşük Fiyat|Nejnižší cena|Мин. цена|Pret minim|LwPric|الأدنى"),
        ("close", "Precio de cierre|Pret inchidere|Závěrečná cena|close_px|ClsPric|收市|CLOSEP*"),
        ("volume", "Shares Traded|Stückzahl|成交張數|Deals Volume|TtlTradgVol|交易量|ปริมาณ"),
        ("date", "TradDt|Pricing Date|תאריך|التاريخ|วันที่"),
        ("ticker", "TckrSymb|SC_CODE|stock_id|symbol_id"),
    ],
)
def test_headers_of_exchanges_and_of_several_words(role, headers):
    for header in headers.split("|"):
        assert (header, header_of(header).role) == (header, role)


@pytest.mark.parametrize(
    "header",
    [
        "Prev Close Price",
        "Average price",
        "Target Price",
        "Price Change",
        "Bid price",
        "Price",
        "of",
    ],
)
def test_a_word_beside_price_is_no_close_unless_it_names_one(header):
    assert header_of(header).role in ({"close"} if header == "Price" else {None})
