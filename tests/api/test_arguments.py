"""Arguments of the verbs: refused by name where they are of a wrong type, advised in Python."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.api.arguments import _KINDS, checked, in_python
from forecaster.api.reading import warn_notes
from forecaster.errors import DataError, Message, SettingsError, parameter
from forecaster.market.notes import Note

FB = "sample_data/FB.csv"


@checked
def verb(
    a: int = 1,
    b: str | None = None,
    c: bool = False,
    d: float | Sequence[float] = (),  # noqa: F821 - an annotation is compared by its text
    e: Mapping | None = None,  # noqa: F821
):
    return a, b, c, d, e


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"a": "3"}, "a is '3'; a whole number is needed, as in a=5."),
        ({"a": 1.0}, "a is 1.0; a whole number is needed"),
        ({"a": True}, "a is True; a whole number"),
        ({"a": None}, "a is None; a whole number"),
        ({"b": 3}, 'b is 3; a text is needed, as in b="...".'),
        ({"c": "no"}, "c is 'no'; True or False is needed"),
        ({"c": 1}, "c is 1; True or False"),
        ({"d": "80,95"}, "d is '80,95'; a number or a list of numbers is needed"),
        ({"d": [80, "95"]}, "a number or a list of numbers"),
        ({"d": True}, "a number or a list of numbers"),
    ],
)
def test_what_is_of_another_type_is_refused(given, found):
    with pytest.raises(SettingsError) as error:
        verb(**given)
    assert found in str(error.value)


def test_what_is_of_the_type_arrives_as_python_s_own():
    made = verb(np.int64(3), "x", np.bool_(True), np.array([80.0, 95.0]), object)
    assert made == (3, "x", True, [80.0, 95.0], object)
    assert (type(made[0]), type(made[2])) == (int, bool)
    assert verb(d=80) == (1, None, False, 80, None)
    assert verb(d=np.float32(0.5))[3] == 0.5


def test_too_many_arguments_are_python_s_matter():
    with pytest.raises(TypeError, match=r"verb\(\) got an unexpected keyword argument 'units'"):
        verb(units=3)
    assert str(inspect.signature(verb)).startswith("(a: 'int' = 1, b: 'str | None'")


def test_every_verb_is_checked():
    own = {"history_from_closes", "save"}
    verbs = {n for n in forecaster.__all__ if inspect.isfunction(getattr(forecaster, n))} - own
    assert len(verbs) > 15
    assert {n for n in verbs if not hasattr(getattr(forecaster, n), "__wrapped__")} == set()
    assert {"int", "float", "str", "bool"} <= _KINDS.keys()


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: forecaster.risk({"FB": 1}, FB, unit="share"), "unit is 'share'; one of shares"),
        (lambda: forecaster.train(FB, device="x"), "device is 'x'; one of auto, cpu and gpu"),
        (lambda: forecaster.backtest(FB, refit="x"), "refit is 'x'; one of never and fold"),
        (lambda: forecaster.plot(FB, "sample", theme="x"), "theme is 'x'; one of light and dark"),
        (lambda: forecaster.train(FB, "x"), "settings is 'x'; forecaster.Settings is needed"),
        (lambda: forecaster.predict(FB, above=None), "above is None; a number or a text or"),
        (lambda: forecaster.fetch(5), "tickers is 5; a text or a list of texts is needed"),
        (lambda: forecaster.load(5), "model is 5; a text or a path is needed"),
    ],
)
def test_words_paths_and_settings_are_checked_too(call, found):
    with pytest.raises(SettingsError) as error:
        call()
    assert found in str(error.value)


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        (f"Name it with {parameter('columns')} close=NAME.", 'columns={"close": "NAME"}.'),
        (
            f'or {parameter("columns")} "close=A B", or',
            'columns={"close": "A B"}, or',
        ),
        (f"{parameter('date_format')} %d/%m/%Y or", 'date_format="%d/%m/%Y" or'),
        (f"Write {parameter('decimal')} ,", 'decimal=","'),
        (f"{parameter('horizon')} 5, or", "horizon=5, or"),
        (f"{parameter('level')} 80,95.", "level=[80, 95]."),
        (f"{parameter('as_of')} 2024-05-31", 'as_of="2024-05-31"'),
        (f"{parameter('folds')} is 3; fewer", "folds is 3; fewer"),
        (f"Add {parameter('decimal')} . or", 'Add decimal="." or'),
        (f"the {parameter('decimal')}. Or", "the decimal. Or"),
        (f"{parameter('columns')} Low=... names no", "columns Low=... names no"),
        (
            f"{parameter('columns')} high=Low {parameter('columns')} low=High.",
            'columns={"high": "Low", "low": "High"}.',
        ),
        (f"an earlier {parameter('train_end')}, or", "an earlier train_end, or"),
    ],
)
def test_advice_is_written_as_python_takes_it(marked, said):
    every = ("columns", "date_format", "decimal")
    assert said in in_python(Message(marked), every)
    assert in_python("as columns close=NAME") == "as columns close=NAME"


def test_what_only_read_takes_is_written_as_its():
    noise = np.random.default_rng(1).normal(100, 1, (300, 2)).round(2)
    days = pd.bdate_range("2020-01-01", periods=300)
    frame = pd.DataFrame(noise, columns=["zip", "zap"]).assign(day=days)
    advice = 'forecaster.read(..., columns={"close": "zip"})'
    for call in (
        lambda: forecaster.predict(frame, "sample"),
        lambda: forecaster.predict(FB, "sample", market=frame),
        lambda: forecaster.explain(frame, "sample"),
        lambda: forecaster.rank(frame, "sample"),
        lambda: forecaster.train(frame),
        lambda: forecaster.backtest(frame),
    ):
        with pytest.raises(DataError) as error:
            call()
        assert advice in str(error.value.message)
        assert str(error.value) == error.value.message
    panel = forecaster.read(frame, columns={"close": "zip"})
    assert len(forecaster.predict(panel, "sample").forecasts) == 1
    with pytest.raises(DataError, match=r'with columns=\{"close": "NAME"\}, for'):
        forecaster.read(frame)


def test_labels_of_a_frame_may_be_numbers():
    noise = np.random.default_rng(1).normal(100, 1, (300, 2)).round(2)
    days = pd.bdate_range("2020-01-01", periods=300)
    frame = pd.DataFrame(noise).assign(day=days)
    (history,) = forecaster.read(frame, columns={"close": 1})
    np.testing.assert_array_equal(history.close, noise[:, 1])


@pytest.mark.parametrize("model", [3, ["sample"], object()])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(SettingsError, match='a name, a path or a model is needed, as in model="s'):
        forecaster.predict(FB, model)


def test_one_horizon_of_a_portfolio_needs_no_list():
    one = forecaster.risk({"FB": 1}, FB, "sample", horizon=3, draws=1000)
    assert [step.step for step in one.steps] == [3]
    several = forecaster.risk({"FB": 1}, FB, "sample", horizon=[3], draws=1000)
    assert one.steps[0].levels == several.steps[0].levels


def test_warnings_advise_in_python_too(tmp_path):
    days = pd.bdate_range("2020-01-01", periods=300).strftime("%Y-%m-%d")
    closes = np.random.default_rng(1).normal(100, 1, 300).round(2)
    good = pd.DataFrame({"Date": days, "Close": closes})
    bad = pd.DataFrame({"Date": days, "zip": closes, "zap": closes[::-1]})
    with pytest.warns(forecaster.ForecastWarning, match=r'columns=\{"close": "zip"\}') as caught:
        forecaster.read({"A": good, "B": bad}, skip_unreadable=True)
    assert any("B was left out" in str(one.message) for one in caught)
    note = Note(Message(f"Add {parameter('date_format')} %Y."), "A")
    with pytest.warns(forecaster.ForecastWarning, match=r'A: Add forecaster\.read\(.*"%Y"\)\.'):
        warn_notes([note])


def test_a_column_that_is_none_is_not_named():
    assert len(forecaster.read(FB, columns={"close": None}).histories) == 1


@pytest.mark.parametrize("watchlist", [5, [5], ["AAPL", None]])
def test_a_watchlist_has_words(watchlist):
    with pytest.raises(SettingsError, match=r"watchlist has .*; tickers and paths are needed"):
        forecaster.batch(watchlist, "sample")


def test_numbers_may_be_tickers_of_holdings():
    panel = forecaster.read(FB, ticker="2330")
    assert len(forecaster.risk({2330: 1}, panel, "sample", horizon=1, draws=1000).steps) == 1


def test_paths_may_stand_in_a_watchlist(home):
    made = forecaster.batch([Path(FB)], "sample", max_age=10_000)
    assert [one.ticker for one in made.forecasts] == ["FB"]
