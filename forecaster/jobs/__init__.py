"""One verb a file: what each command does, without printing."""
