"""Importers: each turns a file of some program into messages."""

from keepsake.source.contract import Choice, Part, Post, Recording, Remark
from keepsake.source.importer import IMPORTERS, open_source

__all__ = ["IMPORTERS", "Choice", "Part", "Post", "Recording", "Remark", "open_source"]
