"""Formats shared by all results: numbers, JSON, CSV, verdicts."""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from forecaster.evaluation.scores import ScoreTable
from forecaster.evaluation.verdict import Suspicion, Verdict
from forecaster.market.notes import Failure
from forecaster.wording import listed, visible

if TYPE_CHECKING:
    from forecaster.evaluation.monthly import MonthlyLosses
    from forecaster.jobs.backtest import Hindsight


LARGEST_SPELLED = 1e15
"""Prices from here on are written with a power of ten."""
_SMALLEST_SPELLED = 1e-12
"""Prices below this one are, too."""


def number(value: float | None, form: str) -> str:
    """A number in a format of Python; a dash where there is none, and no sign before a zero."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return unsigned_zero(f"{value:{form}}")


def unsigned_zero(text: str) -> str:
    """A number as it is written, without a sign in front of nothing but zeros."""
    return text if any(digit in text for digit in "123456789") else text.lstrip("+-")


def price(value: float | None, *, short: bool = False) -> str:
    """A price with decimals by its size, tiny ones in four digits; ``short``: no cents of 1,000."""
    size = abs(value or 0.0)
    if size >= LARGEST_SPELLED or 0 < size < _SMALLEST_SPELLED:
        return number(value, ".6e")
    decimals = 2 if size >= 10 else 4 if size >= 0.1 else 8
    if 0 < size < 0.1:
        decimals = max(decimals, 3 - math.floor(math.log10(size)))
    return number(value, f",.{0 if short and size >= 1000 else decimals}f")


def rounded(value: float, spread: float) -> str:
    """A price to two digits of the spread that it is an end of."""
    if not 0 < spread < LARGEST_SPELLED or value >= LARGEST_SPELLED:
        return price(value)
    decimals = 1 - math.floor(math.log10(spread))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def share(value: float | None, form: str = ".1f") -> str:
    """A share in percent, without the sign of it: for the cell of a table."""
    return number(None if value is None else 100 * value, form)


def gain(value: float | None) -> str:
    """A skill in percent with its sign in front, without that of percent."""
    return share(value, "+.1f")


def loss(value: float | None) -> str:
    """A pinball loss in percent of the price, for the cell of a table."""
    return share(value, ".4f")


def percent(value: float | None, decimals: int = 1) -> str:
    """A share as percent, or a dash."""
    text = share(value, f".{decimals}f")
    return text if text == "–" else f"{text}%"


def signed(value: float | None, decimals: int = 1) -> str:
    """A share as percent with its sign, or a dash."""
    text = share(value, f"+.{decimals}f")
    return text if text == "–" else f"{text}%"


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
