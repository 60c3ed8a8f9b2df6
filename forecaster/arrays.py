"""Array types: what an array holds. Shapes stand in the docstring of whoever takes or gives one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Prices, returns, losses, quantiles: all that is measured or scaled."""

Floats32 = NDArray[np.float32]
"""Inputs, weights and states of a network."""

Reals = NDArray[np.floating[Any]]
"""Either of them: what a network computes, in the precision of its inputs."""

Integers = NDArray[np.int64]
Integers32 = NDArray[np.int32]
Rows = NDArray[np.intp]
"""Places in a history, or in another array."""

Mask = NDArray[np.bool_]
Days = NDArray[np.datetime64]
"""Sessions, ``datetime64[D]``."""

Moments = NDArray[np.datetime64]
"""Instants in UTC, ``datetime64[s]``."""
