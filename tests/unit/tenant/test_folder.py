"""The operator's folder: what it makes, keeps from others, and refuses."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from natant.errors import TenantError
from natant.fabric.nats import jwt
from natant.fabric.nats.credential import Credentials
from natant.fabric.nats.nkey import OPERATOR
from natant.tenant.folder import ENGINE, OperatorFolder
from natant.tenant.quota import Quota, read_size, size_text
from natant.tenant.record import TenantRecord
from natant.tenant.role import ROLES


class Clock:
    """Epoch seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path, clock: Clock) -> OperatorFolder:
    made = OperatorFolder.create(tmp_path / "operator", clock=clock)
    made.add_tenant("acme", quota=Quota(disk=1 << 30))
    return made


def refused(code: str) -> pytest.RaisesExc[TenantError]:
    return pytest.raises(TenantError, match=code)


def test_nobody_else_may_read_anything(folder: OperatorFolder) -> None:
    folder.add_user("acme", "ann", "writer", 3600)

    for path in [folder.path, *folder.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_operator_signs_with_its_signing_key(folder: OperatorFolder) -> None:
    operator = jwt.read(folder.operator_jwt, OPERATOR)
    account = jwt.read(folder.account_jwt("acme"), OPERATOR)

    assert operator["nats"]["signing_keys"] == [account["iss"]]
    assert operator["nats"]["strict_signing_key_usage"]
    assert operator["iss"] == operator["sub"] != account["iss"]


def test_an_account_has_the_quota_and_a_key_for_each_role(folder: OperatorFolder) -> None:
    claims = jwt.read(folder.account_jwt("acme"), OPERATOR)["nats"]

    assert claims["limits"]["disk_storage"] == 1 << 30
    assert {scope["role"] for scope in claims["signing_keys"]} == set(ROLES)
    assert claims["limits"]["exports"] == 0
    assert len(claims["mappings"]) == 8


def test_opening_again_changes_no_key(folder: OperatorFolder, clock: Clock) -> None:
    again = OperatorFolder.create(folder.path, clock=clock)

    assert again.operator_jwt == folder.operator_jwt
    assert again.tenants() == ["acme"]
    assert set(again.account_jwts()) == {folder.system_public, folder.tenant("acme").account}


def test_a_user_carries_a_name_and_an_end_and_nothing_else(folder: OperatorFolder, clock: Clock) -> None:
    claims = folder.add_user("acme", "ann", "writer", 3600).claims

    assert claims["name"] == "ann"
    assert claims["exp"] == clock.now + 3600
    assert claims["nats"]["pub"] == claims["nats"]["sub"] == {}


def test_a_change_is_newer_even_within_one_second(folder: OperatorFolder) -> None:
    before = folder.tenant("acme").issued
    folder.set_quota("acme", Quota(disk=2 << 30))
    folder.set_quota("acme", Quota(disk=3 << 30))

    assert folder.tenant("acme").issued == before + 2
    assert jwt.peek(folder.account_jwt("acme"))["nats"]["limits"]["disk_storage"] == 3 << 30


def test_who_is_revoked_is_in_the_account_until_its_token_ends_anyway(folder: OperatorFolder, clock: Clock) -> None:
    folder.add_user("acme", "ann", "writer", 3600)
    key = folder.revoke_user("acme", "ann").key

    assert jwt.peek(folder.account_jwt("acme"))["nats"]["revocations"] == {key: clock.now}

    clock.now += 3601
    folder.set_quota("acme", Quota())
    assert jwt.peek(folder.account_jwt("acme"))["nats"]["revocations"] == {}


def test_a_name_is_free_again_once_revoked_or_expired(folder: OperatorFolder, clock: Clock) -> None:
    first = folder.add_user("acme", "ann", "writer", 3600)
    with refused("NT-TENANT-012"):
        folder.add_user("acme", "ann", "reader", 3600)
    clock.now += 3601

    assert folder.add_user("acme", "ann", "reader", None).key.public != first.key.public


def test_revoking_the_engine_makes_new_credentials_for_it(folder: OperatorFolder) -> None:
    before = Credentials.read(folder.engine_creds("acme")).key.public
    folder.revoke_user("acme", ENGINE)

    assert Credentials.read(folder.engine_creds("acme")).key.public != before


def test_a_removed_tenant_leaves_no_key(folder: OperatorFolder) -> None:
    folder.remove_tenant("acme")

    assert folder.tenants() == []
    assert not list((folder.path / "tenants").iterdir())


@pytest.mark.parametrize("name", ["", "a.b", "a*", ">", "a b", "../x", "-a", "_a", "a/b", "a" * 64, "é", "a\n"])
def test_a_name_that_would_leave_its_place_is_refused(folder: OperatorFolder, name: str) -> None:
    with refused("NT-TENANT-009"):
        folder.add_tenant(name, quota=Quota())
    with refused("NT-TENANT-009"):
        folder.add_user("acme", name, "writer", 60)


def test_what_is_not_there_is_told(folder: OperatorFolder, tmp_path: Path) -> None:
    with refused("NT-TENANT-008"):
        folder.tenant("bolt")
    with refused("NT-TENANT-008"):
        folder.add_tenant("acme", quota=Quota())
    with refused("NT-TENANT-012"):
        folder.revoke_user("acme", "nobody")
    with refused("NT-TENANT-012"):
        folder.add_user("acme", "ann", "king", 60)
    with refused("NT-TENANT-007"):
        OperatorFolder.open(tmp_path / "nothing")


def test_a_folder_that_others_may_read_is_refused(folder: OperatorFolder) -> None:
    folder.path.chmod(0o755)
    with refused("NT-TENANT-007"):
        OperatorFolder.open(folder.path)
    folder.path.chmod(0o700)
    (folder.path / "signing.nk").chmod(0o644)
    with refused("NT-TENANT-007"):
        folder.set_quota("acme", Quota())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 1}', "\x00"])
def test_a_damaged_record_is_refused(text: str) -> None:
    with refused("NT-TENANT-007"):
        TenantRecord.from_json(text, "tenant.json")


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("512MB", 512 << 20), ("10g", 10 << 30), ("1 GiB", 1 << 30), ("unlimited", -1)]
)
def test_sizes(text: str, size: int) -> None:
    assert read_size(text) == size
    assert read_size(size_text(size)) == size


@pytest.mark.parametrize("text", ["", "ten", "-5", "1.5GB", "10PB", "GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with refused("NT-TENANT-010"):
        read_size(text)


def test_credentials_are_read_back(folder: OperatorFolder, tmp_path: Path) -> None:
    made = folder.add_user("acme", "ann", "writer", 3600)
    made.write(tmp_path / "ann.creds")
    read = Credentials.read(tmp_path / "ann.creds")

    assert (read.token, read.key.seed) == (made.token, made.key.seed)


@pytest.mark.parametrize("text", ["", "nothing", "-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------"])
def test_what_are_no_credentials_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.creds").write_text(text)
    with refused("NT-TENANT-001"):
        Credentials.read(tmp_path / "x.creds")
    with refused("NT-TENANT-001"):
        Credentials.read(tmp_path / "missing.creds")


def test_a_client_makes_a_door_token_only_now_and_then(
    folder: OperatorFolder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = folder.add_user("acme", "ann", "writer", 3600)
    monkeypatch.setattr("natant.fabric.nats.credential.time.time", clock)
    first = ann.auth()
    clock.now += 149

    assert ann.auth() == first
    clock.now += 1
    assert ann.auth() != first
