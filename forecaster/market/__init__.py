"""Bars come in: files, checks, session dates."""
