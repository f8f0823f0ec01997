"""The store in PostgreSQL with pgvector: a role and a schema a person, which nobody else's role can enter; contents sealed."""

from keepsake.store.postgres.store import PostgresStore, PostgresStores

__all__ = ["PostgresStore", "PostgresStores"]
