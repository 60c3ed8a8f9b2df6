"""Pictures: what is in them, that nothing in them collides, and that they are always the same."""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
from boxes import extent
from synthetic import garch_history, random_model

from forecaster.errors import SettingsError
from forecaster.jobs.fan_chart import Fan, fans
from forecaster.market.bars import Panel, history_from_closes
from forecaster.model.settings import Settings
from forecaster.output.charts.canvas import Canvas, rows_apart
from forecaster.output.charts.fan import (
    date_labels,
    fan_ends,
    fan_figure,
    fan_picture,
    frame_of,
    label_price,
)
from forecaster.output.charts.figure import settled
from forecaster.output.charts.terminal import chart_width, fan_charts
from forecaster.output.charts.theme import DARK, LIGHT, THEMES, clipped, spread_out

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
LONG = garch_history("ACME", 200, seed=1)
MODEL = random_model(Settings(units=3, horizon=10, quantiles=LEVELS), Panel((LONG,)))


def history(ticker: str, count: int, price: float):
    """Weekdays from January 2024 with a wandering price."""
    days = np.arange(np.datetime64("2024-01-02"), np.datetime64("2024-01-02") + 2 * count + 7)
    moves = np.random.default_rng(count).normal(0, 0.02, count)
    return history_from_closes(
        ticker, days[np.is_busday(days)][:count], price * np.exp(np.cumsum(moves))
    )


def made(*histories, shown: int = 120, model=MODEL) -> tuple[Fan, ...]:
    return fans(model, histories, shown=shown).fans


def figure(drawn: tuple[Fan, ...], theme=LIGHT):
    return fan_figure(drawn, frame_of(drawn, MODEL), theme)


def test_shades_are_the_model_s_intervals_and_no_promise():
    meaning, *_ = frame_of(made(LONG), MODEL).foot
    assert meaning.startswith("Shaded: the model's 90% interval, darker its 50% interval; dashed")


@pytest.mark.parametrize(
    ("levels", "ends", "interval"),
    [
        ((0.1, 0.9), {"last", "90%", "10%"}, "80%"),
        ((0.01, 0.3, 0.5), {"median", "last", "1%"}, "1% to 50%"),
        ((0.5,), {"median", "last"}, ""),
    ],
)
def test_a_chart_names_no_level_twice_and_none_that_the_model_lacks(levels, ends, interval):
    model = random_model(Settings(units=3, horizon=10, quantiles=levels), Panel((LONG,)))
    drawn = made(LONG, model=model)
    assert set(fan_ends(drawn[0])) == ends
    shown = "\n".join(str(part) for part in fan_charts(drawn, model, 80))
    assert ("median" in shown) == ("━" in shown) == ("median" in ends)
    assert f"░ {interval}\n" in shown or not interval
    picture = fan_picture(drawn, model, "svg", 1200).decode()
    assert (">median" in picture) == ("median" in ends)
    assert (f"the model's {interval} interval" in picture) == bool(interval)


class TestFan:
    def test_it_holds_the_last_closes_and_begins_at_the_cutoff(self):
        (fan,) = made(LONG, shown=30)
        assert fan.closes == pytest.approx(LONG.close[-30:])
        assert not fan.adjusted
        assert fan.sessions[-1] == fan.cutoff == LONG.cutoff
        assert len(fan.ahead) == 10
        assert fan.median.shape == (11,)
        for band in fan.bands:
            assert band.low[0] == band.high[0] == fan.last_close == fan.median[0]
            assert np.all(band.low <= fan.median)
            assert np.all(fan.median <= band.high)
        assert [(b.low_level, b.high_level) for b in fan.bands] == [(0.05, 0.95), (0.25, 0.75)]

    def test_a_split_is_no_crash(self):
        halved = np.where(np.arange(200) < 190, 2.0, 1.0)
        split = replace(LONG, close=LONG.close * halved, adjusted=True)
        (fan,) = made(split, shown=30)
        assert fan.adjusted
        assert fan.closes == pytest.approx(LONG.close[-30:])
        assert "without splits" in frame_of([fan], MODEL).subtitle

    def test_an_earlier_date_shows_nothing_later(self):
        day = LONG.sessions[120]
        (fan,) = fans(MODEL, [LONG], shown=50, as_of=day).fans
        assert fan.sessions[-1] == day
        assert fan.closes == pytest.approx(LONG.close[71:121])
        assert fan.ahead[0] > day

    def test_a_model_with_other_levels_shows_all_that_they_span(self):
        odd = random_model(Settings(units=3, horizon=2, quantiles=(0.2, 0.5, 0.7)), Panel((LONG,)))
        (fan,) = made(LONG, model=odd)
        assert [(b.low_level, b.high_level) for b in fan.bands] == [(0.2, 0.7)]

    def test_one_session_is_no_line(self):
        with pytest.raises(SettingsError, match="shown is 1"):
            made(LONG, shown=1)


