"""The operator's folder: the keys and records of all tenants of one set of servers.

=======================================  ================================================================================
file                                     what
=======================================  ================================================================================
``operator.nk``, ``operator.jwt``        the operator; its seed signs only ``operator.jwt`` and may be kept elsewhere
``signing.nk``                           signs accounts
``system.jwt``                           the account of the servers themselves
``system.creds``                         who brings accounts to the servers
``tenants/NAME/tenant.json``             quota, users, who is revoked
``tenants/NAME/account.jwt``             the tenant's account
``tenants/NAME/ROLE.nk``                 signs users of that role
``tenants/NAME/engine.creds``            what the tenant's plane connects with
=======================================  ================================================================================

An account has a key of its own that nothing needs once its public half is its name: natant forgets it, and the servers take no user signed
with it.

Invariants: folders have mode 0700 and files 0600; a change is made under a lock, and ``account.jwt`` is written last, so that a folder that was left
in the middle of a change is mended by the next one.  Who has this folder can become anybody in it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

from natant.errors import TenantError
from natant.fabric.nats import jwt
from natant.fabric.nats.config import Operator
from natant.fabric.nats.credential import Credentials
from natant.fabric.nats.nkey import ACCOUNT, OPERATOR, USER, KeyPair
from natant.fabric.nats.private import check_private, make_private_folder, write_private
from natant.tenant import claim
from natant.tenant.quota import Quota
from natant.tenant.record import TenantRecord, UserRecord, check_name
from natant.tenant.role import ROLES

__all__ = ["ENGINE", "OperatorFolder"]

#: the user of a tenant's plane
ENGINE: Final = "engine"
#: users of one tenant; a record is read and written whole
USER_LIMIT: Final = 10_000


class OperatorFolder:
    """The folder, open for reading and changes.

    :param clock: epoch seconds.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock

    # --- the operator ---------------------------------------------------------------------------------------------

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], float] = time.time) -> Self:
        """An existing folder.

        :raises TenantError: ``NT-TENANT-007`` where there is none, or others may read it.
        """
        if not (path / "operator.jwt").is_file():
            raise TenantError(
                "NT-TENANT-007", f"{path} is no operator's folder; natant tenant add NAME --operator {path} makes one"
            )
        check_private(path)
        return cls(path, clock=clock)

    @classmethod
    def create(cls, path: Path, *, clock: Callable[[], float] = time.time) -> Self:
        """The folder, made where there is none yet, with the keys of an operator and of the system account."""
        folder = cls(path, clock=clock)
        make_private_folder(path)
        with folder.lock():
            if not (path / "operator.jwt").is_file():
                folder._make_operator()
        return cls.open(path, clock=clock)

    def _make_operator(self) -> None:
        at = int(self._clock())
        operator, signing = KeyPair.make(OPERATOR), KeyPair.make(OPERATOR)
        system, system_signing, user = KeyPair.make(ACCOUNT), KeyPair.make(ACCOUNT), KeyPair.make(USER)
        write_private(self.path / "operator.nk", operator.seed + "\n")
        write_private(self.path / "signing.nk", signing.seed + "\n")
        account = claim.system_account(system.public, system_signing.public, at)
        write_private(self.path / "system.jwt", jwt.write(account, signing))
        token = jwt.write(claim.system_user(user.public, system.public, at), system_signing)
        Credentials(token, user).write(self.path / "system.creds")
        claims = claim.operator(operator.public, signing.public, system.public, at)
        write_private(self.path / "operator.jwt", jwt.write(claims, operator))

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Nobody else changes the folder meanwhile."""
        import fcntl

        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @property
    def operator_jwt(self) -> str:
        """The operator's token; no secret."""
        return self._read(self.path / "operator.jwt")

    @property
    def system_public(self) -> str:
        """Public key of the system account."""
        return str(jwt.peek(self._read(self.path / "system.jwt"))["sub"])

    @property
    def system_creds(self) -> Path:
        """Credentials of who brings accounts to the servers."""
        return self.path / "system.creds"

    def account_jwts(self) -> dict[str, str]:
        """All accounts, the system's first: public key -> token."""
        found = {self.system_public: self._read(self.path / "system.jwt")}
        for name in self.tenants():
            found[self.tenant(name).account] = self.account_jwt(name)
        return found

    def server_part(self) -> Operator:
        """What a server needs to serve all tenants; no secrets."""
        return Operator(token=self.operator_jwt, system_account=self.system_public, accounts=self.account_jwts())

    def deletion(self, account: str) -> str:
        """The request that a server wants to see before it deletes an account."""
        signing = self._key(self.path / "signing.nk", OPERATOR)
        return jwt.write(claim.deletion(signing.public, account, int(self._clock())), signing)

    # --- tenants --------------------------------------------------------------------------------------------------

    def tenants(self) -> list[str]:
        """Their names, sorted."""
        return sorted(path.parent.name for path in self.path.glob("tenants/*/tenant.json"))

    def tenant(self, name: str) -> TenantRecord:
        """A tenant's record.

        :raises TenantError: ``NT-TENANT-008`` where there is none.
        """
        path = self._home(name) / "tenant.json"
        if not path.is_file():
            raise TenantError("NT-TENANT-008", f"there is no tenant {name!r}; natant tenant ls lists them")
        return TenantRecord.from_json(self._read(path), str(path))

    def account_jwt(self, name: str) -> str:
        """A tenant's account as servers know it."""
        return self._read(self._home(name) / "account.jwt")

    def engine_creds(self, name: str) -> Path:
        """What the tenant's plane connects with.

        :raises TenantError: ``NT-TENANT-008`` where there is no such tenant.
        """
        self.tenant(name)
        return self._home(name) / "engine.creds"

    def add_tenant(self, name: str, *, quota: Quota, partitions: int = 64) -> TenantRecord:
        """Make a tenant: its account, a signing key for each role, and the user of its plane.

        :raises TenantError: ``NT-TENANT-008`` where there is one of this name.
        """
        home = self._home(name)
        with self.lock():
            if (home / "tenant.json").exists():
                raise TenantError(
                    "NT-TENANT-008", f"there is a tenant {name!r} already; natant tenant quota changes it"
                )
            make_private_folder(home.parent)
            make_private_folder(home)
            account = KeyPair.make(ACCOUNT)
            for role in ROLES:
                write_private(home / f"{role}.nk", KeyPair.make(ACCOUNT).seed + "\n")
            record = TenantRecord(name, account.public, partitions, quota=quota)
            self._issue(record, ENGINE, "engine", None).write(home / "engine.creds")
            self._save(record)
            return record

    def set_quota(self, name: str, quota: Quota) -> TenantRecord:
        """Change what a tenant may use."""
        with self.lock():
            record = self.tenant(name)
            record.quota = quota
            self._save(record)
            return record

    def remove_tenant(self, name: str) -> TenantRecord:
        """Forget a tenant and its keys; what its streams hold is the servers'."""
        with self.lock():
            record = self.tenant(name)
            shutil.rmtree(self._home(name))
            return record

    # --- users ----------------------------------------------------------------------------------------------------

    def add_user(self, tenant: str, name: str, role: str, life_s: int | None) -> Credentials:
        """Make a user of a tenant.

        :param life_s: seconds until its token expires; None: never.
        :raises TenantError: ``NT-TENANT-012`` for an unknown role, a user that is there already, or too many of them.
        """
        if role not in ROLES:
            raise TenantError("NT-TENANT-012", f"there is no role {role!r}; it takes one of {', '.join(ROLES)}")
        with self.lock():
            record = self.tenant(tenant)
            record.forget(int(self._clock()))
            if name in record.users:
                raise TenantError(
                    "NT-TENANT-012",
                    f"tenant {tenant} has a user {name!r} already; natant user revoke takes its tokens back",
                )
            if len(record.users) >= USER_LIMIT:
                raise TenantError(
                    "NT-TENANT-012",
                    f"tenant {tenant} has {USER_LIMIT} users, which is the most; revoke some, or let them expire sooner",
                )
            credentials = self._issue(record, name, role, life_s)
            self._write_record(record)  # the account does not change: it knows roles, not users
            return credentials

    def revoke_user(self, tenant: str, name: str) -> UserRecord:
        """Void the tokens of a user.

        :raises TenantError: ``NT-TENANT-012`` where there is no such user.
        """
        with self.lock():
            record = self.tenant(tenant)
            user = record.revoke(name, int(self._clock()))
            if name == ENGINE:
                self._issue(record, ENGINE, "engine", None).write(self._home(tenant) / "engine.creds")
            self._save(record)
            return user

    # --- inside ---------------------------------------------------------------------------------------------------

    def _home(self, name: str) -> Path:
        return self.path / "tenants" / check_name(name, "tenant")

    def _issue(self, record: TenantRecord, name: str, role: str, life_s: int | None) -> Credentials:
        check_name(name, "user")
        at = int(self._clock())
        key = KeyPair.make(USER)
        expires = None if life_s is None else at + life_s
        signing = self._key(self._home(record.name) / f"{role}.nk", ACCOUNT)
        token = jwt.write(claim.user(key.public, name, record.account, at, expires), signing)
        record.users[name] = UserRecord(key.public, role, at, expires)
        return Credentials(token, key)

    def _save(self, record: TenantRecord) -> None:
        """Sign the account anew and write both."""
        now = int(self._clock())
        record.forget(now)
        record.issued = max(now, record.issued + 1)
        home = self._home(record.name)
        signing = {role: self._key(home / f"{role}.nk", ACCOUNT).public for role in ROLES}
        claims = claim.account(
            record.account,
            record.name,
            record.issued,
            quota=record.quota,
            partitions=record.partitions,
            system=self.system_public,
            signing=signing,
            revoked={key: at for key, (at, _) in record.revoked.items()},
        )
        self._write_record(record)
        write_private(home / "account.jwt", jwt.write(claims, self._key(self.path / "signing.nk", OPERATOR)))

    def _write_record(self, record: TenantRecord) -> None:
        write_private(self._home(record.name) / "tenant.json", record.to_json())

    def _key(self, path: Path, kind: str) -> KeyPair:
        check_private(path)
        return KeyPair.read(self._read(path), kind)

    def _read(self, path: Path) -> str:
        try:
            return path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TenantError("NT-TENANT-007", f"{path} cannot be read: {error}") from None
