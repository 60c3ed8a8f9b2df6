"""Reports and pages of charts in a real browser: their numbers, their colours, their paper."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from browser import on_paper, show
from measured import BASELINES, document, scored
from selenium.webdriver.common.by import By

from forecaster.jobs.fan_chart import fans
from forecaster.jobs.report import read_backtest, read_model
from forecaster.jobs.risk import risk
from forecaster.joint.holdings import Holdings, Position
from forecaster.market.files.read import read_files
from forecaster.model.registry import BOXED
from forecaster.output.charts.backtest import backtest_picture
from forecaster.output.charts.fan import fan_picture
from forecaster.output.report.page import backtest_page, model_page

SAMPLE = BOXED.parents[3] / "sample_data"
NAMES = ("backtest", "losses", "model", "nasty", "plot", "plots", "tested")
ODD_NAME = "<b>&W</b>"
LONG_NAME = "<script>document.title='broken'</script>" + "W" * 80


@pytest.fixture(scope="module")
def result():
    return scored()


@pytest.fixture(scope="module")
def pages(result, tmp_path_factory) -> dict[str, Path]:
    """Every kind of page, on disk."""
    folder = tmp_path_factory.mktemp("pages")
    box = read_model(BOXED)
    written = read_backtest(json.dumps(document(result)).encode(), "b.json")
    histories = read_files([str(SAMPLE)]).panel.histories
    made = fans(box.model, histories, shown=120).fans
    strange = json.dumps(document(result)).replace('"random"', json.dumps(LONG_NAME))
    strange = strange.replace('"LONG"', json.dumps(LONG_NAME))
    contents = {
        "backtest": backtest_page(written),
        "losses": model_page(box, made[:1], risk=losses(box, histories)),
        "model": model_page(box, made[:2]),
        "nasty": backtest_page(read_backtest(strange.encode(), "b.json")),
        "plot": fan_picture(made[:1], box.model, "html", 1200).decode(),
        "plots": fan_picture(made, box.model, "html", 1200).decode(),
        "tested": backtest_picture(result, "html", 1200).decode(),
    }
    assert tuple(contents) == NAMES
    for name, text in contents.items():
        (folder / f"{name}.html").write_text(text)
    return {name: folder / f"{name}.html" for name in contents}


def losses(box, histories):
    """Of a portfolio with a holding of a strange name."""
    odd = replace(histories[0], ticker=ODD_NAME)
    held = (Position(ODD_NAME, 3.0, "shares"), Position("IBM", -1.0, "shares"),
            Position("CASH", 1000.0, "value", "USD"))  # fmt: skip
    return risk(box.model, Holdings(held), [odd, *histories[1:]], base="USD", draws=2000)


@pytest.fixture(scope="module")
def rows(result) -> dict[tuple[str, int], dict]:
    """What the JSON has for each model and step."""
    return {(r["model"], r["step"]): r for r in document(result)["rows"]}


@pytest.fixture(params=NAMES)
def page(request, pages) -> Path:
    return pages[request.param]


def test_nothing_is_said_fetched_or_run(chromium, page):
    show(chromium, page)
    assert chromium.get_log("browser") == []
    assert chromium.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert chromium.execute_script("return document.scripts.length") == 0
    assert chromium.title != "broken"
    assert chromium.title
    repeated = chromium.execute_script(
        "const seen = [...document.querySelectorAll('[id]')].map(e => e.id);"
        "return seen.filter((id, at) => seen.indexOf(id) !== at)"
    )
    assert repeated == []


@pytest.mark.parametrize("width", [400, 1200])
def test_a_page_never_scrolls_sideways_and_its_parts_do(chromium, page, width):
    show(chromium, page, width=width)
    inside, outside = chromium.execute_script(
        "return [document.documentElement.scrollWidth, innerWidth]"
    )
    assert outside == width
    assert inside <= width
    beyond = chromium.execute_script(
        "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.wide') &&"
        " e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 99))"
    )
    assert beyond == []
    hidden = chromium.execute_script(
        "return [...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth"
        " && getComputedStyle(e).overflowX !== 'auto').length"
    )
    assert hidden == 0
    drawings = chromium.execute_script(
        "return [...document.querySelectorAll('svg')].map(e => e.getBoundingClientRect().width)"
    )
    assert drawings
    assert min(drawings) >= (1000 if width == 1200 else 700)


def test_a_phone_shows_the_forecast_and_not_only_what_was_before_it(chromium, pages):
    show(chromium, pages["model"], width=400)
    for label in ("median", "95%", "5%"):
        ends = chromium.execute_script(
            "return [...document.querySelectorAll('header svg, #forecasts svg')].map(s =>"
            " [...s.querySelectorAll('text')].filter(t => t.textContent.startsWith(arguments[0]))"
            ".map(t => t.getBoundingClientRect()).map(b => [b.left, b.right]))",
            label,
        )
        assert len(ends) == 2
        for ((left, right),) in ends:
            assert left > 0
            assert right <= 400
    first = chromium.execute_script(
        "return document.querySelector('#plots svg').getBoundingClientRect().left"
    )
    assert first >= 0


def test_a_scrollbar_beside_the_page_cuts_no_caption(chromium, page):
    """The bars are hidden in tests, so a border of the root takes their room."""
    show(chromium, page, width=400)
    chromium.execute_script("document.documentElement.style.borderRight = '17px solid'")
    cut = chromium.execute_script(
        "return [...document.querySelectorAll('caption span')]"
        ".map(e => [e, e.closest('.wide') ?? document.body])"
        ".filter(([e, wide]) =>"
        " e.getBoundingClientRect().right > wide.getBoundingClientRect().right + 0.5)"
        ".map(([e]) => e.textContent)"
    )
    assert cut == []


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)``, WCAG 2."""
    parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_page_follows_its_reader_s_colours_and_is_readable_in_both(chromium, page):
    grounds = {}
    for scheme in ("light", "dark"):
        show(chromium, page, scheme=scheme)
        ground, *inks = chromium.execute_script(
            "const of = (e, what) => getComputedStyle(e)[what];"
            "return [of(document.body, 'backgroundColor'),"
            " ...[...document.querySelectorAll('h1, h2, p, th, td, dt, dd, small, figcaption')]"
            ".map(e => of(e, 'color')),"
            " ...[...document.querySelectorAll('svg text')].map(e => of(e, 'fill'))]"
        )
        grounds[scheme] = ground
        assert len(inks) > 10
        assert min(contrast(ground, ink) for ink in set(inks)) >= 4.5
    assert luminance(grounds["light"]) > 0.9
    assert luminance(grounds["dark"]) < 0.1


