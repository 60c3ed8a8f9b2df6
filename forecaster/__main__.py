"""``python -m forecaster``, and the entry point of the command ``forecast``."""

import gc
import os

from forecaster import interrupts

_OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Python's own 700 collect garbage a dozen times while libraries start, who leave none."""

_ONE_THREAD = "OPENBLAS_NUM_THREADS"
"""numpy's products are too small here to be shared: two threads take a third longer than one."""

_NO_MEMORY = b"error: there is too little memory to start. Raise the limit (ulimit -v).\n"
_REFUSED = 2


def main() -> None:
    """Run the command; from the first moment on Ctrl-C is no traceback."""
    interrupts.leave_at_once()
    os.environ.setdefault(_ONE_THREAD, "1")  # numpy reads it when it is imported
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        from forecaster import machine

        machine.end_if_too_little()
        from forecaster.cli.main import main as run

        run()
    except (MemoryError, ImportError, OSError, SystemError) as problem:  # of reports, too
        try:
            from forecaster.machine import ended
        except (MemoryError, ImportError, OSError, SystemError):  # no memory even for that
            os.write(2, _NO_MEMORY)
            os._exit(_REFUSED)
        ended(problem)


if __name__ == "__main__":
    main()
