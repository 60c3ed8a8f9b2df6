"""Which modules a command loads, seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys

LOADED = (
    "import sys; sys.argv = {argv!r}\n"
    "from forecaster.cli.main import main\n"
    "try: main()\n"
    "except SystemExit: pass\n"
    "print('LOADED', *sorted(m for m in {modules!r} if m in sys.modules), file=sys.stderr)"
)
HEAVY = ["pandas", "tensorflow", "keras", "pyarrow", "scipy", "statsmodels"]


def loaded(argv: list[str], modules: list[str] = HEAVY) -> list[str]:
    """Those of some modules that a command leaves loaded."""
    code = LOADED.format(argv=["forecast", *argv], modules=modules)
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stderr.split("LOADED")[1].split()
