"""The Python API: the verbs of the command line, on DataFrames, files and tickers.

``forecaster`` itself hands these names out when they are first used.
"""
