"""Tables of a forecast unrolled and of gradients: they fit, and keep what matters."""

from __future__ import annotations

import numpy as np
import pytest
from printed import printed
from synthetic import garch_history, random_model

from forecaster.jobs.explain import explain
from forecaster.jobs.gradients import Gradients, Reach
from forecaster.market.bars import Panel
from forecaster.market.notes import Note
from forecaster.model.gradients import ClippedStep
from forecaster.model.settings import Settings
from forecaster.output import gradients
from forecaster.output.explain import explain_table
from forecaster.output.tabular.layout import Column, fitting

DEAR = garch_history("DEAR", 300, seed=1)


def model_of(**more):
    settings = {"units": 3, "horizon": 2, "quantiles": (0.05, 0.5, 0.95), "context": 16, **more}
    return random_model(Settings(**settings), Panel((DEAR,)), size=0.1)


def explained(width: int, **more) -> str:
    model = model_of(**more)
    return printed(explain_table(explain(model, DEAR, last=4), model, width), width)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_an_explanation_fits_and_keeps_what_matters(width):
    shown = explained(width)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
    assert "…" not in shown
    for needed in (" 5%", "median", " 95%", "change", "◂", "sessions kept", "loss"):
        assert needed in shown
    assert (" session  " in shown.split("change")[0]) == (width >= 66)


def test_every_column_is_there_where_there_is_room():
    head = next(line for line in explained(200).splitlines() if "session  " in line)
    assert head.split() == [
        "session", "return", "range", "gap", "volume", "σ", "year", "state", "5%", "median", "95%",
        "width", "change",
    ]  # fmt: skip


def test_a_model_without_an_interval_shows_its_median():
    model = model_of(quantiles=(0.5,))
    found = explain(model, DEAR, last=4)
    shown = printed(explain_table(found, model, 400), 400)
    assert "width  " not in shown.split("moved it most")[0]
    (most,) = (day for day in found.days if day.moved_most)
    assert f"the median's distance from the close by {most.drift_change:+.2f} points." in shown
    assert f"{most.drift_change:+.2f} ◂" in shown
    assert "change: of the median's distance from the close" in shown
    assert "change: of that width; ◂: the largest ratio, up or down" in explained(400)


@pytest.mark.parametrize(
    ("levels", "heads", "kept"),
    [
        ((0.1, 0.9), ["10%", "90%", "width"], ["width"]),
        ((0.01, 0.3, 0.5), ["1%", "median", "width"], ["median", "width"]),
        ((0.5,), ["median"], ["median"]),
    ],
)
def test_each_level_of_the_model_has_one_column_and_no_other_has_one(levels, heads, kept):
    shown = explained(400, quantiles=levels)
    head, below = (
        next(line.split() for line in shown.splitlines() if line.strip().startswith(first))
        for first in ("session  ", "sessions kept")
    )
    assert head[head.index("state") + 1 : -1] == heads
    assert below[2:] == kept
    assert ("median: half" in shown) == ("median" in heads)


def test_a_first_forecast_is_not_called_unchanged():
    model = model_of()
    found = explain(model, DEAR.slice(0, 2))
    shown = printed(explain_table(found, model, 200), 200)
    assert "no change is known" in shown
    assert "No session" not in shown


def test_the_state_of_a_relu_network_has_no_limit():
    assert "without a limit" in explained(200, cell="rnn", activation="relu")
    assert "at most 2.4" in explained(200, layers=2)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_gradients_fit_and_keep_what_matters(width):
    norms = np.concatenate([0.5 ** np.arange(50.0), [np.inf]])
    step = ClippedStep("norm", 1.0, 123456.0, 1.0, 0.003, 0.0001234)
    found = Gradients(
        "DEAR", 50, 64, (Reach("rnn", "trained here", norms, 0.5, "vanishes"),),
        "gru, trained", (step,), (step,), (Note("A note."),),
    )  # fmt: skip
    shown = printed(gradients.gradients_table(found, model_of(), width), width)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
    for needed in ("rnn, trained here", "0.500  vanishes", "norm 1", "100 times", "A note."):
        assert needed in shown
    assert ("∞" in shown) == (width >= 60)
    assert ("norm  " in shown) == (width >= 60)


def test_the_most_expendable_columns_go_first():
    columns = [Column("keep", ["1"]), Column("second", ["2"], 1), Column("first", ["3"], 2)]
    pair = [*columns, Column("too", ["4"], 2)]
    assert [c.name for c in fitting(columns, 40)] == [
        "keep", "second", "first",
    ]  # fmt: skip
    assert [c.name for c in fitting(columns, 15)] == ["keep", "second"]
    assert [c.name for c in fitting(pair, 20)] == ["keep", "second"]
    assert [c.name for c in fitting(columns, 1)] == ["keep"]
