"""Text from outside, as it may be shown."""

from __future__ import annotations

import unicodedata

import pytest

from forecaster.wording import span, visible, visible_lines

HIDDEN = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))] + list(
    "\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068"
    "\u2069\ufeff\ufdd0\ufff9\U000e0001\U000e0041\ud800\udc80\udfff"
)


@pytest.mark.parametrize("character", HIDDEN, ids=lambda c: f"U+{ord(c):04X}")
def test_what_cannot_be_seen_is_shown_as_one_character_that_can(character):
    shown = visible(f"a{character}b")
    assert (len(shown), shown[0], shown[-1]) == (3, "a", "b")
    assert shown.isprintable()
    shown.encode()


@pytest.mark.parametrize(
    "text",
    ["AAPL", "Ærø", "日本", "株\u3000価", "1\xa0204,50", "⣿▒│", "é", "می\u200cخواهم", "क्\u200dष"],
)
def test_letters_and_blanks_of_all_languages_stay(text):
    assert visible(text) == text


def test_nothing_that_unicode_calls_a_control_or_a_format_comes_through():
    every = "".join(map(chr, range(0x110000))).translate({0x200C: None, 0x200D: None})
    kinds = {unicodedata.category(c) for c in set(visible(every))}
    assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


@pytest.mark.parametrize(
    ("ends", "shown"), [((1, 1), "1"), ((1, 20), "1 to 20"), ((196, 3270), "196 to 3,270")]
)
def test_a_range_of_one_number_is_that_number(ends, shown):
    assert span(*ends) == shown


def test_lines_stay_lines():
    assert visible_lines("a\x1b[2J\nb\u2028c\n") == "a␛[2J\nb\ufffdc\n"
