"""JSON and CSV for scripts."""

from __future__ import annotations

import io
import json

import pytest

from forecaster.output import format


def test_json_refuses_what_is_not_a_number():
    with pytest.raises(ValueError, match="not JSON compliant"):
        format.to_json({"schema": "x/1", "loss": float("nan")})


def test_json_keeps_letters_as_they_are_and_ends_with_a_newline():
    assert format.to_json({"ticker": "Ærø"}) == '{\n  "ticker": "Ærø"\n}\n'


def test_json_says_every_character_in_some_that_can_be_seen():
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    for text in ("".join(every), "\ud800", "a\udfffb"):
        written = format.to_json({text: [text]})
        assert json.loads(written) == {text: [text]}
        assert written.count("\n") == len(written.splitlines()) == 5
        assert written.replace("\n", "").isprintable()


def test_lines_of_json_are_lines_whatever_they_hold():
    file = io.BytesIO()
    odd = {"ticker": "a\u2028b\u2029c\x85d\x0be\nf\x7fg\x1bh"}
    format.write_lines(file, [odd, odd])
    lines = file.getvalue().decode().splitlines()
    assert [json.loads(line) for line in lines] == [odd, odd]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x"])
def test_text_that_would_be_a_formula_is_defused(cell):
    assert format.safe_cell(cell) == "'" + cell


@pytest.mark.parametrize(("cell", "shown"), [("\tx", "'␉x"), ("\nx", "'␊x"), ("\rx", "'␍x")])
def test_what_makes_a_formula_in_front_of_it_is_seen_too(cell, shown):
    assert format.safe_cell(cell) == shown


@pytest.mark.parametrize("cell", [-1.5, 3, None, True, "AAPL", "a-b", ""])
def test_numbers_and_plain_text_are_left_alone(cell):
    assert format.safe_cell(cell) is cell


def test_csv_quotes_what_needs_it():
    assert format.to_csv(["a", "b"], [["x,y", -1.5], ["=z", None]]) == ('a,b\n"x,y",-1.5\n\'=z,\n')


@pytest.mark.parametrize(("level", "key"), [(0.5, "0.5"), (0.05, "0.05"), (0.025, "0.025")])
def test_levels_are_keys_without_trailing_digits(level, key):
    assert format.level_key(level) == key
