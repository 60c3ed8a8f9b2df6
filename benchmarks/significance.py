"""How often the tests of significance call noise a difference where they say 5%.

    python benchmarks/significance.py [--runs 1000]

Losses whose true difference is zero and whose h-step errors overlap, as in a backtest; the shares
should be 5%.
"""

from __future__ import annotations

import argparse

import numpy as np
from statsmodels.tsa.stattools import diebold_mariano_test

from forecaster.evaluation.significance import diebold_mariano

CASES = ((60, 1), (735, 1), (250, 5), (735, 5), (120, 20), (250, 20), (735, 20), (1500, 20))
"""Sessions, and steps ahead."""


def main() -> None:
    """Simulate every case and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    rng = np.random.default_rng(0)
    print("sessions  h  corrected test alone  both tests")
    for n, step in CASES:
        alone = both = 0
        for _ in range(runs):
            sums = np.convolve(rng.normal(size=n + step - 1), np.ones(step), "valid")
            one, other = 100.0 + sums, np.full(n, 100.0)
            p = diebold_mariano_test(
                np.zeros(n), one, other, criterion=lambda _, loss: loss, harvey_adj=True,
                horizon=step,
            ).pvalue  # fmt: skip
            alone += p < 0.05
            both += diebold_mariano(one, other, step) < 0.05
        print(f"{n:8,} {step:2}  {100 * alone / runs:19.1f}%  {100 * both / runs:9.1f}%")


if __name__ == "__main__":
    main()
