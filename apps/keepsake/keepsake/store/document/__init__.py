"""A store over any server of documents that changes one document at a time: transactions, order and removal are made here."""

from keepsake.store.document.driver import COLLECTIONS, Document, Driver, State
from keepsake.store.document.store import DocumentStore

__all__ = ["COLLECTIONS", "Document", "DocumentStore", "Driver", "State"]
