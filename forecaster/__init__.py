"""Honest stock forecasts: recurrent networks on histories of any length, beside baselines."""

__version__ = "0.1.0"
