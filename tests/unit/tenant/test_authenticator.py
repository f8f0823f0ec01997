"""Who is let in at a tenant's doors, and who is not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from natant.codec.recon.value import Record
from natant.errors import TenantError
from natant.fabric.nats import jwt
from natant.fabric.nats.credential import DOOR_TYPE, TOKEN_LIFE_MAX_S, Credentials
from natant.fabric.nats.nkey import ACCOUNT, OPERATOR, USER, KeyPair
from natant.link.identity import ANONYMOUS, Identity, Refusal
from natant.tenant.account import Account
from natant.tenant.authenticator import KNOWN_LIMIT, Authenticator
from natant.tenant.folder import OperatorFolder
from natant.tenant.quota import Quota

NOW = 1_800_000_000.0


class World:
    """Two tenants, and the door of the first."""

    def __init__(self, path: Path) -> None:
        self.now = NOW
        self.folder = OperatorFolder.create(path, clock=lambda: self.now)
        for name in ("acme", "bolt"):
            self.folder.add_tenant(name, quota=Quota())
        self.door = Authenticator(self.account(), clock=lambda: self.now)

    def account(self, name: str = "acme") -> Account:
        return Account.read(self.folder.account_jwt(name))

    def user(
        self, name: str = "ann", role: str = "writer", *, tenant: str = "acme", life_s: int = 86_400
    ) -> Credentials:
        return self.folder.add_user(tenant, name, role, life_s)

    def show(self, token: object) -> Identity | Refusal:
        return self.door(Record.of({"token": token}), "/")

    def code(self, token: object) -> str:
        verdict = self.show(token)
        assert isinstance(verdict, Refusal)
        assert isinstance(verdict.error, TenantError)
        assert verdict.error.context.get("http_status", 401) in (401, 403)
        return verdict.error.code


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "operator")


def forged(credentials: Credentials, key: KeyPair | None = None, **changed: Any) -> str:
    """A door token with other claims, or signed by another key."""
    claims = jwt.peek(credentials.door_token(NOW))
    return jwt.write({**claims, **changed}, key or credentials.key)


def test_a_user_is_let_in(world: World) -> None:
    ann = world.user()
    identity = world.show(ann.door_token(NOW))

    assert isinstance(identity, Identity)
    assert identity.name == "ann"
    assert identity.claims == {
        "tenant": world.account().public,
        "user": "ann",
        "key": ann.key.public,
        "role": "writer",
        "issued": NOW,
        "expires": NOW + 86_400,
    }


def test_who_asks_over_nats_was_let_in_by_the_servers(world: World) -> None:
    stranger = Authenticator(world.account("bolt")).unnamed()

    assert world.door.may(world.door.unnamed(), "command", "/vehicle/7", "drive")
    assert not world.door.may(stranger, "command", "/vehicle/7", "drive")


def test_what_was_verified_is_remembered_until_it_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = world.user().door_token(NOW)
    first = world.show(token)
    monkeypatch.setattr(jwt, "read", lambda *_: pytest.fail("verified again"))

    assert world.show(token) is first
    world.now += 301
    assert world.code(token) == "NT-TENANT-003"


def test_what_is_remembered_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natant.tenant.authenticator.KNOWN_LIMIT", 3)
    ann = world.user()
    for second in range(10):
        assert isinstance(world.show(ann.door_token(NOW - second)), Identity)

    assert len(world.door._known) <= 3 < KNOWN_LIMIT


@pytest.mark.parametrize("token", [None, "", 7, "x", "a.b.c", "x" * 9000])
def test_nonsense_is_refused(world: World, token: object) -> None:
    assert world.code(token) == "NT-TENANT-002"


@pytest.mark.parametrize("credentials", [None, "text", Record.of({}), Record.of({"jwt": "x"})])
def test_credentials_without_a_token_are_refused(world: World, credentials: object) -> None:
    assert isinstance(world.door(credentials, "/"), Refusal)
    assert world.door.refused == {"NT-TENANT-002": 1}


def test_a_users_token_alone_is_refused(world: World) -> None:
    assert world.code(world.user().token) == "NT-TENANT-006"


def test_a_stolen_users_token_in_somebody_elses_door_token_is_refused(world: World) -> None:
    ann, thief = world.user("ann"), KeyPair.make(USER)

    assert world.code(forged(ann, thief)) == "NT-TENANT-006"
    assert world.code(forged(ann, thief, sub=thief.public)) == "NT-TENANT-006"


def test_a_forged_signature_is_refused(world: World) -> None:
    ann = world.user()
    head, _, _ = ann.door_token(NOW).rpartition(".")
    _, _, other = ann.door_token(NOW - 1).rpartition(".")

    assert world.code(f"{head}.{other}") == "NT-TENANT-002"


def test_a_user_of_another_tenant_is_refused(world: World) -> None:
    mallory = world.user("ann", tenant="bolt")

    assert world.code(mallory.door_token(NOW)) == "NT-TENANT-004"
    assert world.code(forged(mallory, aud=world.account().public)) == "NT-TENANT-004"


def test_a_user_signed_by_a_stranger_is_refused(world: World) -> None:
    ann, stranger = world.user(), KeyPair.make(ACCOUNT)
    token = jwt.write(ann.claims, stranger)

    assert world.code(Credentials(token, ann.key).door_token(NOW)) == "NT-TENANT-004"


def test_a_user_that_claims_to_be_signed_by_the_account_is_refused(world: World) -> None:
    """The issuer is named rightly, and the signature is somebody's."""
    ann = world.user()
    head, _, _ = ann.token.rpartition(".")
    other = jwt.write(ann.claims, KeyPair.make(ACCOUNT)).rpartition(".")[2]

    assert world.code(Credentials(f"{head}.{other}", ann.key).door_token(NOW)) == "NT-TENANT-002"


