"""Formats shared by all results: numbers, tables, JSON, CSV, the error table, verdicts."""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np
from rich import box
from rich.table import Table

from forecaster.documents import ScoreRow
from forecaster.evaluation.scores import ScoreTable
from forecaster.evaluation.verdict import Suspicion, Verdict
from forecaster.market.notes import Failure
from forecaster.output.console import Text
from forecaster.wording import listed, visible

if TYPE_CHECKING:
    from forecaster.evaluation.monthly import MonthlyLosses
    from forecaster.jobs.backtest import Hindsight


T = TypeVar("T")
Specs = Sequence[tuple[str, int, Callable[[T], str]]]
"""Columns of a table: head, expendability, and text of a cell."""


def open_table(*columns: str, title: str | None = None, left: Sequence[str] = ()) -> Table:
    """An open table; columns are right-aligned unless named in ``left``."""
    table = Table(
        box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0)
    )
    for name in columns:
        side = "left" if name in left else "right"
        table.add_column(Text(name), justify=side, no_wrap=True)  # type: ignore[arg-type]
    return table


@dataclass(frozen=True)
class Column:
    """A column of a table, which may be left out of a narrow one.

    Attributes:
        name: its head.
        cells: from the top.
        expendable: the highest are left out first, equal ones together; 0 stays.
        left: whether it is aligned to the left.
    """

    name: str
    cells: Sequence[str]
    expendable: int = 0
    left: bool = False

    @property
    def width(self) -> int:
        """Width of the widest cell, in characters."""
        return max(len(self.name), *(len(cell) for cell in self.cells))


def columns_of(specs: Specs[T], items: Sequence[T], left: Sequence[str] = ()) -> list[Column]:
    """Columns of a table with a row for each item; those named in ``left`` are aligned there."""
    return [
        Column(name, [cell(i) for i in items], most, name in left) for name, most, cell in specs
    ]


def fitting_table(
    columns: Sequence[Column], width: int, bold: Sequence[int] = (), ends: Sequence[int] = ()
) -> Table:
    """An open table of as many columns as fit, without the most expendable ones.

    Args:
        columns: from left to right.
        width: characters.
        bold: places of rows in bold.
        ends: places of the rows with a line below.
    """
    kept = list(columns)
    while sum(c.width + 2 for c in kept) > width and any(c.expendable for c in kept):
        most = max(c.expendable for c in kept)
        kept = [c for c in kept if c.expendable < most]
    table = open_table(*(c.name for c in kept), left=[c.name for c in kept if c.left])
    for place, row in enumerate(zip(*(c.cells for c in kept), strict=True)):
        table.add_row(
            *(Text(cell) for cell in row),
            style="bold" if place in bold else None,
            end_section=place in ends,
        )
    return table


LARGEST_SPELLED = 1e15
"""Prices from here on are written with a power of ten."""


def price(value: float, *, short: bool = False) -> str:
    """A price with decimals by its size; ``short`` drops cents from thousands."""
    if abs(value) >= LARGEST_SPELLED:
        return f"{value:.6e}"
    decimals = 2 if abs(value) >= 10 else 4 if abs(value) >= 0.1 else 8
    if short and abs(value) >= 1000:
        decimals = 0
    return f"{value:,.{decimals}f}"


def percent(value: float | None, decimals: int = 1) -> str:
    """A share as percent, or a dash."""
    return "–" if value is None else f"{100 * value:.{decimals}f}%"


def signed(value: float | None) -> str:
    """A share as percent with its sign, or a dash."""
    return "–" if value is None else f"{100 * value:+.1f}%"


_HUNDREDTHS = {
    "GBp": "pence", "GBX": "pence", "ZAc": "cents", "ZAC": "cents", "ILA": "agorot",
}  # fmt: skip
"""Codes of sources for hundredths of a currency, and their names."""


def unit(currency: str | None) -> str:
    """The unit behind a price: a blank and the currency, or nothing where it is unknown."""
    if not currency:
        return ""
    hundredths = _HUNDREDTHS.get(currency)
    return f" {currency} ({hundredths})" if hundredths else f" {currency}"


_RISKY = ("=", "+", "-", "@", "\t", "\n", "\r")
"""First characters of a formula in a spreadsheet."""


_ESCAPES = {"\x7f": "\\u007f"}
"""What ``json`` leaves as it is in ASCII."""


def to_json(document: Mapping[str, Any], indent: int | None = 2) -> str:
    """A document as text; a NaN in it is a bug and raises ValueError."""
    text = json.dumps(document, indent=indent, allow_nan=False, ensure_ascii=False, default=_state)
    lines = text.split("\n")  # of the document: those in its texts are escaped
    return "\n".join(line if line.isprintable() else _escaped(line) for line in lines) + "\n"


def _escaped(text: str) -> str:
    """JSON that says the same in characters that can be seen."""
    return "".join(c if c.isprintable() else _ESCAPES.get(c) or json.dumps(c)[1:-1] for c in text)


def _state(value: Any) -> Any:
    """A date as text, and a dataclass as an object."""
    return str(value) if isinstance(value, date | np.datetime64) else asdict(value)


def errors(failures: Iterable[Failure]) -> list[dict[str, str]]:
    """Failures as JSON."""
    return [{"ticker": f.name, "code": f.error.code, "message": str(f.error)} for f in failures]


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV, a line each; text cells like formulas get a leading apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
    return buffer.getvalue()


def csv_rows(file: BinaryIO) -> Any:
    """A writer of rows, each of which goes to the file at once."""
    return csv.writer(codecs.getwriter("utf-8")(file), lineterminator="\n")


def write_lines(file: BinaryIO, objects: Iterable[Mapping[str, Any]]) -> None:
    """Write an object a line."""
    for value in objects:
        file.write(to_json(value, indent=None).encode())


