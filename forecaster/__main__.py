"""``python -m forecaster``, and the entry point of the command ``forecast``."""

import gc

from forecaster import interrupts

_OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Python's own 700 collect garbage a dozen times while libraries start, who leave none."""


def main() -> None:
    """Run the command; from the first moment on Ctrl-C is no traceback."""
    interrupts.leave_at_once()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        from forecaster.cli.main import main as run

        run()
    except (MemoryError, ImportError, OSError, SystemError) as problem:  # of reports, too
        from forecaster import machine

        machine.ended(problem)


if __name__ == "__main__":
    main()
