"""Anchors: heads that were noted bind the log for ever, whoever holds its keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keepsake.custody import Action, Log, note
from keepsake.custody.anchor import FileAnchor, anchor_log
from keepsake.custody.witness import PeerAnchor, Witness
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.store.contract import Store

WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def fill(log: Log, store: Store, count: int, word: str = "entry") -> None:
    with store.write() as writer:
        for number in range(count):
            log.append(writer, Action.STORED, f"diary:{word}{number}", by="ann")


@pytest.fixture
def witness(tmp_path: Path, log: Log, clock: Any) -> Witness:
    return Witness("peer.example", WITNESS_KEY, tmp_path / "witness.db", {log.origin: log.public}.get, clock)


@pytest.fixture
def peer(witness: Witness) -> PeerAnchor:
    def answer(request: httpx.Request) -> httpx.Response:
        reply = witness.add(request.content)
        return httpx.Response(reply.status, text=reply.text)

    return PeerAnchor(
        "http://peer.example/",
        "peer.example",
        witness.public,
        client=httpx.Client(transport=httpx.MockTransport(answer)),
    )


@pytest.fixture
def rewritten(make_store: Any, key: PersonKey, clock: Any) -> Log:
    """A log of the same person whose history is another one."""
    store = make_store("ann")
    log = Log(store, key, clock)
    fill(log, store, 20, "other")
    return log


@pytest.mark.parametrize("kind", ["file", "peer"])
def test_a_head_that_was_anchored_binds_the_log(
    kind: str, tmp_path: Path, peer: PeerAnchor, log: Log, store: Store, rewritten: Log
) -> None:
    anchor = FileAnchor(tmp_path / "anchor.jsonl", lambda: 0.0) if kind == "file" else peer
    for count in (3, 4, 300):
        fill(log, store, count)
        assert anchor.put(log, log.checkpoint())
    assert anchor.put(log, log.checkpoint())

    with pytest.raises(KeepsakeError, match="KS-CUSTODY-015"):
        anchor.put(rewritten, rewritten.checkpoint())


def test_anchoring_is_noted_in_the_log_and_not_for_its_own_sake(
    tmp_path: Path, log: Log, store: Store, clock: Any
) -> None:
    anchor = FileAnchor(tmp_path / "anchor.jsonl", clock)
    fill(log, store, 3)

    assert anchor_log(store, log, anchor) == "anchor.jsonl: keepsake/person/ann 3"
    assert anchor_log(store, log, anchor) is None
    fill(log, store, 1)
    assert anchor_log(store, log, anchor) == "anchor.jsonl: keepsake/person/ann 5"
    kept = json.loads(store.document("anchor", "file") or b"")
    assert note.verify(kept["checkpoint"], log.public).size == kept["size"] == 5


def test_a_file_whose_last_line_was_cut_off_goes_on(tmp_path: Path, log: Log, store: Store, clock: Any) -> None:
    anchor, path = FileAnchor(tmp_path / "anchor.jsonl", clock), tmp_path / "anchor.jsonl"
    fill(log, store, 3)
    anchor.put(log, log.checkpoint())
    with path.open("a") as file:
        file.write('{"at": 1, "check\n')
    fill(log, store, 3)
    anchor.put(log, log.checkpoint())

    last = anchor.last(log.origin)
    assert last is not None
    assert last.size == 6


def test_a_cosignature_says_when_and_is_checked(peer: PeerAnchor, witness: Witness, log: Log, store: Store) -> None:
    fill(log, store, 3)
    signed = peer.put(log, log.checkpoint())

    checkpoint = note.verify(signed, log.public)
    line = signed.splitlines()[-1]
    assert [name for name, _, _ in checkpoint.signatures] == [log.origin, "peer.example"]
    assert note.verify_cosignature(checkpoint, line, "peer.example", witness.public) == 1_700_000_000
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-004"):
        note.verify_cosignature(checkpoint, line, "peer.example", log.public)


def test_a_witness_remembers_when_it_starts_again(
    tmp_path: Path, witness: Witness, peer: PeerAnchor, log: Log, store: Store, clock: Any
) -> None:
    fill(log, store, 3)
    peer.put(log, log.checkpoint())
    again = Witness("peer.example", WITNESS_KEY, tmp_path / "witness.db", {log.origin: log.public}.get, clock)
    fill(log, store, 1)

    assert again.add(f"old 0\n\n{log.checkpoint()}".encode()).status == 409
    assert again.add(f"old 0\n\n{log.checkpoint()}".encode()).text == "3\n"


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("", 400),
        ("old x\n\n{}", 400),
        ("old 99\n\n{}", 400),
        ("old 0\n!!\n\n{}", 400),
        ("old 0\n" + "AAAA\n" * 70 + "\n{}", 400),
        ("old 0\nAAAA\n\n{}", 422),
        ("old 2\n\n{}", 409),
        ("old 0\n\n{}", 200),
    ],
)
def test_a_witness_answers_as_the_protocol_says(
    witness: Witness, log: Log, store: Store, request_text: str, status: int
) -> None:
    fill(log, store, 3)

    assert witness.add(request_text.replace("{}", log.checkpoint()).encode()).status == status


def test_a_witness_follows_only_whom_it_trusts(witness: Witness, clock: Any, make_store: Any) -> None:
    for person, secret, status in (("bob", bytes(32), 404), ("ann", bytes(32), 403)):
        store = make_store(person)
        log = Log(store, PersonKey(person, secret), clock)
        fill(log, store, 1)
        assert witness.add(f"old 0\n\n{log.checkpoint()}".encode()).status == status


@pytest.mark.parametrize("status", [200, 409, 500])
def test_a_witness_that_answers_nonsense_is_not_believed(log: Log, store: Store, status: int) -> None:
    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(status, text="nonsense\n")))
    fill(log, store, 3)

    with pytest.raises(KeepsakeError, match=r"KS-CUSTODY-0(03|15|16)"):
        PeerAnchor("http://x", "peer.example", bytes(32), client=client).put(log, log.checkpoint())


def test_a_witness_that_cannot_be_reached_is_said(log: Log, store: Store) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    client = httpx.Client(transport=httpx.MockTransport(fail))
    fill(log, store, 3)

    with pytest.raises(KeepsakeError, match="KS-CUSTODY-016"):
        PeerAnchor("http://x", "peer.example", bytes(32), client=client).put(log, log.checkpoint())
