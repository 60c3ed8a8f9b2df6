"""Honest stock forecasts: recurrent networks over histories of any length, beside their baselines."""

__version__ = "0.1.0"
