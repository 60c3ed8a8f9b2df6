"""Market data sources: one file each, and what all of them share."""
