"""A forecast must be there in under a second, so it must not import what takes seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import garch_history, random_model

from forecaster.market.bars import Panel
from forecaster.model.artifact import save
from forecaster.model.registry import path_of
from forecaster.model.settings import Settings

HEAVY = (
    "tensorflow", "keras", "pandas", "scipy", "statsmodels", "arch", "pyarrow", "sqlalchemy",
)  # fmt: skip

RUN = """
import json, sys
from forecaster.cli.main import main
sys.argv[0] = "forecast"
try:
    main()
finally:
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    with open(sys.argv[-1] + ".modules", "w") as file:
        json.dump(loaded, file)
"""

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def price_file(tmp_path):
    history = garch_history("ACME", 60, seed=1)
    path = tmp_path / "ACME.csv"
    lines = ["Date,Open,High,Low,Close,Volume"]
    for day, *values in zip(
        history.sessions,
        history.open,
        history.high,
        history.low,
        history.close,
        history.volume,
        strict=True,
    ):
        lines.append(",".join([str(day), *(f"{v:.4f}" for v in values)]))
    path.write_text("\n".join(lines) + "\n")
    return path


def _run(price_file, arguments):
    """A command on the file, with an untrained model; which modules it loaded is written down."""
    model = random_model(Settings(units=3, horizon=2), Panel((garch_history("ACME", 60, seed=1),)))
    save(model, path_of("light"))
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments, "--model", "light", str(price_file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )


@pytest.mark.parametrize("output", ["", "fan.png", "fan.svg", "fan.html"])
def test_a_chart_imports_nothing_heavy(price_file, output, tmp_path):
    run = _run(price_file, ["plot", *(["--output", str(tmp_path / output)] if output else [])])
    assert run.returncode == 0, run.stderr
    loaded = json.loads(Path(f"{price_file}.modules").read_text())
    assert [name for name in HEAVY if name in loaded] == []
    assert ("matplotlib" in loaded) == bool(output)


@pytest.mark.parametrize("command", ["predict", "explain"])
@pytest.mark.parametrize("format", ["json", "csv", "table"])
def test_from_a_csv_file_nothing_heavy_is_imported(price_file, format, command):
    run = _run(price_file, [command, "--format", format])
    assert run.returncode == 0, run.stderr
    assert "ACME" in run.stdout
    loaded = json.loads(Path(f"{price_file}.modules").read_text())
    assert "numpy" in loaded
    assert [name for name in HEAVY if name in loaded] == []
