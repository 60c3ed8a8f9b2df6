"""The catalogue's commands for every night and for what is kept: prices, models, settings."""

from __future__ import annotations

from forecaster.cli.entry import Entry

NIGHTLY = (
    Entry(
        "fetch",
        """
        forecast fetch AAPL MSFT BTC-USD  # Only what is not stored yet.
        forecast fetch --from watchlist.txt -o fetched.json  # Every ticker of a list.
        """,
        also="download update get pull sync",
    ),
    Entry(
        "batch",
        """
        forecast batch watchlist.txt -o tonight.csv  # Forecast a list, keep a journal of it.
        forecast batch watchlist.txt --quiet -o tonight.jsonl --head-file head.txt  # For cron.
        forecast batch watchlist.txt --risk holdings.csv -o tonight.csv  # And what they may lose.
        """,
        also="nightly run",
    ),
    Entry(
        "journal",
        """
        forecast journal list --last 5  # The newest forecasts that were written down.
        forecast journal verify  # Whether any was changed afterwards.
        """,
        also="history log",
        help="List, verify and export the forecasts that batches wrote down.",
    ),
    Entry(
        "journal list",
        """
        forecast journal list  # The twenty newest.
        forecast journal list --ticker AAPL --since 2024-01-01 -o aapl.json
        """,
        "score:list_journal",
    ),
    Entry(
        "journal verify",
        """
        forecast journal verify  # Compute the chain of hashes again.
        forecast journal verify --head "$(cat head.txt)"  # Whether that head is still in it.
        forecast journal verify -o chain.json  # As a file.
        """,
        "score:verify",
    ),
    Entry(
        "journal export",
        """
        forecast journal export -o journal.jsonl  # With the hashes, to be checked elsewhere.
        forecast journal export --model sample -o journal.csv  # A row for each step.
        """,
        "score:export",
    ),
)
HOUSE = (
    Entry(
        "data",
        """
        forecast data list  # Which tickers are stored, from when to when.
        forecast data export AAPL -o aapl.parquet  # Bars, dividends and splits.
        """,
        also="prices store bars db",
        help="List, verify, export, import, rename and prune prices.",
    ),
    Entry(
        "data list",
        """
        forecast data list
        forecast data list -o stored.csv  # As a file.
        """,
        "data:list_data",
    ),
    Entry(
        "data verify",
        """
        forecast data verify  # Read all that is stored.
        forecast data verify -o findings.json  # As a file.
        """,
        "data:verify",
    ),
    Entry(
        "data export",
        """
        forecast data export AAPL MSFT -o bars.csv  # Two tickers.
        forecast data export -o bars.parquet  # All of them.
        """,
        "data:export",
    ),
    Entry(
        "data import",
        """
        forecast data import sample_data/FB.csv  # Then FB is a ticker like a fetched one.
        forecast data import sample_data/GOOG.csv --calendar XNAS  # With its exchange.
        """,
        "data:bring_in",
    ),
    Entry(
        "data rename",
        """
        forecast data rename FB META  # FB's history goes on as META.
        forecast data rename GOOG GOOGL
        """,
        "data:rename",
    ),
    Entry(
        "data prune",
        """
        forecast data prune META --yes  # Delete one ticker, without asking if it was imported.
        forecast data prune --idle 365  # Those that were not fetched for a year.
        """,
        "data:prune",
    ),
    Entry(
        "models",
        """
        forecast models list  # The one that predict uses is the first.
        forecast models show sample  # Its data, settings and errors.
        """,
        also="model",
        help="List, show and delete trained models.",
    ),
    Entry(
        "models list",
        """
        forecast models list
        forecast models list | head -5  # The newest.
        forecast models list -o models.csv  # As a file.
        """,
        "models:list_models",
    ),
    Entry(
        "models show",
        """
        forecast models show sample  # The one in the box.
        forecast models show fb.forecast  # One in a file.
        forecast models show sample -o card.json  # All that is known of it.
        """,
        "models:show",
    ),
    Entry(
        "models delete",
        """
        forecast models delete mine --yes  # Without a question.
        forecast models delete default --yes
        """,
        "models:delete",
    ),
    Entry(
        "config",
        """
        forecast config show --all  # Every setting, its value and where it comes from.
        forecast config path  # The file of settings.
        """,
        also="settings options",
        help="Show settings and where each comes from.",
    ),
    Entry(
        "config show",
        """
        forecast config show  # What is not at its default.
        forecast config show --all -o settings.json  # Everything, as a file.
        """,
        "config:show",
    ),
    Entry(
        "config path",
        """
        forecast config path
        ls "$(forecast config path)" || true  # In a shell.
        """,
        "config:path",
    ),
    Entry(
        "doctor",
        """
        forecast doctor  # What is wrong with an installation, and how to mend it.
        forecast doctor --quick --format json  # For health checks, in half a second.
        """,
        also="check diagnose info",
    ),
    Entry(
        "export",
        """
        forecast export sample  # As Keras has it, with a description of its inputs.
        forecast export sample -o network.onnx  # For onnxruntime.
        """,
        also="onnx keras convert",
    ),
    Entry(
        "schema",
        """
        forecast schema  # Every document in JSON that commands write.
        forecast schema forecast/1 -o forecast.schema.json  # What predict's JSON holds.
        """,
        "schemas:schema",
        also="schemas",
    ),
    Entry(
        "help",
        """
        forecast help data list  # The page of a command.
        forecast help words  # The glossary.
        forecast help coverage  # One word of it.
        """,
        "help:show_help",
        also="man docs glossary",
    ),
)
