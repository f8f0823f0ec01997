"""Rows of the table of a cluster: what members and owners look like in it, and what is read from rows that others wrote."""

from __future__ import annotations

from typing import Any

from natant.fabric.contract import Member, Owner
from natant.fabric.nats.table import Entry

__all__ = ["member_of", "member_row", "owner_of", "owner_row"]


def member_row(member: Member) -> dict[str, Any]:
    """The row of a member."""
    return {"info": dict(member.info), "leaving": member.is_leaving}


def member_of(worker: str, entry: Entry | None) -> Member | None:
    """The member of a row; None where there is none, or where the row is not one of ours."""
    value = entry.value if entry else None
    if not isinstance(value, dict) or not isinstance(value.get("info"), dict):
        return None
    return Member(worker, value["info"], value.get("leaving") is True)


def owner_row(worker: str) -> dict[str, Any]:
    """The row of a claim."""
    return {"worker": worker}


def owner_of(entry: Entry | None) -> Owner | None:
    """The claim of a row, its revision as the epoch; None where there is none."""
    value = entry.value if entry else None
    if entry is None or not isinstance(value, dict) or not isinstance(value.get("worker"), str):
        return None
    return Owner(value["worker"], entry.revision)