CASES = {
    "long": made(LONG),
    "five bars": made(history("NEW", 5, 33.0)),
    "two bars": made(history("TWO", 2, 33.0)),
    "under one": made(history("PENNY", 150, 0.00234)),
    "over 100,000": made(history("BRK-A", 150, 543210.0)),
    "long name": made(history("a_long_name_with_$dollars$_in_it_" * 4, 100, 12.0)),
    "flat": made(history_from_closes("FLAT", LONG.sessions[:40], np.full(40, 7.0))),
    "six": made(*(history(f"T{i}", 30 + 20 * i, 10.0 ** (i - 2)) for i in range(6))),
    "twelve": made(*(history(f"LONGTICKERNAME{i}", 40 + 20 * i, 10.0 ** (i / 2 - 2))
                     for i in range(12))),
}  # fmt: skip
each_case = pytest.mark.parametrize("drawn", CASES.values(), ids=CASES)


@each_case
def test_the_axes_hold_the_fan_and_the_history(drawn):
    with settled():
        shown = figure(drawn)
    assert len(shown.axes) == len(drawn)
    for axes, fan in zip(shown.axes, drawn, strict=True):
        low, high = axes.get_ylim()
        assert low < min(fan.closes.min(), *(b.low.min() for b in fan.bands))
        assert high > max(fan.closes.max(), *(b.high.max() for b in fan.bands))
        left, right = axes.get_xlim()
        assert left < 0
        assert right > len(fan.closes) + len(fan.ahead) - 1


@each_case
def test_dates_stand_below_their_sessions(drawn):
    with settled():
        shown = figure(drawn)
    for axes, fan in zip(shown.axes, drawn, strict=True):
        days = np.concatenate([fan.sessions, fan.ahead])
        texts = [t.get_text() for t in axes.get_xticklabels()]
        assert texts
        for place, text in zip(axes.get_xticks(), texts, strict=True):
            day = days[int(place)].astype(object)
            assert text in (f"{day:%b %Y}", f"{day.day} {day:%b}")


@each_case
@pytest.mark.parametrize("theme", THEMES)
def test_no_text_collides_with_another_or_leaves_the_picture(drawn, theme):
    with settled():
        shown = figure(drawn, THEMES[theme])
        shown.canvas.draw()
        renderer = shown.canvas.get_renderer()
        texts = [*shown.texts]
        for axes in shown.axes:
            texts += [*axes.texts, axes.yaxis.label]
            low, high = axes.get_ylim()
            ticks = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
            texts += [label for value, label in ticks if low <= value <= high]
            texts += axes.get_xticklabels()
        texts = [t for t in texts if t.get_text()]
        boxes = [extent(t, renderer) for t in texts]
    width, height = shown.get_size_inches() * shown.dpi
    for text, box in zip(texts, boxes, strict=True):
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
        assert inside, text.get_text()
    for (one, first), (two, second) in combinations(zip(texts, boxes, strict=True), 2):
        apart = (
            first.x1 <= second.x0 or second.x1 <= first.x0
            or first.y1 <= second.y0 or second.y1 <= first.y0
        )  # fmt: skip
        assert apart, (one.get_text(), two.get_text())


