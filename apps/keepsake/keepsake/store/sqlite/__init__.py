"""The store that needs no service: one encrypted SQLite file a person, with rows, full text and vectors."""

from keepsake.store.sqlite.store import SqliteStore, SqliteStores

__all__ = ["SqliteStore", "SqliteStores"]
