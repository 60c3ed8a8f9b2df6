"""Reports as markup: what users and files bring is text, wherever it stands."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from jinja2 import UndefinedError
from page_parts import Page
from test_report_pages import BOX, PACKAGE, RESULT, drawn

from forecaster.jobs.backtest_document import BacktestSubject
from forecaster.jobs.report import ModelSubject
from forecaster.market.notes import Note
from forecaster.model.artifact import load
from forecaster.model.card import Retraining
from forecaster.model.registry import BOXED
from forecaster.output.html import environment, one_line
from forecaster.output.report.page import backtest_page, model_page

NASTY = "<script>alert(1)</script>\"'&\u202e\n</style>\ud800{{ 7*7 }}{% raw %}"


def test_text_from_users_is_never_markup():
    named = {name: NASTY if name == "random" else name for name in ("random", *RESULT.seconds)}
    assert RESULT.losses is not None
    result = replace(
        RESULT,
        table=replace(
            RESULT.table,
            rows=tuple(r.model_copy(update={"model": named[r.model]}) for r in RESULT.table.rows),
            verdicts=tuple(replace(v, model=NASTY) for v in RESULT.table.verdicts),
        ),
        losses=replace(
            RESULT.losses, pinball={named[k]: v for k, v in RESULT.losses.pinball.items()}
        ),
        seconds={NASTY: 1.0},
        notes=(Note(NASTY),),
        remarks=(NASTY,),
    )
    written = BacktestSubject(result, (NASTY,), None, NASTY, NASTY)
    model = load(BOXED)
    card = model.card.model_copy(
        update={
            "data": model.card.data.model_copy(update={"tickers": (NASTY,), "fingerprint": NASTY}),
            "packages": {NASTY: NASTY},
            "device": NASTY,
            "retrained": Retraining.model_construct(origin=NASTY, held_out_from=NASTY, epochs=4),
        }
    )
    strange = replace(model, name=NASTY, created=NASTY, card=card)
    (fan,) = drawn("FB")
    fan = replace(fan, ticker=NASTY, currency=NASTY)
    for text in (
        backtest_page(written),
        model_page(ModelSubject(strange, NASTY, BOX.table, BOX.losses), [fan], [(NASTY, NASTY)]),
    ):
        page = Page(text)
        assert page.open == []
        assert page.tags["script"] == 0
        assert text.count("</style>") == 1
        assert "\u202e" not in text
        assert text.encode()
        assert page.text.count("<script>alert(1)</script>") > 5
        assert page.text.count("</style>\ufffd{{ 7*7 }}{% raw %}") > 5
    assert 'datetime="&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;' in text


def test_elements_by_hand():
    elements = environment().get_template("elements.html").module
    number, moment = elements.number, elements.moment
    assert one_line(" a\n<b> \x07\u202e") == "a <b> ␇\ufffd"
    assert number(0.1 + 0.2, "-0.3") == '<data value="0.30000000000000004">−0.3</data>'
    assert number(7) == '<data value="7">7</data>'
    assert number(-1234.5, "{:,.2f}") == '<data value="-1234.5">−1,234.50</data>'
    assert number(None) == number(float("nan")) == number(float("inf")) == "–"
    assert elements.p_value(0.0002) == '<data value="0.0002">&lt;0.001</data>'
    at = "2026-01-31T23:30:00-01:00"
    shown = "2026-02-01 at 00:30 UTC"
    assert moment(at) == f'<time class="date" datetime="{at}">{shown}</time>'
    assert ">2026-01-31 at 12:00 UTC<" in moment("2026-01-31T12:00")
    assert moment("0001-01-01T00:00+05:00") == "0001-01-01T00:00+05:00"
    assert moment("<now>") == "&lt;now&gt;"


def test_markup_is_left_as_it_is_in_one_place_alone():
    """Where drawings are, which the program made."""
    sources = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".html", ".css")]
    unescaped = [
        f"{path.name}: {line.strip()}"
        for path in sources
        for line in path.read_text().splitlines()
        if re.search(r"\|\s*safe\b|Markup\b|markupsafe|autoescape(?!=True)", line)
    ]
    assert unescaped == ["elements.html: {{ svg|safe }}</div>"]


def test_a_name_that_a_page_lacks_is_an_error():
    with pytest.raises(UndefinedError, match="title"):
        environment().get_template("base.html").render(chosen=None, themes={})
