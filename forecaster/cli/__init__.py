"""Options in, one job, one output."""