@pytest.mark.parametrize("more", [{"pub": {"allow": [">"]}}, {"bearer_token": True}, {"subs": -1}, {"type": "account"}])
def test_a_user_that_claims_more_than_its_name_is_refused(world: World, more: dict[str, Any]) -> None:
    ann = world.user()
    signing = KeyPair.read((world.folder.path / "tenants/acme/writer.nk").read_text(), ACCOUNT)
    claims = ann.claims
    token = jwt.write({**claims, "nats": {**claims["nats"], **more}}, signing)

    assert world.code(Credentials(token, ann.key).door_token(NOW)) == "NT-TENANT-002"


def test_times_are_held_to(world: World) -> None:
    ann = world.user(life_s=1000)

    assert world.code(ann.door_token(NOW - 301)) == "NT-TENANT-003"
    assert world.code(ann.door_token(NOW + 60)) == "NT-TENANT-003"
    assert world.code(forged(ann, exp=NOW + TOKEN_LIFE_MAX_S + 1)) == "NT-TENANT-003"
    assert world.code(forged(ann, exp="never")) == "NT-TENANT-003"
    assert world.code(forged(ann, iat=True)) == "NT-TENANT-003"
    world.now += 1000
    assert world.code(ann.door_token(world.now)) == "NT-TENANT-003"
    with pytest.raises(TenantError, match="NT-TENANT-003"):
        ann.door_token(NOW, TOKEN_LIFE_MAX_S + 1)


def test_a_token_made_for_something_else_is_refused(world: World) -> None:
    ann = world.user()

    assert world.code(forged(ann, nats={"type": "user", "user": ann.token})) == "NT-TENANT-006"
    assert world.code(forged(ann, nats={"type": DOOR_TYPE})) == "NT-TENANT-002"
    assert world.code(forged(ann, nats=[])) == "NT-TENANT-002"


def test_a_device_stays_outside(world: World) -> None:
    verdict = world.show(world.user("d1", "device").door_token(NOW))

    assert isinstance(verdict, Refusal)
    assert verdict.is_forbidden
    assert str(verdict.error).startswith("NT-TENANT-013")


def test_who_was_revoked_is_refused_once_the_account_is_known(world: World) -> None:
    token = world.user().door_token(NOW)
    identity = world.show(token)
    assert isinstance(identity, Identity)
    world.folder.revoke_user("acme", "ann")

    assert world.door.end_of(identity.claims) is None
    assert world.door.update(world.account())
    assert world.code(token) == "NT-TENANT-005"
    reason = world.door.end_of(identity.claims)
    assert reason is not None
    assert reason.code == "NT-TENANT-005"


def test_an_older_account_or_another_tenants_is_not_taken(world: World) -> None:
    old = world.account()
    world.user()
    world.folder.revoke_user("acme", "ann")

    assert world.door.update(world.account())
    assert not world.door.update(old)
    assert not world.door.update(world.account("bolt"))
    forged = jwt.write({**jwt.peek(world.folder.account_jwt("acme")), "iat": NOW + 100}, KeyPair.make(OPERATOR))
    assert not world.door.update(Account.read(forged))


def test_a_user_that_expires_may_not_stay(world: World) -> None:
    identity = world.show(world.user(life_s=100).door_token(NOW))
    assert isinstance(identity, Identity)
    world.now += 100
    reason = world.door.end_of(identity.claims)

    assert reason is not None
    assert reason.code == "NT-TENANT-003"


@pytest.mark.parametrize(
    ("role", "verb", "node", "is_allowed"),
    [
        ("engine", "command", "/vehicle/7", True),
        ("writer", "command", "/vehicle/7", True),
        ("reader", "command", "/vehicle/7", False),
        ("reader", "read", "/vehicle/7", True),
        ("reader", "link", "/vehicle/7", True),
        ("owner", "command", "/vehicle/ann", True),
        ("owner", "sync", "/vehicle/ann/door", True),
        ("owner", "read", "/vehicle/anna", False),
        ("owner", "read", "/ann", False),
        ("owner", "read", "/vehicle", False),
        ("owner", "read", "swim:meta:host", False),
    ],
)
def test_a_role_says_what_its_users_may_do(world: World, role: str, verb: str, node: str, is_allowed: bool) -> None:
    identity = world.show(world.user("ann", role).door_token(NOW))
    assert isinstance(identity, Identity)

    assert world.door.may(identity, verb, node, "lane") is is_allowed
    assert not world.door.may(ANONYMOUS, verb, node, "lane")
    assert not world.door.may(Identity("ann"), verb, node, "lane")


def test_what_is_no_account_is_refused(world: World) -> None:
    for token in (world.folder.operator_jwt, world.user().token, "x"):
        with pytest.raises(TenantError, match="NT-TENANT-002"):
            Account.read(token)


def test_the_clock_is_the_machines_unless_told(world: World) -> None:
    assert Authenticator(world.account())._clock is time.time