def test_paper_is_white_and_holds_all_of_it(chromium, page):
    show(chromium, page, scheme="dark")
    paper = on_paper(chromium)
    assert paper.startswith(b"%PDF")
    assert len(paper) > 10_000
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    view = {"width": 688, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
    ground, inside = chromium.execute_script(
        "return [getComputedStyle(document.body).backgroundColor,"
        " document.documentElement.scrollWidth]"
    )
    assert ground == "rgb(255, 255, 255)"
    if "nasty" not in page.name:
        assert inside <= 688  # A4 without its margins, in CSS pixels: no table is cut
    kept = chromium.execute_script(
        "return [...document.querySelectorAll('table, figure, tr')]"
        ".every(e => getComputedStyle(e).breakInside === 'avoid')"
    )
    assert kept
    together = chromium.execute_script(
        "return [...document.querySelectorAll('section')].flatMap(s => {"
        " const parts = [...s.children];"
        " const first = parts.findIndex(e => e.matches('.wide, figure, dl, ul'));"
        " return parts.slice(0, Math.max(first, 0)); })"
        ".every(e => getComputedStyle(e).breakAfter === 'avoid')"
    )
    assert together


class TestNumbers:
    """Each cell of a report's tables against the JSON that it was made from, both ways."""

    STEPS = (1, 5, 7)

    def cells(self, chromium, page: Path, name: str) -> dict[tuple[str, int], list[list[float]]]:
        """Model and step to the full numbers in each cell of a table, after the head."""
        show(chromium, page)
        groups = chromium.execute_script(
            "return [...document.querySelectorAll(`#${arguments[0]} tbody`)].map(b =>"
            " [...b.rows].map(r => [...r.cells].map(c => [c.textContent,"
            " [...c.querySelectorAll('data')].map(d => d.getAttribute('value'))])))",
            name,
        )
        found = {}
        for ((_, (step,)),), *lines in groups:
            for (model, none), *rest in lines:
                assert none == []
                found[model, int(step)] = [[json.loads(v) for v in values] for _, values in rest]
        return found

    def check(self, found, rows, expected) -> None:
        """The cells are those of the rows that are shown, in their order, with nothing between."""
        assert set(found) == {key for key in rows if key[1] in self.STEPS}
        for key, cells in found.items():
            wanted = [[v for v in cell if v is not None] for cell in expected(rows[key])]
            assert cells == wanted, key

    def test_errors(self, chromium, pages, rows):
        def expected(row):
            yield [row["n"]]
            yield [row["pinball"]]
            for b in BASELINES:
                yield [row["skill"].get(b), row["dm_p"].get(b)]

        self.check(self.cells(chromium, pages["backtest"], "errors"), rows, expected)

    def test_prices(self, chromium, pages, rows):
        def expected(row):
            for key in ("mae", "rmse", "mape", "direction"):
                yield [row[key]]
            for part in ("coverage", "width"):
                yield from ([value] for value in row[part].values())

        self.check(self.cells(chromium, pages["backtest"], "prices"), rows, expected)

    def test_tickers_won(self, chromium, pages, rows):
        def expected(row):
            return (row["tickers_won"].get(b, []) for b in BASELINES)

        self.check(self.cells(chromium, pages["backtest"], "won"), rows, expected)

    def test_calibration(self, chromium, pages, rows):
        def expected(row):
            return ([share] for share in row["calibration"].values())

        self.check(self.cells(chromium, pages["backtest"], "calibration"), rows, expected)

    def test_value_at_risk(self, chromium, pages, rows):
        found = self.cells(chromium, pages["backtest"], "risk")
        assert set(found) == {key for key in rows if key[1] == 1}
        for key, cells in found.items():
            wanted = []
            for level in rows[key]["var"].values():
                wanted += [[level["share"]], level["rejected"]]
            assert cells == wanted

    def test_no_number_of_a_row_that_is_shown_is_missing(self, chromium, pages, rows):
        show(chromium, pages["backtest"])
        shown = {
            float(e.get_attribute("value"))
            for e in chromium.find_elements(By.CSS_SELECTOR, "table data")
        }

        def numbers(value):
            if isinstance(value, dict | list):
                for part in value.values() if isinstance(value, dict) else value:
                    yield from numbers(part)
            elif isinstance(value, int | float):
                yield float(value)

        for (_, step), row in rows.items():
            if step in self.STEPS:
                assert set(numbers(row)) <= shown

    def test_what_is_seen_is_the_number_rounded(self, chromium, pages):
        """Percent where there is a percent sign; thousands have commas and minus is a minus."""
        show(chromium, pages["backtest"])
        pairs = chromium.execute_script(
            "return [...document.querySelectorAll('data')].map(d =>"
            " [d.value, d.textContent, d.closest('td') ? d.closest('table').id : '',"
            " d.closest('td')?.cellIndex])"
        )
        assert len(pairs) > 300
        for value, text, table, column in pairs:
            if text == "<0.001":
                assert 0 <= float(value) < 0.001
                continue
            plain = text.replace(",", "").replace("−", "-")
            number = float(plain.rstrip("%"))
            decimals = len(plain.rstrip("%").partition(".")[2])
            percent = (
                text.endswith("%") and not (table == "prices" and column in (3, 8, 9, 10))
            ) or (table in ("errors", "spread") and decimals == 4)
            found = float(value) * (100 if percent else 1)
            assert abs(abs(found) - abs(number)) <= 0.5001 * 10**-decimals, (value, text, table)
            if table:
                assert found * number >= 0

    def test_verdicts(self, chromium, pages, result):
        show(chromium, pages["backtest"])
        shown = chromium.execute_script(
            "return [...document.querySelectorAll('#verdicts td data, header .lede data')]"
            ".map(d => Number(d.value))"
        )
        for verdict in document(result)["verdict"]:
            assert verdict["p"] in shown
            assert verdict["skill"] in shown
