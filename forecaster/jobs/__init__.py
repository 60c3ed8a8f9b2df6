"""Jobs: the work of each command, without printing; one verb a file."""
