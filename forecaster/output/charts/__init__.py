"""Pictures of forecasts and of measured errors, as files and in the terminal."""
