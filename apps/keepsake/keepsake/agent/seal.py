"""Sealing of what agents, doors and workers hand to each other."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypeVar

import msgspec

from keepsake.agent.value import Line
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.record import Kind, Message, Source

__all__ = ["Draft", "open_draft", "open_lines", "open_value", "seal_draft", "seal_lines", "seal_value"]

#: purpose of the key (`PersonKey.derive`)
PURPOSE = "lane"

T = TypeVar("T")


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message before it has a number: what a client sends as JSON.

    :ivar text: what was said or written; of a page, its text.
    :ivar at: when, epoch seconds; 0: when it came.
    """

    text: str
    at: float = 0.0
    speaker: str = ""
    zone: str = "UTC"
    source: Source = Source()
    received: float = 0.0

    def message(self, stream: str, number: int, kind: Kind) -> Message:
        """The message that it becomes."""
        return Message(
            id=f"{stream}:{number}",
            kind=kind,
            said_at=self.at or self.received,
            received_at=self.received,
            body=self.text,
            speaker=self.speaker,
            zone=self.zone,
            source=self.source,
        )


def seal_value(key: PersonKey, value: Any, about: str) -> bytes:
    """Any plain value, sealed for one place."""
    return key.seal(msgspec.json.encode(value), PURPOSE, about)


def open_value(key: PersonKey, sealed: bytes, kind: type[T], about: str) -> T:
    """What `seal_value` sealed.

    :raises KeepsakeError: ``KS-KEY-002`` where it was not sealed for this place, ``KS-AGENT-005`` where it is no such value.
    """
    content = key.open(sealed, PURPOSE, about)
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise KeepsakeError("KS-AGENT-005", f"what was sealed for {about} is no {kind.__name__}: {error}") from None


def seal_draft(key: PersonKey, draft: Draft, stream: str, number: int) -> bytes:
    """A draft, for one place in one stream."""
    return seal_value(key, draft, f"{stream}:{number}")


def open_draft(key: PersonKey, sealed: bytes, stream: str, number: int) -> Draft:
    """What `seal_draft` sealed."""
    return open_value(key, sealed, Draft, f"{stream}:{number}")


def seal_lines(key: PersonKey, lines: list[Line], stream: str) -> bytes:
    """Lines to be shown."""
    return seal_value(key, [asdict(line) for line in lines], f"lines:{stream}")


def open_lines(key: PersonKey, sealed: bytes, stream: str) -> list[Line]:
    """What `seal_lines` sealed."""
    return open_value(key, sealed, list[Line], f"lines:{stream}")
