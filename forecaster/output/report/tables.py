"""Tables of a report: every number of the rows that are shown, with all its digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from forecaster.documents import ScoreRow
from forecaster.evaluation.scores import ScoreTable
from forecaster.evaluation.verdict import Verdict
from forecaster.jobs.backtest import Spread
from forecaster.output.format import price, shown_rows
from forecaster.output.html import Line, data, paragraph, table, words

Groups = list[tuple[str, list[Line]]]

MARKS = {"beats": "▲", "ties": "●", "loses to": "▼"}


def ahead(step: int) -> str:
    """How far ahead, as markup."""
    return f"{data(step, str(step))} session{'s' if step > 1 else ''} ahead"


def share(value: float | None, decimals: int = 1) -> str:
    """A share in percent."""
    return data(value, "" if value is None else f"{100 * value:.{decimals}f}%")


def skill(value: float | None) -> str:
    """A share in percent with its sign."""
    return data(value, "" if value is None else f"{100 * value:+.1f}%")


def p_value(value: float | None) -> str:
    """A p-value; what is far below any level is not spelled out."""
    if value is None:
        return "–"
    return data(value, "<0.001" if value < 0.001 else f"{value:.3f}")


def loss(value: float) -> str:
    """Pinball loss in percent of the price."""
    return data(value, f"{100 * value:.4f}")


def _grouped(
    scores: ScoreTable, rows: Sequence[ScoreRow], cells: Callable[[ScoreRow], Sequence[str]]
) -> Groups:
    """A group of lines for each step, the networks' standing out."""
    baselines = scores.baselines
    groups: dict[int, list[Line]] = {}
    for row in rows:
        line = Line([words(row.model), *cells(row)], own=row.model not in baselines)
        groups.setdefault(row.step, []).append(line)
    return [(ahead(step), lines) for step, lines in groups.items()]


def errors(scores: ScoreTable) -> str:
    """Loss, and skill over each baseline with the p-value of the difference."""
    baselines = scores.baselines

    def cells(row: ScoreRow) -> Iterator[str]:
        yield data(row.n, f"{row.n:,}")
        yield loss(row.pinball)
        for baseline in baselines:
            if baseline == row.model:
                yield "–"
                continue
            p = row.dm_p[baseline]
            how = "" if p is None else f"<small>p {p_value(p)}</small>"
            yield f"{skill(row.skill[baseline])}{how}"

    heads = ["model", "forecasts", "pinball", *(f"over {b}" for b in baselines)]
    caption = (
        "Pinball loss in percent of the price; skill over each baseline, and the p-value of the"
        " Diebold–Mariano test of the difference."
    )
    groups = _grouped(scores, shown_rows(scores), lambda row: list(cells(row)))
    return table("errors", caption, heads, groups)


def prices(scores: ScoreTable) -> str:
    """Errors of the median as a price, direction, and the intervals."""
    rows = shown_rows(scores)
    coverage = list(dict.fromkeys(key for row in rows for key in row.coverage))
    widths = list(dict.fromkeys(key for row in rows for key in row.width))

    def cells(row: ScoreRow) -> list[str]:
        return [
            data(row.mae, price(row.mae)),
            data(row.rmse, price(row.rmse)),
            data(row.mape, f"{row.mape:.2f}%"),
            share(row.direction),
            *(share(row.coverage.get(key)) for key in coverage),
            *(_percent(row.width.get(key)) for key in widths),
        ]

    heads = ["model", "MAE", "RMSE", "MAPE", "direction"]
    heads += [f"in {100 * float(key):g}%" for key in coverage]
    heads += [f"width {100 * float(key):g}%" for key in widths]
    caption = (
        "The median as a price forecast; how often the price was inside an interval, and how wide"
        " that is in percent of the price."
    )
    return table("prices", caption, heads, _grouped(scores, rows, cells))


def _percent(value: float | None) -> str:
    return data(value, "" if value is None else f"{value:.2f}%")


def tickers_won(scores: ScoreTable) -> str:
    """On how many tickers the loss is lower than each baseline's."""
    baselines = scores.baselines

    def won(row: ScoreRow, baseline: str) -> str:
        if baseline not in row.tickers_won:
            return "–"
        count, of = row.tickers_won[baseline]
        return f"{data(count, str(count))} of {data(of, str(of))}"

    caption = "On how many tickers the loss is lower than the baseline's."
    groups = _grouped(scores, shown_rows(scores), lambda row: [won(row, b) for b in baselines])
    return table("won", caption, ["model", *(f"over {b}" for b in baselines)], groups)


def calibration(scores: ScoreTable) -> str:
    """Nominal levels across, models down: how often the price was below."""
    rows = shown_rows(scores)
    levels = list(dict.fromkeys(key for row in rows for key in row.calibration))
    caption = "Share of prices below each quantile; the heads say what it should be."
    groups = _grouped(scores, rows, lambda row: [share(row.calibration.get(q)) for q in levels])
    return table(
        "calibration", caption, ["model", *(f"{100 * float(q):g}%" for q in levels)], groups
    )


