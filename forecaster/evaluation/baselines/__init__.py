"""Forecasts that need no network."""
