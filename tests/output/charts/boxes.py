"""Where text stands in a picture."""

from __future__ import annotations


def extent(text, renderer):
    """Where the letters are, without the leader of an annotation, a pixel tighter for its air."""
    from matplotlib.text import Text

    if hasattr(text, "update_positions"):
        text.update_positions(renderer)
    box = Text.get_window_extent(text, renderer)
    return box.padded(-1)
