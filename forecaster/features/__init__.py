"""Bars become numbers and back (numpy only)."""
