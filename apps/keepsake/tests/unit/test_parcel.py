"""Files on their way in: what is durable, what a crash cuts short, what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from keepsake.door.capture import SOCKETS, Capture
from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.pipeline import parcel as module
from keepsake.pipeline.parcel import About, Parcels


@pytest.fixture
def parcels(tmp_path: Path) -> Parcels:
    ring = Ring(tmp_path / "keys")
    for person in ("ada", "bob"):
        ring.make(person)
    house: Any = SimpleNamespace(data=tmp_path, ring=ring)
    return Parcels(house)


def test_parts_follow_each_other_and_lie_sealed(parcels: Parcels, tmp_path: Path) -> None:
    parcel = parcels.make("ada", About(length=600_000, name="secret.txt"))
    content = os.urandom(599_990) + b"canary-zzz"
    assert parcel.append([content[:10], content[10:300_000]]) == 300_000
    again = parcels.find("ada", parcel.id)
    assert again.append([content[300_000:]]) == again.offset() == 600_000
    assert b"".join(again.content()) == content
    assert not any(
        b"canary-zzz" in path.read_bytes() or b"secret" in path.read_bytes() for path in tmp_path.rglob("*.*")
    )


@pytest.mark.parametrize("cut", [1, 3, 10, 5000])
def test_what_a_crash_cut_short_is_cut_off(parcels: Parcels, cut: int) -> None:
    parcel = parcels.make("ada", About(length=20_000, name="x"))
    parcel.append([b"a" * 9000])
    parcel.append([b"b" * 9000])
    os.truncate(parcel._data, parcel._data.stat().st_size - cut)
    assert parcel.offset() == 9000
    assert parcel.append([b"c" * 11_000]) == 20_000
    assert b"".join(parcel.content()) == b"a" * 9000 + b"c" * 11_000


def test_a_part_that_was_changed_is_refused(parcels: Parcels) -> None:
    parcel = parcels.make("ada", About(length=3, name="x"))
    parcel.append([b"abc"])
    with parcel._data.open("r+b") as file:
        file.seek(20)
        file.write(b"!")
    with pytest.raises(KeepsakeError, match="KS-KEY-002"):
        list(parcel.content())


def test_what_is_not_there_or_somebody_elses_is_not_found(parcels: Parcels) -> None:
    parcel = parcels.make("ada", About(length=3, name="x"))
    for person, identity in (("bob", parcel.id), ("ada", "0" * 32), ("ada", "../../keys/master"), ("ada", "")):
        with pytest.raises(KeepsakeError, match="KS-DOOR-010"):
            parcels.find(person, identity)
    parcel.remove()
    with pytest.raises(KeepsakeError, match="KS-DOOR-010"):
        parcels.find("ada", parcel.id)


def test_so_many_are_under_way_at_a_time(parcels: Parcels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UPLOADS", 2)
    first = parcels.make("ada", About(length=3, name="x"))
    parcels.make("ada", About(length=3, name="x"))
    with pytest.raises(KeepsakeError, match="KS-DOOR-013"):
        parcels.make("ada", About(length=3, name="x"))
    parcels.make("bob", About(length=3, name="x"))
    first.note(msgspec.structs.replace(first.about(), state="done"))
    parcels.make("ada", About(length=3, name="x"))


def test_one_request_has_a_file_at_a_time(parcels: Parcels) -> None:
    parcel = parcels.make("ada", About(length=3, name="x"))
    with parcels.held(parcel):
        with pytest.raises(KeepsakeError, match="KS-DOOR-014"), parcels.held(parcel):
            pass
    with parcels.held(parcel):
        pass


def test_what_waits_is_found_and_what_does_not_grow_is_given_up(parcels: Parcels) -> None:
    done = parcels.make("ada", About(length=0, name="x", state="waiting"))
    old = parcels.make("bob", About(length=3, name="x"))
    for path in (old._info, old._data):
        os.utime(path, (0, 0))
    assert [(person, parcel.id) for person, parcel in parcels.waiting()] == [("ada", done.id)]
    assert parcels.all("bob") == []


def test_files_of_somebody_who_was_deleted_go(parcels: Parcels, tmp_path: Path) -> None:
    parcels.make("ada", About(length=3, name="x", state="waiting"))
    parcels.make("bob", About(length=3, name="x"))
    Ring(tmp_path / "keys").destroy("ada")
    assert parcels.waiting() == []
    assert len(list((tmp_path / "uploads").iterdir())) == 1
    assert parcels.left("bob")
    assert parcels.erase("bob") == 1
    assert parcels.left("bob") == []
    assert not list((tmp_path / "uploads").iterdir())


class Socket:
    """A client that hears what is said to it."""

    path_params = {"person": "ada", "stream": "x"}  # noqa: RUF012

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def accept(self) -> None: ...

    async def send_json(self, value: Any) -> None:
        self.heard.append(value)

    async def close(self, code: int, reason: str) -> None:
        self.heard.append(code)


async def test_one_person_has_so_many_connections() -> None:
    socket: Any = Socket()
    house: Any = None
    Capture._open_sockets["ada"] = SOCKETS
    try:
        await Capture.serve(house, socket)
        assert Capture._open_sockets["ada"] == SOCKETS
    finally:
        Capture._open_sockets.clear()
    assert socket.heard[0]["error"] == "KS-DOOR-007"
    assert socket.heard[1] == 1008
