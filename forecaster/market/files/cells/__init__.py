"""What a cell says, and a column of them: dates in every writing, numbers with either sign."""
