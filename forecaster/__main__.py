"""``python -m forecaster``, and the entry point of the command ``forecast``."""

from forecaster import interrupts


def main() -> None:
    """Run the command; from the first moment on Ctrl-C is no traceback."""
    interrupts.leave_at_once()
    try:
        from forecaster.cli.main import main as run

        run()
    except (MemoryError, ImportError) as problem:  # of what reports such errors, too
        from forecaster import machine

        machine.ended(problem)


if __name__ == "__main__":
    main()
