"""Honest scoring: baselines, metrics, significance, verdicts."""
