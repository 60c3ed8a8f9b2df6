"""Baselines: forecasts without a network."""