def value_at_risk(scores: ScoreTable) -> str:
    """Exceedances of the low quantiles one session ahead; empty where none were measured."""
    rows = [row for row in scores.rows if row.var]
    levels = list(dict.fromkeys(level for row in rows for level in row.var))
    if not rows:
        return ""

    def cells(row: ScoreRow) -> Iterator[str]:
        for level in levels:
            if level not in row.var:
                yield from ("–", "–")
                continue
            below, rejected = row.var[level].share, row.var[level].rejected
            yield share(below if isinstance(below, float) else None, 2)
            count, of = rejected if isinstance(rejected, tuple) else (0, 0)
            yield f"{data(count, str(count))} of {data(of, str(of))}"

    heads = ["model"]
    for level in levels:
        heads += [f"below {100 * float(level):g}%", "rejected on"]
    caption = (
        "Value at risk: how often the price fell below its low quantile, and on how many tickers"
        " Kupiec’s test rejects that share."
    )
    groups = _grouped(scores, rows, lambda row: list(cells(row)))
    return table("risk", caption, heads, groups)


def listed(names: Sequence[str], last: str) -> str:
    """Names in a sentence, with a word before the last one."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def opening(scores: ScoreTable) -> str:
    """What each network beats, ties with and loses to, in plain sentences."""
    found = scores.verdicts
    if not found:
        return paragraph("Nothing could be compared.", "lede")
    sentences = []
    for model, step in dict.fromkeys((v.model, v.step) for v in found):
        own = [v for v in found if (v.model, v.step) == (model, step)]
        said = [_compared(v) for v in own if v.p is not None]
        untested = [words(v.baseline) for v in own if v.p is None]
        if untested:
            said.append(f"cannot be told from {listed(untested, 'or')} by so few sessions")
        start = f"{ahead(step)}, <strong>{words(model)}</strong>"
        sentences.append(paragraph(f"{start} {listed(said, 'and')}.", "lede"))
    if any(verdict.p is not None for verdict in found):
        note = "A difference is called one where p is below 0.05 (Diebold–Mariano test)."
        sentences.append(paragraph(note, "quiet"))
    return "".join(sentences)


def _compared(verdict: Verdict) -> str:
    """One comparison that was tested; a tie has no size worth naming."""
    name = words(verdict.baseline)
    how = f"p&nbsp;{p_value(verdict.p)}"
    if verdict.word == "ties":
        return f"{mark(verdict)} {name} ({how})"
    size = data(verdict.skill, f"{100 * abs(verdict.skill):.1f}%")
    return f"{mark(verdict)} {name} by {size} ({how})"


def verdicts(scores: ScoreTable) -> str:
    """One row for each comparison; what was not tested has no verdict."""
    groups: dict[tuple[str, int], list[Line]] = {}
    for verdict in scores.verdicts:
        name = words(verdict.baseline)
        says = f"{mark(verdict)} {name}"
        if verdict.p is None:
            says = f"{name}: not tested{_amount(scores, verdict)}"
        cells = [says, skill(verdict.skill), p_value(verdict.p)]
        groups.setdefault((verdict.model, verdict.step), []).append(Line(cells))
    named = [(f"{words(model)}, {ahead(step)}", lines) for (model, step), lines in groups.items()]
    caption = "A difference counts where its p-value is below 5%; everything else is a tie."
    if any(verdict.p is None for verdict in scores.verdicts):
        caption += " Too few sessions cannot be tested, which is no tie."
    return table("verdicts", caption, ["verdict", "skill", "p"], named)


def _amount(scores: ScoreTable, verdict: Verdict) -> str:
    """On how much a comparison rests: sessions of one ticker, or forecasts of several."""
    counts = {(row.model, row.step): row.n for row in scores.rows}
    n = counts.get((verdict.model, verdict.step))
    if n is None:
        return ""
    if scores.tickers == 1:
        return f" ({data(n, f'{n:,}')} session{'s' if n > 1 else ''})"
    tickers = data(scores.tickers, str(scores.tickers))
    return f" ({data(n, f'{n:,}')} forecasts of {tickers} tickers)"


def mark(verdict: Verdict) -> str:
    """The word with a sign of its own."""
    kind = verdict.word.split()[0]
    return (
        f'<span class="{kind}"><span class="mark" aria-hidden="true">{MARKS[verdict.word]}</span>'
        f" <strong>{verdict.word}</strong></span>"
    )


def spreads(found: dict[str, Spread]) -> str:
    """How much networks of several seeds differ; empty where there was one."""
    lines = [
        Line([words(cell), data(s.seeds, str(s.seeds)), loss(s.lowest), loss(s.highest)])
        for cell, s in found.items()
    ]
    if not lines:
        return ""
    caption = "Pinball loss one session ahead of single networks, in percent of the price."
    heads = ["networks of", "seeds", "lowest", "highest"]
    return table("spread", caption, heads, [("", lines)])
