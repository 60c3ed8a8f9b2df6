"""Honest stock forecasts: recurrent networks on histories of any length, beside baselines.

The verbs of the command line, on DataFrames, files and tickers::

    import forecaster

    forecaster.predict(frame).to_dataframe()
    trained = forecaster.train("prices/", forecaster.Settings(cell="lstm"), name="mine")
    forecaster.save(trained)
    forecaster.backtest("prices/", folds=3).plot()

Names are imported when they are first used, so that ``import forecaster`` costs nothing and only
fitting loads TensorFlow.
"""

TYPE_CHECKING = False  # that of typing, whose import takes time before anybody hears of Ctrl-C

if TYPE_CHECKING:
    from forecaster.api.nightly import batch as batch
    from forecaster.api.nightly import doctor as doctor
    from forecaster.api.nightly import fetch as fetch
    from forecaster.api.nightly import report as report
    from forecaster.api.nightly import score as score
    from forecaster.api.notebook import Backtest as Backtest
    from forecaster.api.notebook import Predictions as Predictions
    from forecaster.api.notebook import Trained as Trained
    from forecaster.api.persistence import load as load
    from forecaster.api.persistence import save as save
    from forecaster.api.reading import read as read
    from forecaster.api.together import Ranking as Ranking
    from forecaster.api.together import Risk as Risk
    from forecaster.api.together import rank as rank
    from forecaster.api.together import rank_backtest as rank_backtest
    from forecaster.api.together import risk as risk
    from forecaster.api.together import risk_backtest as risk_backtest
    from forecaster.api.tuning import tune as tune
    from forecaster.api.verbs import backtest as backtest
    from forecaster.api.verbs import compare as compare
    from forecaster.api.verbs import explain as explain
    from forecaster.api.verbs import plot as plot
    from forecaster.api.verbs import predict as predict
    from forecaster.api.verbs import train as train
    from forecaster.errors import ForecastError as ForecastError
    from forecaster.errors import ForecastWarning as ForecastWarning
    from forecaster.market.bars import History as History
    from forecaster.market.bars import Panel as Panel
    from forecaster.market.bars import history_from_closes as history_from_closes
    from forecaster.model.artifact import Model as Model
    from forecaster.model.settings import Settings as Settings

__version__ = "0.1.0"

_HOMES = {
    "api.reading": ("read",),
    "api.persistence": ("load", "save"),
    "api.nightly": ("batch", "doctor", "fetch", "report", "score"),
    "api.notebook": ("Backtest", "Predictions", "Trained"),
    "api.together": ("Ranking", "Risk", "rank", "rank_backtest", "risk", "risk_backtest"),
    "api.tuning": ("tune",),
    "api.verbs": ("backtest", "compare", "explain", "plot", "predict", "train"),
    "errors": ("ForecastError", "ForecastWarning"),
    "market.bars": ("History", "Panel", "history_from_closes"),
    "model.artifact": ("Model",),
    "model.settings": ("Settings",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_MODULES)]  # noqa: PLE0604


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:  # else every name would be one, of type Any

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module 'forecaster' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"forecaster.{_MODULES[name]}"), name)