def safe_cell(cell: Any) -> Any:
    """A cell of text that can be seen, with an apostrophe where it starts like a formula."""
    if not isinstance(cell, str):
        return cell
    return visible(f"'{cell}" if cell.startswith(_RISKY) else cell)


def plain(value: Any) -> Any:
    """A value for JSON: NaN as None and tuples as lists."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table_state(table: ScoreTable) -> dict[str, Any]:
    """A score table as plain values, with None for NaN."""
    from forecaster.jobs.score_card import written_scores

    return written_scores(table, None).model_dump(mode="json", exclude={"months"})


NOTHING_SCORED: Mapping[str, Any] = {"sessions_scored": 0, "tickers": 0, "rows": [], "verdict": []}
"""In the place of a score table where there is none."""


def months_state(losses: MonthlyLosses) -> list[dict[str, Any]]:
    """Monthly losses as plain values, one object a month."""
    from forecaster.jobs.score_card import written_months

    return [month.model_dump(mode="json") for month in written_months(losses)]


def level_key(level: float) -> str:
    """A quantile level as a key, such as ``"0.05"``."""
    return f"{level:g}"


_WEEK = 5


def shown_rows(table: ScoreTable) -> list[ScoreRow]:
    """Rows for the first, the fifth and the last step."""
    return [row for row in table.rows if row.step in (1, _WEEK, table.last_step)]


def error_table(table: ScoreTable, width: int) -> Table:
    """The error table of networks and baselines at h = 1 and h = H, and at a week in between.

    Pinball loss is in percent of the price; skill says how much lower it is than a baseline's. The
    most expendable columns are left out of a narrow table.
    """
    rows = shown_rows(table)
    columns = columns_of(_SCORE_COLUMNS, rows, left=("model",))
    columns = [column for column in columns if set(column.cells) != {"–"}]
    ends = [n for n, (row, after) in enumerate(pairwise(rows)) if row.step != after.step]
    return fitting_table(columns, width, ends=ends)


_SCORE_COLUMNS: Specs[ScoreRow] = (
    ("h", 0, lambda r: str(r.step)),
    ("model", 0, lambda r: r.model),
    ("pinball", 0, lambda r: f"{100 * r.pinball:.4f}"),
    ("vs naive", 0, lambda r: signed(r.skill.get("naive"))),
    ("vs ewma", 3, lambda r: signed(r.skill.get("ewma"))),
    ("vs garch", 2, lambda r: signed(r.skill.get("garch"))),
    ("vs har", 1, lambda r: signed(r.skill.get("har"))),
    ("MAE", 8, lambda r: price(r.mae)),
    ("RMSE", 10, lambda r: price(r.rmse)),
    ("MAPE", 9, lambda r: f"{r.mape:.2f}%"),
    ("dir", 5, lambda r: percent(r.direction)),
    ("in 50%", 6, lambda r: percent(r.coverage.get("0.5"))),
    ("in 80%", 7, lambda r: percent(r.coverage.get("0.8"))),
    ("in 90%", 4, lambda r: percent(r.coverage.get("0.9"))),
)


def verdict_sentence(verdicts: Sequence[Verdict]) -> str:
    """A sentence on the baselines that each network beats, ties with and loses to, by step."""
    parts = []
    for step, model in dict.fromkeys((v.step, v.model) for v in verdicts):
        compared = [v for v in verdicts if (v.step, v.model) == (step, model)]
        words = [
            f"{v.word} {v.baseline}" + (f" by {100 * v.skill:.1f}%" if v.word == "beats" else "")
            for v in compared
            if v.p is not None
        ]
        untested = [v.baseline for v in compared if v.p is None]
        if untested:
            words.append(f"cannot be told from {listed(untested, 'or')} by so few sessions")
        ahead = f"{step} session{'s' if step > 1 else ''} ahead"
        parts.append(f"{ahead} {model} {', '.join(words)}")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "." if text else "Nothing could be compared."


def remark_sentence(remark: Suspicion | Hindsight | str) -> str:
    """A sentence on a remark of a backtest; sentences from documents stay unchanged."""
    if isinstance(remark, str):
        return remark
    if not isinstance(remark, Suspicion):
        seen = "all" if remark.whole else "part"
        return (
            f"{remark.model} was trained to {remark.trained_to} and is scored from"
            f" {remark.test_from} on: it has seen {seen} of this test, which makes it look better"
            " than it is."
        )
    if remark.kind == "direction":
        return (
            f"suspicious: {remark.model} had the direction right in {100 * remark.share:.1f}% of"
            f" {remark.moves} moves; that is too good for daily prices. Look for a leak in the"
            " data."
        )
    return (
        f"{remark.model}'s price forecast is the last price shifted by one session (its median"
        f" moves {100 * remark.share:.0f}% as far as prices do): MAE, RMSE and MAPE are the last"
        " price's own. Judge it by pinball and coverage."
    )


def rows_csv(table: ScoreTable | None) -> str:
    """The error table as CSV; only a header where nothing was measured."""
    return to_csv(*score_rows(table))


def score_rows(table: ScoreTable | None) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of the error table, a row for each model and step."""
    rows = table_state(table)["rows"] if table else []
    header = ["model", "step", "n", "pinball", "mae", "rmse", "mape", "direction"]
    nested = ("skill", "coverage", "width", "dm_p")
    keys = {part: list(dict.fromkeys(k for r in rows for k in r[part])) for part in nested}
    names = [f"{part}_{key}" for part in nested for key in keys[part]]
    return [*header, *names], [
        [*(r[c] for c in header), *(r[part].get(k) for part in nested for k in keys[part])]
        for r in rows
    ]


NARROW = 66
"""Columns; a narrower forecast table leaves the inner interval out."""
