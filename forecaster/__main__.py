"""``python -m forecaster``."""

from forecaster.cli.main import main

main()
