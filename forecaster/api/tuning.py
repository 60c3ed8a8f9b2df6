"""The verb that searches settings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.api.arguments import checked
from forecaster.api.notebook import bar_of
from forecaster.api.reading import Data, Day, day_of, panel_for, warn_notes
from forecaster.model.settings import Device, Settings
from forecaster.packages import require_search, require_training

if TYPE_CHECKING:
    from forecaster.jobs.tune import TuneResult


@checked
def tune(
    data: Data,
    settings: Settings | None = None,
    *,
    trials: int = 20,
    minutes: float | None = None,
    folds: int = 3,
    search: str | Sequence[str] | None = None,
    together: int = 4,
    study: str | os.PathLike[str] | None = None,
    market: Data | None = None,
    train_end: Day | None = None,
    device: Device = "auto",
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool = False,
) -> TuneResult:
    """Search for settings that train better networks than others, on sessions before the test.

    ``tune(...).settings`` are what `train` takes: those of the best trial if it is significantly
    better on folds that no trial saw, else the default.

    Args:
        data: prices, as `read` takes them.
        settings: the default, which is trial 0; None: `Settings()`.
        trials: how many settings are tried at most, the default among them.
        minutes: no trial is started later; None: no limit.
        folds: that trials are scored on; two more are held back.
        search: names of the settings that are searched, as in ``["units", "learning_rate"]``;
            None: all that can be searched and have their defaults in ``settings``.
        together: trials proposed together, so that as many workers can run them at a time.
        study: a file for the trials that are done, which are not run again; None: nothing is kept.
        market: prices of those that make the market state; None: ``data`` itself.
        train_end: last session before the test part; None: after 85% of the sessions.
        device: where Keras computes.
        workers: processes that fit networks; None: this one.
        cluster: address of a Dask scheduler, which is trusted with this machine.
        progress: show a bar.

    Raises:
        DataError: a source cannot be read, or the training range is too short.
        SettingsError: an argument cannot work, or ``study`` is of another search.
        TrainingDiverged: every trial diverged.
    """
    from forecaster.jobs import tune as job
    from forecaster.jobs.parallel import Pool

    require_training()
    require_search()
    names = [search] if isinstance(search, str) else search
    plan = job.SearchPlan(
        trials=trials, minutes=minutes, folds=folds, together=together,
        search=None if names is None else tuple(names),
        train_end=day_of(train_end, "train_end"),
    )  # fmt: skip
    pool = Pool(workers, cluster)
    panel = panel_for(data, market)
    with bar_of(progress) as on_progress:
        result = job.tune(
            panel, settings or Settings(), plan, study=None if study is None else Path(study),
            device=device, on_progress=on_progress, pool=pool,
        )  # fmt: skip
    warn_notes(result.notes)
    return result
