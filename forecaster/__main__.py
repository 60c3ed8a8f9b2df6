"""``python -m forecaster``."""

import sys

try:
    from forecaster.cli.main import main
except KeyboardInterrupt:  # before there is anybody who says so in words
    sys.exit(130)

main()
