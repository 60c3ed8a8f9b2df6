"""What a reader of a report sees before any scrolling, and what is folded until asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import show
from measured import document, scored

from forecaster.evaluation.significance import skill_interval
from forecaster.jobs.fan_chart import fans
from forecaster.jobs.report import read_backtest, read_model
from forecaster.market.files.read import read_files
from forecaster.model.registry import BOXED
from forecaster.output.report.page import backtest_page, model_page
from forecaster.output.report.skill_chart import skill_chart

SAMPLE = BOXED.parents[3] / "sample_data"
NAMES = ("model", "bare", "backtest")


@pytest.fixture(scope="module")
def result():
    return scored()


@pytest.fixture(scope="module")
def pages(result, tmp_path_factory) -> dict[str, Path]:
    """A model with two forecasts, one without, and a backtest."""
    folder = tmp_path_factory.mktemp("pages")
    box = read_model(BOXED)
    histories = read_files([str(SAMPLE)]).panel.histories[:2]
    written = read_backtest(json.dumps(document(result)).encode(), "b.json")
    contents = {
        "model": model_page(box, fans(box.model, histories, shown=120).fans),
        "bare": model_page(box),
        "backtest": backtest_page(written),
    }
    for name, text in contents.items():
        (folder / f"{name}.html").write_text(text)
    return {name: folder / f"{name}.html" for name in contents}


def bottoms(chromium, selector: str) -> list[float]:
    return chromium.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(e =>"
        " e.getBoundingClientRect().bottom)",
        selector,
    )


@pytest.mark.parametrize("width", [360, 500, 1200])
def test_the_fan_and_the_verdict_are_on_the_first_screen(chromium, pages, width):
    show(chromium, pages["model"], width=width)
    (fan,) = bottoms(chromium, "header svg")
    assert fan < 900
    assert bottoms(chromium, "header .lede")[0] < 900
    words = chromium.find_element("css selector", "header figcaption strong").text
    assert words.startswith("In 20 sessions: half the time between")


@pytest.mark.parametrize("name", ["bare", "backtest"])
def test_without_a_forecast_the_skill_is_the_picture(chromium, pages, name):
    show(chromium, pages[name])
    assert bottoms(chromium, "header table.skills")[0] < 900
    assert chromium.find_elements("css selector", "header svg") == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [360, 500, 800, 1200])
def test_no_width_cuts_what_does_not_scroll(chromium, pages, name, width):
    show(chromium, pages[name], width=width)
    beyond = chromium.execute_script(
        "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.wide') &&"
        " e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 99))"
    )
    assert beyond == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [360, 1200])
def test_bars_lie_where_their_numbers_say(chromium, pages, name, width):
    show(chromium, pages[name], width=width)
    rows = chromium.execute_script(
        "return [...document.querySelectorAll('table.skills tbody tr')].map(r => {"
        " const box = e => e && (b => [b.left, b.right])(e.getBoundingClientRect());"
        " return [box(r.querySelector('.track')), box(r.querySelector('.zero')),"
        " box(r.querySelector('.bar')), box(r.querySelector('.dot')), r.className,"
        " [...r.querySelectorAll('data')].map(d => Number(d.value)),"
        " [...r.children].map(box)]})"
    )
    assert len(rows) >= 6
    scales = []
    for (left, right), (zero, _), bar, dot, word, numbers, cells in rows:
        assert left <= zero <= right
        assert cells[0][1] <= cells[1][0] + 0.5 <= cells[2][0] + 1
        middle = sum(dot) / 2
        assert left - 1 <= middle <= right + 1
        assert (middle >= zero - 1) == (numbers[0] >= -1e-4) or abs(numbers[0]) < 1e-3
        if bar is None:
            assert (word, len(numbers)) == ("unknown", 1)
            continue
        skill, low, high = numbers
        assert bar[0] - 1 <= middle <= bar[1] + 1
        assert (word == "ties") == (low <= 0 <= high)
        if bar[1] - bar[0] > 4 and left + 2 < bar[0] and bar[1] < right - 2:
            scales.append((bar[1] - bar[0]) / (high - low))
            assert middle - zero == pytest.approx(skill * scales[-1], abs=2)
    assert max(scales, default=1) == pytest.approx(min(scales, default=1), rel=0.25)


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_folded_on_a_screen_and_whole_on_paper(chromium, pages, name):
    show(chromium, pages[name])
    height = "return document.querySelector('#card details').getBoundingClientRect().height"
    assert chromium.execute_script(height) < 90
    chromium.find_element("css selector", "#card summary").click()
    assert chromium.execute_script(height) > 250
    show(chromium, pages[name])
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert chromium.execute_script(height) > 250


def test_what_scrolls_says_so_where_it_does(chromium, pages):
    hints = (
        "return [...document.querySelectorAll('.hint')].map(e => e.getBoundingClientRect().height)"
    )
    show(chromium, pages["model"], width=360)
    assert min(chromium.execute_script(hints)) > 0
    shades, sticky = chromium.execute_script(
        "const of = getComputedStyle, all = s => [...document.querySelectorAll(s)];"
        "return [all('div.wide:has(table)').map(e => of(e).backgroundAttachment),"
        " all('#errors tbody th:not(.group)').map(e => of(e).position)]"
    )
    assert set(shades) == {"local, local, scroll, scroll"}
    assert set(sticky) == {"sticky"}
    show(chromium, pages["model"], width=1200)
    assert max(chromium.execute_script(hints)) == 0


def test_an_interval_holds_zero_where_the_verdict_is_a_tie(result):
    chart = skill_chart(result.table)
    assert [w.verdict for p in chart.panels for w in p.whiskers] == sorted(
        result.table.verdicts, key=lambda v: (v.step, v.model)
    )
    for whisker in (w for p in chart.panels for w in p.whiskers):
        assert whisker.interval == skill_interval(whisker.verdict.skill, whisker.verdict.p)
        assert 0 <= whisker.start <= whisker.at <= whisker.start + whisker.width + 0.02 <= 100.05
        if whisker.interval:
            low, high = whisker.interval
            assert (whisker.verdict.word == "ties") == (low <= 0 <= high)
