"""Results as objects: they can be compared, pickled and filtered."""

from __future__ import annotations

import copy
import pickle

import pandas as pd

import forecaster

FB = "sample_data/FB.csv"


def test_equal_forecasts_are_equal():
    made, again = (forecaster.predict(FB, "sample", horizon=2) for _ in range(2))
    assert made == again == pickle.loads(pickle.dumps(made)) == copy.deepcopy(made)
    assert made != forecaster.predict(FB, "sample", horizon=3)
    assert made != forecaster.predict(FB, forecaster.load("sample").uncalibrated(), horizon=2)


def test_models_of_equal_weights_are_one():
    model = forecaster.load("sample")
    other = pickle.loads(pickle.dumps(model))
    assert model == other
    assert len({model, other, model.uncalibrated()}) == 2
    assert model != "sample"


def test_numbers_that_no_ticker_has_can_be_compared():
    frame = forecaster.predict(FB, "sample", horizon=2).to_dataframe()
    assert not (frame["sessions_behind"] > 1).any()
    assert not any(pd.api.types.is_object_dtype(kind) for kind in frame.dtypes)
