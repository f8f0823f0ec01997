"""Names of streams, and the notes by which an import goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepsake.errors import KeepsakeError
from keepsake.source.contract import Post
from keepsake.source.stream import NOTES, Digest, Ledger, stream_of


def test_a_stream_is_named_by_its_source_and_first_post() -> None:
    first = Post("Hello", 1.0)

    assert stream_of("mail", "Inbox", first) == stream_of("mail", "Inbox", Post("Hello", 1.0, at=7))
    others = [("mail", "Sent", first), ("slack", "Inbox", first), ("mail", "Inbox", Post("Hello", 2.0))]
    assert stream_of("mail", "Inbox", first) not in {stream_of(*other) for other in others}
    assert len(stream_of("mail", "Inbox", first)) < 63


def test_a_digest_tells_posts_apart() -> None:
    one, other = Digest(), Digest()
    one.add(Post("ab", 1.0))
    one.add(Post("c", 1.0))
    other.add(Post("a", 1.0))
    other.add(Post("bc", 1.0))

    assert one.value() != other.value()


def test_notes_are_kept_and_thinned_out(tmp_path: Path) -> None:
    ledger, digest = Ledger(tmp_path / "notes"), Digest()
    assert ledger.notes("mail-1") == {}

    for number in range(3 * NOTES):
        digest.add(Post(str(number), 1.0))
        ledger.note("mail-1", digest)

    known = Ledger(tmp_path / "notes").notes("mail-1")
    assert len(known) == NOTES
    assert known[3 * NOTES] == digest.value()


def test_a_ledger_that_cannot_be_written_is_a_coded_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(KeepsakeError, match="KS-SOURCE-006"):
        Ledger(tmp_path / "file" / "notes").note("mail-1", Digest())
