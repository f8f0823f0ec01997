"""An import: parts of files become streams of the service, each begun where it stopped the last time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Final

from keepsake.cli.capture import Capture
from keepsake.errors import KeepsakeError
from keepsake.source.contract import Part, Post, Recording, Remark
from keepsake.source.stream import Digest, Ledger, stream_of, stream_of_recording

__all__ = ["Intake", "Report"]

#: posts after which a note is made of what is sent
NOTE_POSTS: Final = 4096
#: of the digest of the whole file that is added to the name of a stream of its own
FORK_DIGITS: Final = 8


@dataclass(slots=True)
class Report:
    """What became of a part.

    :ivar sent: posts, or pieces of sound, that were sent now; ``passed`` those that were there already.
    :ivar end: number behind the last one.
    """

    name: str
    stream: str = ""
    sent: int = 0
    passed: int = 0
    end: int = 0
    remarks: list[Remark] = field(default_factory=list)


@dataclass(slots=True)
class Intake:
    """Imports for one person.

    :ivar door: opens a stream, by its name and options.
    :ivar zone: sent with every post, so that "yesterday" is understood.
    :ivar told: hears the bytes of the part that are done, and how many pieces are durable.
    """

    door: Callable[[str, dict[str, str]], Capture]
    ledger: Ledger
    zone: str
    told: Callable[[int, int], None]

    async def part(self, part: Part) -> Report:
        """Import posts."""
        report = Report(part.name)
        first = next((unit for unit in part.read() if isinstance(unit, Post)), None)
        if first is None:
            report.remarks += [unit for unit in part.read() if isinstance(unit, Remark)]
            return report
        name = stream_of(part.app, part.name, first)
        async with AsyncExitStack() as stack:
            capture = await stack.enter_async_context(self.door(name, {"kind": "text"}))
            if capture.next and not _is_known(part, self.ledger.notes(name)):
                name = f"{name}-{_whole(part)[:FORK_DIGITS]}"
                report.remarks.append(
                    Remark(0, f"its beginning is not the one imported before; it goes to {name}", is_fault=False)
                )
                capture = await stack.enter_async_context(self.door(name, {"kind": "text"}))
            report.stream, report.passed = name, capture.next
            ends: list[int] = []
            pieces = self._posts(part, capture.next, report, ends)
            await capture.send(pieces, lambda count: self.told(ends[min(count, len(ends)) - 1] if ends else 0, count))
        report.end = len(ends)
        report.passed = min(report.passed, report.end)
        report.sent = report.end - report.passed
        return report

    async def _posts(self, part: Part, begin: int, report: Report, ends: list[int]) -> AsyncIterator[tuple[int, str]]:
        """The posts from a number on, each noted before it is sent; ``ends`` gets the bytes up to the end of each."""
        digest, units = Digest(), _sift(part, report.remarks)
        while chunk := list(islice(units, NOTE_POSTS)):
            number = digest.count
            for post in chunk:
                digest.add(post)
                ends.append(post.at)
            if digest.count <= begin:
                continue
            await asyncio.to_thread(self.ledger.note, report.stream, digest)
            for place, post in enumerate(chunk, number):
                if place >= begin:
                    yield place, self._text(place, post, report)

    def _text(self, number: int, post: Post, report: Report) -> str:
        now = time.time()
        if post.said_at > now:  # a mistake, or a plan; it was written by now in any case
            report.remarks.append(
                Remark(0, f"dated {post.said_at - now:.0f} s ahead; stored as of now: {post.text[:40]!r}")
            )
            post = replace(post, said_at=now)
        source = {name: value for name, value in asdict(post.source).items() if value}
        piece = {"n": number, "at": post.said_at, "text": post.text, "speaker": post.speaker, "zone": self.zone}
        return json.dumps({**piece, "source": source}, ensure_ascii=False)

    async def recording(self, recording: Recording) -> Report:
        """Import sound."""
        name = stream_of_recording(recording)
        report = Report(recording.name, name)
        options = {"kind": "audio", "codec": "pcm", "rate": str(recording.rate), "at": f"{recording.said_at:.3f}"}
        ends: list[int] = []
        async with self.door(name, options) as capture:
            report.passed = capture.next
            pieces = _samples(recording, capture.next, report, ends)
            await capture.send(pieces, lambda count: self.told(ends[min(count, len(ends)) - 1] if ends else 0, count))
        report.end = len(ends)
        report.passed = min(report.passed, report.end)
        report.sent = report.end - report.passed
        return report


async def _samples(
    recording: Recording, begin: int, report: Report, ends: list[int]
) -> AsyncIterator[tuple[int, bytes]]:
    try:
        for number, (samples, at) in enumerate(recording.read()):
            ends.append(at)
            if number >= begin:
                yield number, number.to_bytes(4, "big") + samples
    except KeepsakeError as error:
        report.remarks.append(Remark(0, str(error), recording.name))


def _sift(part: Part, remarks: list[Remark]) -> Iterator[Post]:
    """The posts; remarks are put aside."""
    for unit in part.read():
        if isinstance(unit, Post):
            yield unit
        else:
            remarks.append(unit)


def _is_known(part: Part, notes: dict[int, str]) -> bool:
    """Whether the part begins with what was sent from here."""
    if not notes:
        return False
    newest = max(notes)
    digest = Digest()
    for post in _sift(part, []):
        digest.add(post)
        if digest.count == newest:
            return digest.value() == notes[newest]
    return False


def _whole(part: Part) -> str:
    digest = Digest()
    for post in _sift(part, []):
        digest.add(post)
    return digest.value()
