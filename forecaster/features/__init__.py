"""Bars become numbers and back (numpy only)."""

from typing import Literal

ScaleName = Literal["volatility", "minmax", "standard"]
"""Units that a network can learn in; ``scaling`` has them. Here, where numpy is not needed yet."""
