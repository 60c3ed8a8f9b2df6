"""The bits of a search with real networks: what cannot change them, and where they are computed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from dask_cluster import cluster
from synthetic import garch_history, noise_after

from forecaster.evaluation.folds import split_panel
from forecaster.jobs import confirmation
from forecaster.jobs.parallel import Pool
from forecaster.jobs.progress import TasksDone
from forecaster.jobs.tune import SearchPlan, tune
from forecaster.market.bars import Panel
from forecaster.model.settings import Settings

PANEL = Panel(tuple(garch_history(f"T{i}", 400 - 50 * i, seed=i) for i in range(2)))
TINY = Settings(units=2, horizon=2, epochs=1, context=8, quantiles=(0.05, 0.5, 0.95))
PLAN = SearchPlan(trials=3, folds=1, search=("dropout", "layers"))


@pytest.fixture(autouse=True)
def one_seed(monkeypatch):
    monkeypatch.setattr(confirmation, "SEEDS", 1)


@pytest.mark.network
def test_nothing_after_the_training_range_changes_a_bit(tmp_path):
    """Not the trials, nor the confirmation, nor what the file says of the data."""
    end = split_panel(PANEL, TINY.horizon).train_end
    noisy = Panel(tuple(noise_after(history, end) for history in PANEL))
    assert noisy.fingerprint != PANEL.fingerprint
    made = []
    for name, panel in (("plain", PANEL), ("noise", noisy)):
        path: Path = tmp_path / f"{name}.json"
        result = tune(panel, TINY, replace(PLAN, trials=2), study=path, device="cpu")
        document = json.loads(path.read_bytes())
        for trial in document["trials"]:
            trial["seconds"] = 0.0
        made.append((document["study"], document["trials"], document["confirmations"]))
        assert result.train_end == end
        assert len(document["trials"]) == 2
        assert all(0.5 < loss < 2.0 for trial in result.trials for loss in trial.losses)
    assert made[0] == made[1]


@pytest.mark.processes
@pytest.mark.network
def test_a_cluster_that_loses_a_worker_in_the_middle_ends_the_same(tmp_path):
    with cluster(tmp_path) as running:

        def kill(progress):
            if progress == TasksDone(1, 3):
                running.workers[0].kill()

        pool = Pool(cluster=running.address)
        made = tune(PANEL, TINY, PLAN, device="cpu", pool=pool, on_progress=kill)
        assert running.workers[0].wait(10) != 0
    here = tune(PANEL, TINY, PLAN, device="cpu")
    assert [replace(t, seconds=0.0) for t in made.trials] == [
        replace(t, seconds=0.0) for t in here.trials
    ]
    assert made.confirmation == here.confirmation
