"""``python -m forecaster``, and the entry point of the command ``forecast``."""

from forecaster import interrupts


def main() -> None:
    """Run the command; from the first moment on Ctrl-C is no traceback."""
    interrupts.leave_at_once()
    from forecaster.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
