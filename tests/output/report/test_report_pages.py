"""Reports as text: whole, escaped, alone, and with every number that is measured."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import replace
from html import escape

import pytest
from measured import PANEL, document, scored
from page_parts import Page

from forecaster.evaluation.verdict import judge
from forecaster.jobs.backtest import Plan
from forecaster.jobs.backtest_document import BacktestSubject, read_backtest
from forecaster.jobs.fan_chart import fans
from forecaster.jobs.report import ModelSubject, read_model
from forecaster.jobs.risk import risk
from forecaster.joint.holdings import holdings_of_words
from forecaster.market.files.read import read_files
from forecaster.model.registry import BOXED
from forecaster.output.format import remark_sentence
from forecaster.output.predict import ADVICE
from forecaster.output.report.page import backtest_page, model_page

HINDSIGHT = "The model has seen what came next, so this forecast is no fair test of it."
OLD = "Loss over time is not shown: this was written by an earlier version, which did not keep"
UNMEASURED = "Its errors were not measured: its data left no test part."


def read(result) -> BacktestSubject:
    return read_backtest(json.dumps(document(result)).encode(), "b.json")


RESULT = scored()
WRITTEN = read(RESULT)
BOX = read_model(BOXED)
PACKAGE = BOXED.parents[2]
SAMPLE = PACKAGE.parent / "sample_data"


def drawn(*names: str):
    histories = read_files([str(SAMPLE / f"{name}.csv") for name in names]).panel.histories
    return fans(BOX.model, histories, shown=120).fans


@functools.cache
def held(*words: str):
    histories = read_files([str(SAMPLE)]).panel.histories
    words = words or ("AAPL=10", "IBM=20", "CASH=1000")
    return risk(BOX.model, holdings_of_words(words), histories, draws=2000)


MAKERS = {
    "backtest": lambda: backtest_page(WRITTEN),
    "one": lambda: backtest_page(read(scored(("naive",), 1))),
    "model": lambda: model_page(BOX),
    "fans": lambda: model_page(BOX, drawn("AAPL", "FB"), [("GONE", "it is gone")]),
    "losses": lambda: model_page(BOX, (), (), None, held()),
    "unmeasured": lambda: model_page(ModelSubject(BOX.model, "m.forecast", None, None)),
    "light": lambda: model_page(BOX, (), (), "light"),
    "dark": lambda: backtest_page(WRITTEN, "dark"),
}


@functools.cache
def made(name: str) -> str:
    """A page as text, made once."""
    return MAKERS[name]()


@pytest.fixture(params=MAKERS)
def text(request) -> str:
    """Every one of them."""
    return made(request.param)


def test_a_page_is_well_formed_and_needs_nothing_else(text):
    page = Page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {link for link in page.links if not link.startswith("#")} == set()
    assert {link[1:] for link in page.links} <= set(page.ids)
    for tag in ("script", "link", "img", "a", "iframe", "object", "base", "form", "metadata"):
        assert page.tags[tag] == 0
    assert page.tags["style"] == 1
    assert "http" not in text.replace("http-equiv", "")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in text
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert ADVICE in page.text
    assert len(text.encode()) < 500_000
    assert "nan" not in re.findall(r'value="([^"]*)"', text)


def test_every_drawing_says_what_it_is(text):
    drawings = re.findall(r"<svg [^>]*>", text)
    assert len(drawings) == text.count("<svg")
    for drawing in drawings:
        assert 'role="img"' in drawing
        assert re.search('aria-label="[^"]{20,}"', drawing)


def test_what_a_backtest_says():
    page = Page(made("backtest"))
    for needed in (
        "Backtest of random", "beats", "Calibration", "Value at risk", "Kupiec", "How to read it",
        "Limits", "seen all of this test", str(RESULT.folds[0].cutoff), "LONG, OTHER", "b.json",
        "Settings of the networks", "Units in each layer", PANEL.fingerprint, f"{PANEL.bars}",
    ):  # fmt: skip
        assert " ".join(needed.split()) in page.text, needed
    assert page.tags["svg"] == 2
    assert OLD not in page.text


def test_a_backtest_of_a_saved_model_says_which():
    assert RESULT.model is not None
    assert f"<dt>Model</dt><dd>random, <code>{RESULT.model.id}</code></dd>" in made("backtest")
    fitted = replace(WRITTEN, result=replace(RESULT, model=None))
    assert "<dt>Model</dt>" not in backtest_page(fitted)


def test_that_a_model_has_seen_its_test_is_said_before_any_verdict_and_once():
    assert RESULT.hindsight is not None
    text = made("backtest")
    said = f'<p class="doubt">{escape(remark_sentence(RESULT.hindsight))}</p>'
    assert text.index(said) < text.index('class="lede"') < text.index("</header>")
    assert text.count(said) == 1
    other = replace(RESULT, hindsight=None, remarks=("suspicious: something else.",))
    fair = backtest_page(replace(WRITTEN, result=other))
    assert 'class="doubt"' not in fair[: fair.index("</header>")]
    assert '<p class="doubt">suspicious: something else.</p>' in fair


def test_how_a_backtest_was_made_where_that_is_not_the_usual():
    plain = Page(made("backtest")).text
    plan = Plan(folds=3, refit="never", stride=5, seeds=2, cells=("lstm", "rnn"))
    other = Page(backtest_page(replace(WRITTEN, result=replace(RESULT, plan=plan)))).text
    for said in ("at the first cutoff", "all but one in 5", "quantiles averaged", "lstm, rnn"):
        assert said in other
        assert said not in plain


def test_what_a_model_says():
    page = Page(made("model"))
    for needed in (
        "sample", BOX.model.id, "12,154", BOX.model.card.data.fingerprint, "2011-04-15",
        "keras 3.", "Learning rate", "0.003", "1%, 2.5%, 5%", "on every session", "11,992", "Seed",
        "AAPL, FB, GOOG, IBM, MSFT", "Limits",
    ):  # fmt: skip
        assert needed in page.text, needed
    assert "Window lengths" not in page.text
    assert page.tags["svg"] == 3


def test_a_model_that_was_not_measured_says_so_and_shows_no_errors():
    page = Page(made("unmeasured"))
    assert UNMEASURED in page.text
    assert page.tags["svg"] == 1  # of its epochs
    assert 'id="errors"' not in made("unmeasured")
    assert "How to read it" not in page.text


def test_what_was_not_measured_has_no_limits_of_its_measurement():
    assert "Errors were measured on" in Page(made("model")).text
    said = Page(made("unmeasured")).text
    assert "Errors were measured on" not in said
    assert "Comparisons were made" not in said


def test_only_what_is_on_the_page_is_explained():
    def reading(text: str) -> str:
        return Page(
            text[text.index('<section id="reading">') : text.index('<section id="limits">')]
        ).text

    whole = reading(made("backtest"))
    for name in (
        "direction",
        "in 50%, 80%, 90%",
        "value at risk",
        "Diebold–Mariano",
        "half a year",
    ):
        assert name in whole
    assert "Calibration and value at risk" in made("backtest")
    rows = tuple(
        r.model_copy(
            update={
                "var": {},
                "coverage": {"0.8": 0.8},
                "width": {"0.8": 2.0},
                "direction": None,
                "dm_p": dict.fromkeys(r.dm_p),
            }
        )
        for r in RESULT.table.rows
    )  # fmt: skip
    bare = backtest_page(
        replace(WRITTEN, result=replace(RESULT, table=replace(RESULT.table, rows=rows)))
    )
    assert "value at risk" not in Page(bare).text.lower()
    for name in ("direction", "50%", "90%", "Diebold"):
        assert name not in reading(bare)
    assert "in 80%" in reading(bare)
    rows = tuple(r.model_copy(update={"coverage": {}, "width": {}}) for r in rows)
    bare = backtest_page(
        replace(WRITTEN, result=replace(RESULT, table=replace(RESULT.table, rows=rows)))
    )
    assert "inside that interval" not in reading(bare)


def test_a_coin_is_a_yardstick_one_session_ahead_alone():
    assert "share of rising prices is the yardstick" in Page(made("backtest")).text
    assert "compare with the baselines’ rows" in Page(made("backtest")).text
    one = Page(made("one")).text
    assert "One session ahead 50% is a coin toss" in one
    assert "yardstick" not in one


def test_the_caption_over_time_names_the_lines_that_are_drawn():
    said = Page(made("backtest")).text
    assert "than that of naive, ewma, garch and har, month by month" in said
    assert "than that of naive, month by month" in Page(made("one")).text
    assert RESULT.losses is not None
    few = "Months with fewer than 10 sessions are left out."
    assert (few in said) == bool((RESULT.losses.sessions < 10).any())
    whole = replace(RESULT.losses, sessions=RESULT.losses.sessions + 10)
    assert few not in backtest_page(replace(WRITTEN, result=replace(RESULT, losses=whole)))


def test_one_session_is_no_sessions():
    settings = replace(BOX.model.settings, horizon=1)
    model = replace(BOX.model, settings=settings)
    assert "network for the next session, " in Page(model_page(replace(BOX, model=model))).text
    assert "network for the next 20 sessions, " in Page(made("model")).text


def test_documents_and_cards_without_months_say_so():
    for text, drawn_too in (
        (backtest_page(replace(WRITTEN, result=replace(WRITTEN.result, losses=None))), 1),
        (model_page(replace(BOX, losses=None)), 2),  # calibration, and for a model its epochs
    ):
        page = Page(text)
        assert OLD in page.text
        assert page.tags["svg"] == drawn_too


def test_a_fan_ends_where_the_forecast_does():
    page = Page(made("fans"))
    assert page.tags["svg"] == 5
    for fan in drawn("AAPL", "FB"):
        for value in (fan.last_close, fan.median[-1], fan.bands[0].low[-1], fan.bands[0].high[-1]):
            assert f'<data value="{json.dumps(float(value))}">{value:.2f}</data>' in made("fans")
        assert f"{fan.ticker} {fan.last_close:.2f} on {fan.cutoff}" in page.text
    assert "GONE is not here: it is gone" in page.text
    assert HINDSIGHT not in page.text
    (fan,) = drawn("FB")
    bare = Page(model_page(BOX, [replace(fan, median=None)])).text
    assert "the median leads" not in bare
    assert "the forecast reaches" in bare
    alone = Page(model_page(BOX, [replace(fan, bands=())])).text
    assert "direction is hardly forecast" not in alone
    early = [replace(f, cutoff=f.cutoff - 30) for f in drawn("FB")]
    assert HINDSIGHT in Page(model_page(BOX, early)).text


def test_an_interval_is_the_model_s_and_stands_beside_how_often_it_held():
    assert BOX.table is not None
    (last,) = [r for r in BOX.table.rows if (r.model, r.step) == ("gru", 20)]
    text = made("fans")
    held = f"{100 * last.coverage['0.9']:.1f}%"
    said = (
        r"the model’s 90% interval is then \S+ to \S+ \(which held (\S+) of held-out prices, (\d+)"
    )
    assert re.findall(said, Page(text).text) == [(held, "20")] * 2
    assert "probability" not in Page(text).text
    short = replace(BOX.table, rows=tuple(r for r in BOX.table.rows if r.step <= 5))
    near = Page(model_page(replace(BOX, table=short), drawn("FB"))).text
    assert "of held-out prices, 5 sessions ahead)" in near
    bare = tuple(r.model_copy(update={"coverage": {"0.5": 0.5}}) for r in BOX.table.rows)
    for table in (None, replace(BOX.table, rows=bare)):
        unmeasured = Page(model_page(replace(BOX, table=table), drawn("FB"))).text
        assert "(how often it holds was not measured)" in unmeasured


def test_a_loss_and_a_comparison_without_a_test_have_words_of_their_own():
    verdicts = (
        judge("gru", "naive", 1, -0.031, 0.01),
        judge("gru", "ewma", 1, 0.02, None),
    )
    assert BOX.table is not None
    text = Page(model_page(replace(BOX, table=replace(BOX.table, verdicts=verdicts)))).text
    assert "▼ loses to naive by 3.1%; cannot be told" in text
    assert "cannot be told from ewma by so few sessions" in text


def test_what_was_not_tested_is_no_tie():
    names = ("naive", "drift", "ewma")
    verdicts = tuple(judge("random", b, 1, 0.02, None) for b in names)
    rows = tuple(r.model_copy(update={"dm_p": dict.fromkeys(r.dm_p)}) for r in RESULT.table.rows)

    def page(tickers: int) -> str:
        table = replace(RESULT.table, rows=rows, verdicts=verdicts, tickers=tickers)
        return Page(backtest_page(replace(WRITTEN, result=replace(RESULT, table=table)))).text

    n = rows[0].n
    assert f"naive: not tested ({n} sessions)" in page(1)
    text = page(2)
    assert f"drift: not tested ({n} forecasts of 2 tickers)" in text
    assert "random cannot be told from naive, drift or ewma by so few sessions." in text
    assert text.count("so few sessions") == 1
    assert "● ties" not in text
    assert "p –" not in text
    assert "p is below" not in text


def test_a_theme_that_was_asked_for_is_the_only_one_on_a_screen():
    assert "prefers-color-scheme" in made("model")
    assert "prefers-color-scheme" not in made("light")
    assert "color-scheme: dark; --ground: #14171c" in made("dark")
    for text in map(made, MAKERS):
        assert "@media print { :root { color-scheme: light; --ground: #ffffff" in text


def test_the_same_subject_gives_the_same_page():
    assert backtest_page(WRITTEN) == made("backtest")
    assert len(PANEL) == 2
