"""Numbers that commas cut in two, hidden by a blank cell at the end of the row."""

from __future__ import annotations

import pytest

import forecaster
from forecaster.errors import DataError

CUT = {
    "thousands, no volumes": "Date,Close,Volume\n2024-02-05,4,942.81,\n2024-02-06,4,954.23,\n",
    "from a thousand on": "Date,Close,Volume\n2024-02-05,998.81,\n2024-02-06,1,005.06,\n",
    "a comma behind the header": "Date,Close,Volume,\n2024-02-05,4,942.81,\n2024-02-06,4,954.23,\n",
    "more columns": "Date,Close,Volume,Trades\n2024-02-05,4,942.81,,\n2024-02-06,4,954.23,,\n",
    "no name": "Date,Close,\n2024-02-05,4,942.81\n2024-02-06,4,954.23\n",
    "decimal commas": "Date,Close,\n2024-02-05,131,57\n2024-02-06,132,50\n",
    "decimal commas, no volumes": "Date,Close,Volume\n2024-02-05,131,57,\n2024-02-06,132,50,\n",
}
WHOLE = {
    "a comma behind all": "Date,Close,Volume\n2024-02-05,131.1,5700,\n2024-02-06,132,500,\n",
    "a thin stock": "Date,Close,Volume\n2024-02-05,19,3,\n2024-02-06,19,0,\n2024-02-07,132,7,\n",
    "a comma behind some": "Date,Close,Volume\n2024-02-05,19,310\n2024-02-06,132,200,\n",
    "flags without a name": "Date,Close,\n2024-02-05,131,0\n2024-02-06,132,1\n",
    "more behind it": "Date,Close,Volume,Trades,\n2024-02-05,131,570,12,\n2024-02-06,132,500,9,\n",
    "whole bars": (
        "Date,Open,High,Low,Close,Volume\n2024-02-05,131,132,130,131,500,\n"
        "2024-02-06,132,133,131,132,500,\n"
    ),
    "no name, nothing in it": "Date,Close,\n2024-02-05,131,\n2024-02-06,132,\n",
    "words without a name": "Date,Close,\n2024-02-05,131,up\n2024-02-06,132,\n",
    "between semicolons": "Date;Close;\n2024-02-05;131;57\n2024-02-06;132;57\n",
    "volumes": "Date,Close,Volume\n2024-02-05,131,570\n2024-02-06,132,500\n",
}


@pytest.mark.parametrize("text", CUT.values(), ids=CUT)
def test_a_number_cut_in_two_is_refused(tmp_path, text):
    path = tmp_path / "X.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="is two cells, and may be one number with a comma in it"):
        forecaster.read(path)


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_rows_with_a_blank_or_other_cell_behind_them_are_read(tmp_path, text):
    path = tmp_path / "X.csv"
    path.write_text(text)
    (history,) = forecaster.read(path)
    assert history.close[-1] == 132.0
