"""What holdings may lose, on the page of a model."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path

from page_parts import Page

from forecaster.jobs.report import read_model
from forecaster.jobs.risk import Risk, risk
from forecaster.joint.holdings import Holdings, Position, holdings_of_words
from forecaster.market.files.read import read_files
from forecaster.model.registry import BOXED
from forecaster.output.report.page import model_page

BOX = read_model(BOXED)
SAMPLE = BOXED.parents[3] / "sample_data"
NASTY = "<script>alert(1)</script>"


@functools.cache
def histories():
    return read_files([str(Path(SAMPLE))]).panel.histories


def of(*words: str) -> Risk:
    return risk(BOX.model, holdings_of_words(words), histories(), draws=2000)


def page_of(made: Risk) -> str:
    return model_page(BOX, (), (), None, made)


def test_every_number_is_on_the_page_in_all_digits():
    made = of("AAPL=10", "IBM=20", "CASH=1000")
    text = page_of(made)
    value = made.portfolio.value
    for step in made.steps:
        for level in step.levels:
            numbers = [
                level.value_at_risk, level.shortfall, level.value_at_risk / value,
                level.shortfall / value,
                *(other.value_at_risk / value for other in level.others.values()),
            ]  # fmt: skip
            for number in numbers:
                assert f'<data value="{json.dumps(float(number))}">' in text
    level = made.steps[0].levels[0]
    for share in level.shares[:2] / level.shortfall:
        assert f'<data value="{json.dumps(float(share))}">' in text
    shown = Page(text).text
    for words in ("3 holdings worth 9,362.90", "RiskMetrics VaR", "Losing more than 5%", "CASH",
                  "Diversification", "seen what came next"):  # fmt: skip
        assert (words in shown) == (words != "seen what came next")


def test_the_picture_has_a_panel_for_each_step_and_a_name_for_who_cannot_see_it():
    text = page_of(of("AAPL=10", "IBM=20"))
    assert 'aria-label="What 2 holdings may lose or win' in text
    for step in ("1 session ahead", "5 sessions ahead", "20 sessions ahead"):
        assert Page(text).text.count(step) >= 2


def test_one_holding_has_no_shares():
    shown = Page(page_of(of("AAPL=10"))).text
    assert "1 holding worth" in shown
    assert "Who makes the shortfall" not in shown


def test_weights_have_no_money():
    weights = Holdings((Position("AAPL", 0.6, "weight"), Position("IBM", 0.4, "weight")))
    shown = Page(page_of(risk(BOX.model, weights, histories(), draws=2000))).text
    assert "2 holdings by weight" in shown
    assert "VaR, price" not in shown


def test_small_holdings_are_counted_together():
    words = [f"AAPL={n}" if n == 1 else f"T{n}=1" for n in range(1, 30)]
    more = [replace(histories()[0], ticker=f"T{n}") for n in range(2, 30)]
    few = [replace(one, close=one.close / 1000) for one in more]
    made = risk(BOX.model, holdings_of_words(words), (*histories(), *few), draws=2000)
    assert "28 others" in Page(page_of(made)).text


def test_a_page_without_holdings_has_no_such_section():
    assert 'id="losses"' not in model_page(BOX)


def test_a_name_is_text():
    odd = replace(histories()[0], ticker=NASTY)
    held = Holdings((Position(NASTY, 1.0, "shares"), Position("IBM", 1.0, "shares")))
    text = page_of(risk(BOX.model, held, (odd, *histories()[1:]), draws=2000))
    assert NASTY not in text
    assert NASTY in Page(text).text
