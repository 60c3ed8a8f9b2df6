"""A price store of version 1, as its program made it: every table, and two rows in the journal."""

from __future__ import annotations

from sqlalchemy import create_engine

TABLES = """
CREATE TABLE store_info (
    "key" VARCHAR(32) NOT NULL, value VARCHAR(255) NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE histories (
    id {serial} NOT NULL, ticker VARCHAR(255) NOT NULL, source VARCHAR(255) NOT NULL,
    currency VARCHAR(16), exchange VARCHAR(32), calendar VARCHAR(32), timezone VARCHAR(64),
    adjusted BOOLEAN NOT NULL, since INTEGER, answered BIGINT NOT NULL,
    PRIMARY KEY (id), UNIQUE (ticker));
CREATE TABLE bars (
    history_id INTEGER NOT NULL, session INTEGER NOT NULL, open {double}, high {double},
    low {double}, close {double} NOT NULL, adjusted_close {double} NOT NULL, volume {double},
    PRIMARY KEY (history_id, session),
    FOREIGN KEY(history_id) REFERENCES histories (id) ON DELETE CASCADE){no_rowid};
CREATE TABLE actions (
    history_id INTEGER NOT NULL, session INTEGER NOT NULL, kind VARCHAR(8) NOT NULL,
    value {double} NOT NULL, PRIMARY KEY (history_id, session, kind),
    FOREIGN KEY(history_id) REFERENCES histories (id) ON DELETE CASCADE){no_rowid};
CREATE TABLE calendars (
    calendar VARCHAR(32) NOT NULL, known_from INTEGER NOT NULL, known_until INTEGER NOT NULL,
    asked_from INTEGER NOT NULL, asked_until INTEGER NOT NULL, PRIMARY KEY (calendar));
CREATE TABLE exchange_sessions (
    calendar VARCHAR(32) NOT NULL, session INTEGER NOT NULL, closes BIGINT NOT NULL,
    PRIMARY KEY (calendar, session),
    FOREIGN KEY(calendar) REFERENCES calendars (calendar) ON DELETE CASCADE){no_rowid};
CREATE TABLE fetches (
    id {serial} NOT NULL, ticker VARCHAR(255) NOT NULL, source VARCHAR(255) NOT NULL,
    at BIGINT NOT NULL, outcome VARCHAR(16) NOT NULL, detail VARCHAR(1000) NOT NULL,
    PRIMARY KEY (id));
CREATE INDEX ix_fetches_ticker ON fetches (ticker);
CREATE TABLE runs (
    run VARCHAR(32) NOT NULL, task VARCHAR(64) NOT NULL, started BIGINT NOT NULL, finished BIGINT,
    PRIMARY KEY (run));
CREATE INDEX ix_runs_task ON runs (task);
CREATE TABLE journal (
    number INTEGER NOT NULL, run VARCHAR(32) NOT NULL, created BIGINT NOT NULL,
    model VARCHAR(255) NOT NULL, model_id VARCHAR(64) NOT NULL, model_hash VARCHAR(64) NOT NULL,
    ticker VARCHAR(255) NOT NULL, cutoff INTEGER NOT NULL, fingerprint VARCHAR(64) NOT NULL,
    last_close {double} NOT NULL, currency VARCHAR(16), horizon INTEGER NOT NULL,
    steps TEXT NOT NULL, hash VARCHAR(64) NOT NULL, PRIMARY KEY (number));
CREATE INDEX journal_forecast ON journal (ticker, cutoff, model_id)
"""

HASHES = (
    "736d507378461508a3a3329f28a8f81c81f4f5e0579050c6ea80753e83cd3fd0",
    "9d439cec84e4da63393cbf5f1a63ab0f53e34e7ad852f43e37c9f5d5ebd5442c",
)
"""Of its two rows, as version 1 computed them."""

STEPS = (
    '[{"step":1,"session":"2026-03-03","session_estimated":false,"naive":100.0,'
    '"quantiles":{"0.05":97.0,"0.5":100.1,"0.95":103.3}}]'
)
ROWS = f"""
INSERT INTO store_info VALUES ('version', '1'), ('journal_head', '2:{HASHES[1]}');
INSERT INTO journal VALUES
    (1, 'run-1', 1772490600, 'default', 'abc123def456', '{"f" * 64}', 'ABC', 20260302,
     '{"a" * 64}', 100.0, 'USD', 1, '{STEPS}', '{HASHES[0]}'),
    (2, 'run-1', 1772490600, 'default', 'abc123def456', '{"f" * 64}', 'XYZ', 20260302,
     '{"a" * 64}', 100.0, NULL, 1, '{STEPS}', '{HASHES[1]}')
"""


def make(address: str) -> None:
    """Make one."""
    sqlite = address.startswith("sqlite")
    tables = TABLES.format(
        serial="INTEGER" if sqlite else "SERIAL",
        double="DOUBLE" if sqlite else "DOUBLE PRECISION",
        no_rowid=" WITHOUT ROWID" if sqlite else "",
    )
    engine = create_engine(address)
    with engine.begin() as connection:
        for statement in f"{tables};{ROWS}".split(";"):
            connection.exec_driver_sql(statement)
    engine.dispose()
