"""``natant tenant``, ``natant user`` and ``natant run --tenant``: from nothing to a tenant's plane, and what is refused."""

from __future__ import annotations

import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from natant.fabric.nats.credential import Credentials
from tests.support.command import Done, Process, here

PLANE = str(Path(__file__).with_name("plane.py"))


class Operator:
    """Commands for one operator's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"NATANT_OPERATOR": str(folder / "operator")}

    def __call__(self, *words: str) -> Done:
        return here(*words, environment=self.environment)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


@pytest.fixture
def served(operator: Operator) -> Iterator[Operator]:
    """Two tenants and their server."""
    for name in ("acme", "bolt"):
        assert operator("tenant", "add", name, "--partitions", "4").code == 0
    with Process(
        "tenant", "serve", "--port", "0", "--json", folder=operator.folder, environment=operator.environment
    ) as server:
        assert server.json()["tenants"] == ["acme", "bolt"]
        yield operator


def test_a_tenant_is_added_shown_changed_and_removed(operator: Operator) -> None:
    added = operator("tenant", "add", "acme", "--disk", "1GB")
    assert added.out.startswith("A")
    assert "no server is known yet" in added.err
    assert operator("tenant", "ls", "--json").json()["quota"]["disk"] == 1 << 30
    changed = operator("tenant", "quota", "acme", "--memory", "1MB", "--connections", "unlimited", "--json")
    assert (changed.json()["memory"], changed.json()["connections"], changed.json()["disk"]) == (1 << 20, -1, 1 << 30)
    assert "unlimited" in operator("tenant", "quota", "acme").out
    assert operator("tenant", "rm", "acme").err.startswith("NT-CLI-008")
    assert operator("tenant", "rm", "acme", "--yes").code == 0
    assert operator("tenant", "ls").err == "there are no tenants\n"


def test_credentials_are_printed_or_written_for_their_owner_only(operator: Operator) -> None:
    operator("tenant", "add", "acme")
    file = operator.folder / "ann.creds"
    assert operator("user", "add", "acme", "ann", "--role", "reader", "--out", str(file)).code == 0

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Credentials.read(file).claims["name"] == "ann"
    assert operator("user", "add", "acme", "bob").out.startswith("-----BEGIN NATS USER JWT-----")
    assert "TLS" in operator("user", "add", "acme", "d1", "--role", "device").err
    rows = operator("user", "ls", "acme").lines()
    assert [row.split()[:2] for row in rows[1:]] == [
        ["ann", "reader"],
        ["bob", "writer"],
        ["d1", "device"],
        ["engine", "engine"],
    ]
    token = operator("user", "token", str(file)).out.strip()
    assert token.count(".") == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("tenant", "add", "a.b"), "NT-TENANT-009"),
        (("tenant", "add", "new", "--disk", "much"), "NT-TENANT-010"),
        (("tenant", "add", "acme"), "NT-TENANT-008"),
        (("tenant", "quota", "bolt"), "NT-TENANT-008"),
        (("tenant", "rm", "bolt", "--yes"), "NT-TENANT-008"),
        (("tenant", "push", "--nats", "nats://127.0.0.1:1"), "NT-FABRIC-004"),
        (("user", "add", "acme", "ann", "--role", "king"), "NT-TENANT-012"),
        (("user", "add", "acme", "ann", "--expires", "soon"), "NT-TENANT-010"),
        (("user", "add", "acme", "engine"), "NT-TENANT-012"),
        (("user", "revoke", "acme", "nobody"), "NT-TENANT-012"),
        (("user", "token", "nothing.creds"), "NT-TENANT-001"),
        (("run", PLANE, "--tenant", "acme"), "NT-CLI-001"),
        (("run", PLANE, "--tenant", "bolt", "--nats"), "NT-TENANT-008"),
    ],
)
def test_what_cannot_be_is_refused(operator: Operator, words: tuple[str, ...], code: str) -> None:
    operator("tenant", "add", "acme")
    done = operator(*words)

    assert done.code in (1, 2, 3)
    assert done.err.startswith(code)


@pytest.mark.slow
@pytest.mark.parametrize("more", [("--volatile",), ("--workers", "2")], ids=["one process", "two workers"])
def test_a_tenants_plane_takes_its_users_until_they_are_revoked(served: Operator, more: tuple[str, ...]) -> None:
    operator, folder = served, served.folder
    for tenant, name in (("acme", "ann"), ("bolt", "eve")):
        assert operator("user", "add", tenant, name, "--out", str(folder / f"{name}.creds")).code == 0

    def bearer(name: str) -> dict[str, str]:
        return {"authorization": f"Bearer {operator('user', 'token', str(folder / f'{name}.creds')).out.strip()}"}

    words = ("run", PLANE, "--tenant", "acme", *more, "--port", "0", "--json")
    with Process(*words, folder=folder, environment=operator.environment) as plane:
        url = plane.json()["url"]
        assert httpx.get(f"{url}/-/nodes").status_code == 401
        assert httpx.get(f"{url}/-/nodes", headers=bearer("ann")).status_code == 200
        assert httpx.get(f"{url}/-/nodes", headers=bearer("eve")).json()["code"] == "NT-TENANT-004"
        assert operator("ls", "--at", url).err.startswith("NT-SERVER-020")
        assert "tenant_tokens_of_others" in httpx.get(f"{url}/metrics", headers=bearer("ann")).text
        assert operator("user", "revoke", "acme", "ann").err == "in effect at 1 server\n"
        deadline_s = time.monotonic() + 10
        while (answer := httpx.get(f"{url}/-/nodes", headers=bearer("ann"))).status_code == 200:
            assert time.monotonic() < deadline_s
        assert answer.json()["code"] == "NT-TENANT-005"


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--workers", "2")], ids=["one process", "two workers"])
def test_a_plane_may_start_the_server_of_its_tenants_itself(operator: Operator, more: tuple[str, ...]) -> None:
    operator("tenant", "add", "acme", "--partitions", "4")
    words = ("run", PLANE, "--tenant", "acme", "--nats", *more, "--data", "data", "--port", "0", "--json")
    with Process(*words, folder=operator.folder, environment=operator.environment) as plane:
        assert plane.json()["nats"]["url"].startswith("nats://")
        assert operator("tenant", "add", "bolt").err == "in effect at 1 server\n"
        assert operator("tenant", "rm", "bolt", "--yes").err.startswith("0 streams deleted")
    assert (
        "it takes" in operator("tenant", "quota", "acme", "--disk", "1GB").err
        or "no server" in operator("tenant", "push").err
    )


@pytest.mark.slow
def test_a_change_made_while_the_server_is_down_is_in_effect_when_it_starts(operator: Operator) -> None:
    for name in ("acme", "bolt"):
        operator("tenant", "add", name)
    words = ("tenant", "serve", "--port", "0", "--json")
    environment, folder = operator.environment, operator.folder
    with Process(*words, folder=folder, environment=environment) as server:
        assert server.json()["tenants"] == ["acme", "bolt"]
        server.end(signal.SIGKILL)
    assert operator("tenant", "rm", "bolt", "--yes").err.startswith("NT-FABRIC-004")
    assert "when it starts" in operator("tenant", "rm", "bolt", "--yes", "--keep-data").err
    assert "when it starts" in operator("tenant", "quota", "acme", "--streams", "7").err
    with Process(*words, folder=folder, environment=environment) as server:
        assert server.json()["tenants"] == ["acme"]
        assert operator("tenant", "push").err == "in effect at 1 server\n"
