"""Where a text is still to be found in a file: the proof of a deletion."""

from __future__ import annotations

from keepsake.store.needle import Needle
from keepsake.store.sqlite.file import PAGE_BYTES, File
from keepsake.store.sqlite.page import log_pages, pages
from keepsake.words.term import terms

__all__ = ["places"]


def places(file: File, text: str) -> list[str]:
    """Names of the tables and other places that hold a text, in order.

    Tables are asked row by row, those too in which the full text keeps itself; the full text also by terms, and for terms of rows
    that are no more.  Where no table has it, all pages of the file and of its log are looked at, the free ones too.
    """
    needle = Needle(text)
    found = set()
    file.truncate()
    for name, sql in file.all("select name, sql from sqlite_schema where type = 'table' and name not like 'sqlite_%'"):
        if sql.startswith("CREATE VIRTUAL"):
            continue
        values = (value for row in file.each(f'select * from "{name}"') for value in row)  # noqa: S608  names from the schema
        if needle.is_in_any(values):
            found.add(str(name))
    wanted = terms(text)
    if wanted and _has_terms(file, wanted):
        found.add("words")
    if not found and needle.is_in_any(pages(file.path, file.secret, PAGE_BYTES)):
        found.add("free page")
    if not found and needle.is_in_any(log_pages(file.log, file.secret, PAGE_BYTES)):
        found.add("log")
    if any(needle.is_in(path.read_bytes()) for path in file.path.parent.iterdir() if path.is_file()):
        found.add("file")
    return sorted(found)


def _has_terms(file: File, wanted: list[str]) -> bool:
    """Whether the full text has them one after the other, or any of them for a memory that is gone."""
    phrase = " ".join(wanted)
    if file.all("select 1 from words where words match ? limit 1", (f'"{phrase}"',)):
        return True
    file.do("create virtual table if not exists temp.term using fts5vocab('main', 'words', 'instance')")
    try:
        question = "select 1 from temp.term where term = ? and doc not in (select row from memory) limit 1"
        return any(file.all(question, (term,)) for term in set(wanted))
    finally:
        file.do("drop table temp.term")
