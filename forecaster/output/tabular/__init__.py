"""Tables for people: their layout, the scores in them, and what their columns mean."""
