"""Several tickers together: how they depend on each other, and draws of all of them at once."""
