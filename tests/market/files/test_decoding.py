"""Bytes as text: regional encodings, the user's word, and signs that nobody sees."""

import pytest
from price_files import closes, failure, read_file, write

from forecaster.errors import DataError, SettingsError
from forecaster.market.files.decoding import check_encoding, decode
from forecaster.market.files.read import ReadOptions

TABLES = {
    "gbk": "日期,股票代码,名称,收盘价\n2024-01-02,600519,贵州茅台,1650.5\n",
    "gb18030": "日期,股票代码,名称,收盘价\n2024-01-02,600519,贵州茅台,1650.5\n",
    "big5": "日期,close,備註\n2024-01-02,1650.5,台積電\n",
    "cp949": "날짜,시가,종가,거래량\n2024-01-02,1.5,1650.5,3\n",
    "cp932": "日付,始値,高値,安値,終値\n2024-01-02,1650.5,1650.5,1650.5,1650.5\n",
    "euc_jp": "日付,始値,高値,安値,終値\n2024-01-02,1650.5,1650.5,1650.5,1650.5\n",
    "cp1251": "дата;close;бумага\n2024-01-02;1650,5;Газпром\n",
    "koi8_r": "дата;close;бумага\n2024-01-02;1650,5;Газпром\n",
    "cp1250": "Data;Otwarcie;Najwyższy;Najniższy;Zamknięcie\n2024-01-02;1650,5;1651;1650;1650,5\n",
    "cp1252": "Datum;Eröffnung;Schluß;Stücke\n2024-01-02;1,5;1650,5;3\n",
    "cp850": "Datum;Eröffnung;Schlusskurs\n2024-01-02;1,5;1650,5\n",
    "mac_roman": "Datum;Eröffnung;Schlusskurs\n2024-01-02;1,5;1650,5\n",
}


@pytest.mark.parametrize("encoding", TABLES)
def test_the_encoding_that_makes_the_header_known_is_taken(tmp_path, encoding):
    text = TABLES[encoding]
    assert decode(text.encode(encoding), "x.csv") == text
    assert closes(tmp_path, text.encode(encoding)).close.tolist() == [1650.5]


def test_what_no_encoding_makes_known_is_refused_without_its_letters(tmp_path):
    data = "date,name,close\n2024-01-02,贵州茅台,1650.5\n".encode("gbk")
    message = failure(tmp_path, data)
    assert "is not UTF-8" in message
    assert 'letters of its tickers ("name")' in message
    assert "encoding gb18030" in message
    assert message.isascii()
    assert closes(tmp_path, data, encoding="gb18030").ticker == "贵州茅台"
    message = failure(tmp_path, data.replace(b"close", b"worth"))
    assert "no other encoding makes its header known" in message
    assert "Save it as UTF-8" in message


@pytest.mark.parametrize("encoding", ["cp1251", "gb18030", "euc_jp", "koi8_r"])
def test_letters_beside_a_known_header_and_plain_tickers_may_stay_unknown(tmp_path, encoding):
    text = "history\n\nTRADEDATE;SHORTNAME;SECID;CLOSE\n2024-01-03;Сбербанк;SBER;271.9\n"
    assert closes(tmp_path, text.encode(encoding)).ticker == "SBER"
    worse = text.replace("271.9", "271.9 руб")
    assert closes(tmp_path, worse.encode()).currency == "RUB"
    assert failure(tmp_path, worse.encode(encoding))


def test_letters_that_stand_alone_are_western():
    assert "Zürich" in decode("date,name,close\n2024-01-02,Zürich,1\n".encode("cp1252"), "x")
    assert "12,50 €" in decode("Datum;Kurs\n2024-01-02;12,50\xa0€\n".encode("cp1252"), "x")


def test_bytes_that_no_encoding_has():
    with pytest.raises(DataError, match="not UTF-8"):
        decode("Datum;Größe;Eröffnung\n".encode() + b"\xff\xfe\x81\x81\n", "x.csv")


def test_the_user_s_word_is_obeyed(tmp_path):
    data = "date,close\n2024-01-02,1650.5\n".encode("utf-16")
    assert closes(tmp_path, data, encoding="utf-16").close.tolist() == [1650.5]
    assert "is no text in ascii" in failure(tmp_path, TABLES["gbk"].encode(), encoding="ascii")


@pytest.mark.parametrize(
    ("name", "near"),
    [("gb1803", "gb18030"), ("utf9", "utf"), ("cp125", "cp125"), ("base64", ""), ("", "cp1252")],
)
def test_an_unknown_encoding_is_a_setting_error_with_names_that_work(tmp_path, name, near):
    path = write(tmp_path, "x.csv", "date,close\n2024-01-02,1.5\n")
    with pytest.raises(SettingsError, match="no known encoding") as error:
        read_file(path, ReadOptions(encoding=name))
    offered = str(error.value).split("for example encoding ")[1].rstrip(".")
    assert near in offered
    for other in offered.replace(" or ", ", ").split(", "):
        check_encoding(other)


def test_unseen_signs_spaces_and_figures_become_plain():
    text = "\u200eDate\u200f,Adj\u00a0Close\u00ad,\u2066V\u2069\n２０２４-٠١-۰۲,1\u202f234,๓\n"
    assert decode(text.encode(), "x") == "Date,Adj Close,V\n2024-01-02,1 234,3\n"


def test_formulas_of_one_text_are_that_text(tmp_path):
    once = 'Date,Close,Volume\n="2024-01-02",="1,234.5",="12"\n="2024-01-03",1235.5,="13"\n'
    twice = '"=""Date""","=""Close"""\n"=""2024-01-02""","=""1,234.5"""\n'
    assert closes(tmp_path, once).close.tolist() == [1234.5, 1235.5]
    assert closes(tmp_path, twice).close.tolist() == [1234.5]
    german = 'Datum;Kurs\n="02.01.2024";="1.234,5"\n'
    assert closes(tmp_path, german).close.tolist() == [1234.5]