def test_the_collision_test_can_fail(monkeypatch):
    monkeypatch.setattr(
        "forecaster.output.charts.figure.spread_out", lambda wanted, *_: list(wanted)
    )
    with pytest.raises(AssertionError, match=r"median|last|%"):
        test_no_text_collides_with_another_or_leaves_the_picture(CASES["long"], "light")


@pytest.mark.parametrize(
    ("first", "count", "room", "expected"),
    [
        ("2012-09-10", 140, 10, ["Oct 2012", "Nov 2012", "Dec 2012", "Jan 2013", "Feb 2013",
                                 "Mar 2013"]),
        ("2012-09-10", 140, 3, ["Oct 2012", "Jan 2013"]),
        ("2001-04-02", 3000, 10, ["Jan 2002", "Jan 2004", "Jan 2006", "Jan 2008", "Jan 2010",
                                  "Jan 2012"]),
        ("2024-01-02", 5, 10, ["2 Jan", "3 Jan", "4 Jan", "5 Jan", "8 Jan"]),
    ],
)  # fmt: skip
def test_dates_are_as_round_as_the_span_is_long(first, count, room, expected):
    days = np.arange(np.datetime64(first), np.datetime64(first) + 2 * count)
    days = days[np.is_busday(days)][:count]
    assert date_labels(days, room)[1] == expected


class TestFiles:
    def test_png_has_the_width_that_was_asked_for_and_the_same_bytes_twice(self):
        one, two = (fan_picture(CASES["long"], MODEL, "png", 1500) for _ in range(2))
        assert one == two
        assert one[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">I", one[16:20]) == (1500,)

    @pytest.mark.parametrize("kind", ["svg", "html"])
    def test_svg_and_html_are_the_same_bytes_twice_and_say_what_a_reader_needs(self, kind):
        one, two = (fan_picture(CASES["long"], MODEL, kind, 1200) for _ in range(2))
        assert one == two
        text = one.decode()
        (fan,) = CASES["long"]
        for needed in (
            "ACME", str(fan.cutoff), "95%", "median", "last", MODEL.name, "investment advice",
            label_price(float(fan.median[-1])),
        ):  # fmt: skip
            assert needed in text
        assert "<script" not in text

    def test_svg_is_xml_of_the_width_that_was_asked_for(self):
        root = ElementTree.fromstring(fan_picture(CASES["long"], MODEL, "svg", 900))
        assert root.get("width") == "900"
        assert LIGHT.median in fan_picture(CASES["long"], MODEL, "svg", 900).decode()

    def test_a_page_follows_its_readers_theme_unless_one_was_chosen(self):
        page = fan_picture(CASES["long"], MODEL, "html", 1200).decode()
        assert "prefers-color-scheme: dark" in page
        assert f"--median: {DARK.median}" in page
        assert f"var(--median, {LIGHT.median})" in page
        dark = fan_picture(CASES["long"], MODEL, "html", 1200, "dark").decode()
        assert "prefers-color-scheme" not in dark
        on_screen, _, on_paper = dark.partition("@media print { :root")
        assert LIGHT.median not in on_screen
        assert LIGHT.median in on_paper

    def test_a_page_needs_nothing_else_and_a_ticker_cannot_write_into_it(self):
        bad = made(history("<script>alert(1)</script>\x01&", 30, 5.0))
        page = fan_picture(bad, MODEL, "html", 1200).decode()
        assert "<script" not in page
        assert not re.search(r'(src|href)="(?!#)', page)
        ElementTree.fromstring(fan_picture(bad, MODEL, "svg", 1200))


