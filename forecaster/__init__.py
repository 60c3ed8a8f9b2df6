"""Honest stock forecasts: recurrent networks on histories of any length, beside baselines.

The small Python API, the same functions that the commands call::

    import forecaster

    panel = forecaster.read_sources(["prices/"]).panel
    trained = forecaster.train(panel, forecaster.Settings(cell="lstm"), name="mine")
    predictions = forecaster.predict(trained.model, panel.histories)

Names are imported when they are first used, so that ``import forecaster`` costs nothing and only
``train`` loads TensorFlow.
"""

TYPE_CHECKING = False  # that of typing, whose import takes time before anybody hears of Ctrl-C

if TYPE_CHECKING:
    from forecaster.errors import ForecastError as ForecastError
    from forecaster.jobs.predict import predict as predict
    from forecaster.jobs.train import train as train
    from forecaster.market.bars import History as History
    from forecaster.market.bars import Panel as Panel
    from forecaster.market.bars import history_from_closes as history_from_closes
    from forecaster.market.load import read_sources as read_sources
    from forecaster.model.artifact import Model as Model
    from forecaster.model.artifact import load as load
    from forecaster.model.artifact import save as save
    from forecaster.model.settings import Settings as Settings

__version__ = "0.1.0"

_HOMES = {
    "ForecastError": "errors",
    "History": "market.bars",
    "Model": "model.artifact",
    "Panel": "market.bars",
    "Settings": "model.settings",
    "history_from_closes": "market.bars",
    "load": "model.artifact",
    "predict": "jobs.predict",
    "read_sources": "market.load",
    "save": "model.artifact",
    "train": "jobs.train",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604


if not TYPE_CHECKING:  # else every name would be one, of type Any

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'forecaster' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"forecaster.{_HOMES[name]}"), name)
