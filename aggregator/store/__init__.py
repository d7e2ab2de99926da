"""All SQL. One database file, `aggregator.db` in the data folder; this package is the only importer of sqlite_utils.

| module | what it answers |
| --- | --- |
| `connection` | how the file is opened; which sentence an SQLite error becomes |
| `writer` | the one thread that owns the writing connection, and its shared transactions |
| `schema` | the tables and their migrations |
| `sources` | what is due, what a poll left |
| `entries` | what is known of an entry, new and changed entries |
| `stories` | entries that wait for their story; stories and copies |
| `filings` | in which categories entries are, why, and what an editor said of it |
| `fingerprints` | what recent entries are compared by; which of them share something with a new one |
| `learned` | what filing learned, and from what it may |
| `publications` | the publication log, dirty marks, what a feed carries |
| `decisions` | what editors said by hand |
| `retention` | what is pruned, and what stays of it |
| `reports` | rows for `export`, `explain` and `status` |
| `exchange` | everything as lines, out of one database and into another |
| `backups` | backup and restore of the whole file |

The functions take the database first, so that several of them make one transaction in one job of the writer.
"""

from sqlite_utils import Database

from aggregator.store import (
    backups,
    decisions,
    entries,
    exchange,
    filings,
    fingerprints,
    learned,
    publications,
    reports,
    retention,
    sources,
    stories,
)
from aggregator.store.connection import FILE_NAME, connect, read_only, require, speaking, turn, writing
from aggregator.store.writer import Writer

__all__ = [
    "FILE_NAME",
    "Database",
    "Writer",
    "backups",
    "connect",
    "decisions",
    "entries",
    "exchange",
    "filings",
    "fingerprints",
    "learned",
    "publications",
    "read_only",
    "reports",
    "require",
    "retention",
    "sources",
    "speaking",
    "stories",
    "turn",
    "writing",
]