class TestLooks:
    def test_colours_of_a_theme_differ_and_stand_out_from_the_ground(self):
        for theme in THEMES.values():
            hues = [getattr(theme, name) for name in theme.__dataclass_fields__]
            assert len(set(hues)) == len(hues)
            for role in ("ink", "quiet"):
                assert contrast(getattr(theme, role), theme.ground) >= 4.5
            for role in ("history", "median", "last", "naive", "drift", "ewma", "garch", "har"):
                assert contrast(getattr(theme, role), theme.ground) >= 3.0, role
            assert contrast(theme.median, theme.inner) >= 3.0

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ([10.0, 50.0], [10.0, 50.0]),
            ([50.0, 10.0], [50.0, 10.0]),
            ([50.0, 50.0], [45.0, 55.0]),
            ([50.0, 52.0, 54.0], [42.0, 52.0, 62.0]),
            ([0.0, 1.0], [0.0, 10.0]),
            ([99.0, 100.0], [90.0, 100.0]),
        ],
    )
    def test_labels_move_apart_as_little_as_they_must(self, wanted, expected):
        assert spread_out(wanted, 10.0, 0.0, 100.0) == pytest.approx(expected)

    def test_labels_stay_apart_and_inside_wherever_they_want_to_be(self):
        rng = np.random.default_rng(0)
        for _ in range(200):
            wanted = rng.uniform(-20, 120, 6).tolist()
            found = spread_out(wanted, 10.0, 0.0, 100.0)
            assert np.all(np.diff(np.sort(found)) >= 10.0 - 1e-9)
            assert min(found) >= 0.0
            assert max(found) <= 100.0
            assert np.array_equal(np.argsort(found), np.argsort(wanted))

    def test_text_is_clipped_to_one_printable_line(self):
        assert clipped("abc\ndef\x00", 20) == "abc␊def␀"
        assert clipped("abcdef", 4) == "abc…"


def contrast(one: str, two: str) -> float:
    """Of two colours, as WCAG 2 has it."""

    def light(hue: str) -> float:
        parts = [int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


class TestTerminal:
    @pytest.mark.parametrize("width", [40, 59, 80, 120])
    @each_case
    def test_no_line_of_a_chart_is_wider_than_the_terminal(self, drawn, width):
        parts = [str(part) for part in fan_charts(drawn, MODEL, width)[:-4]]
        assert max(len(part) for part in parts) <= width
        joined = "\n".join(parts)
        for fan in drawn:
            assert str(fan.cutoff) in joined
            assert f"{fan.ahead[-1]}~" in joined
        for needed in ("95%", "5%", "median", "last", "░", "▒", "━"):
            assert needed in joined

    def test_a_line_rises_from_the_lower_left_to_the_upper_right(self):
        canvas = Canvas(4, 4, 0.0, 1.0)
        canvas.trace([0.0, 1.0], 0, 3)
        assert [str(line) for line in canvas.lines()] == ["   ⡼", "  ⡼⠁", " ⣰⠃", "⣰⠃"]

    def test_rows_are_each_their_own(self):
        assert rows_apart([3, 3, 3], 10) == [3, 4, 5]
        assert rows_apart([9, 9], 10) == [8, 9]

    def test_a_terminal_too_narrow_is_refused_and_a_pipe_never(self):
        with pytest.raises(SettingsError, match="39 columns wide; a chart needs at least 40"):
            chart_width(39, terminal=True)
        assert chart_width(40, terminal=True) == 40
        assert chart_width(400, terminal=False) == 80


def test_labels_of_a_price_that_hardly_moves_differ():
    (fan,) = made(LONG)
    still = 100 + 1e-4 * (fan.closes - fan.last_close)
    flat = replace(fan, closes=still, last_close=still[-1], median=still[-11:], bands=())
    lines = [str(part) for part in fan_charts([flat], MODEL, 80)]
    labels = [label for line in lines if "│" in line and (label := line.split("│")[0].strip())]
    assert len(set(labels)) == len(labels) > 3


@pytest.mark.parametrize("value", [0.0, 5e-324, 1e-300, 1e15, 1e300, 1e308])
def test_a_price_that_no_currency_has_leaves_the_chart_its_room(value):
    assert len(label_price(value)) < 12
