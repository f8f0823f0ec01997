"""What makes a plane a tenant's: its doors take the tenant's users and nobody else, as long as they may stay.

A connection outlives the door token that opened it, as one of NATS outlives its nonce.  So the account is asked for anew every
:data:`REFRESH_S`, and every :data:`LOOK_S` each session is looked at: one whose user has expired or was revoked is closed.

A feature of the process (:class:`natant.server.run.Feature`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Self

from natant.errors import NatantError, TenantError
from natant.fabric.nats import resolver
from natant.fabric.nats.credential import Credentials
from natant.link.identity import Identity
from natant.plane import Plane
from natant.tenant.account import Account
from natant.tenant.authenticator import Authenticator

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine
    from natant.host import Host
    from natant.link.hub import Hub, Policy

__all__ = ["TenantDoor"]

#: between two questions what the account is: how long a revoked user may stay at a door
REFRESH_S: Final = 2.0
#: between two looks at the sessions: how long an expired one may stay
LOOK_S: Final = 1.0

_LOG = logging.getLogger("natant.tenant")


class TenantDoor:
    """The doors of one tenant's plane.

    :param account: the tenant's account as known at the start.
    :param clock: epoch seconds.
    :ivar ended: sessions that were closed because their user may stay no longer.
    """

    def __init__(self, account: Account, *, clock: Callable[[], float] = time.time) -> None:
        self.authenticator = Authenticator(account, clock=clock)
        self.ended = 0
        self._engine: Engine | None = None
        self._hubs: list[Hub] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._is_behind = False

    @classmethod
    async def start(cls, engine: Engine, tenant: str | None = None) -> Self:
        """The doors of the tenant whose credentials the engine has.

        :param tenant: what the tenant must be called; None takes any.
        :raises TenantError: ``NT-TENANT-011`` where the servers do not tell the account, ``NT-TENANT-004`` where it is another's.
        """
        if engine.spec.credentials is None:
            raise TenantError("NT-TENANT-001", "a tenant's plane takes the credentials of its engine: engine.creds")
        public = str(Credentials.read(engine.spec.credentials).claims.get("nats", {}).get("issuer_account"))
        account = Account.read(await resolver.lookup(engine.nc, public))
        if account.public != public or (tenant is not None and account.name != tenant):
            raise TenantError(
                "NT-TENANT-004",
                f"the credentials {engine.spec.credentials} are of tenant {account.name!r}, and {tenant!r} is asked for",
            )
        self = cls(account)
        self._engine = engine
        return self

    def protect(self, plane: Plane) -> None:
        """Let nobody in but the tenant's users; a policy of the plane's own has to agree as well.  Before the host is made."""
        own = plane.policy
        plane.authenticator = self.authenticator
        plane.policy = self.authenticator.may if own is None else _both(self.authenticator.may, own)
        plane.unnamed = self.authenticator.unnamed()
        plane.is_private = True

    def attach(self, host: Host) -> None:
        """Watch the sessions of a host; those that end here end at the worker that has the connection, too."""
        self._hubs.append(host.hub)
        host.closers.append(lambda: self._hubs.remove(host.hub))

    def counts(self) -> dict[str, int]:
        """For metrics."""
        refused = self.authenticator.refused
        return {
            "tenant_tokens_refused": sum(refused.values()),
            "tenant_tokens_expired": refused["NT-TENANT-003"],
            "tenant_tokens_of_others": refused["NT-TENANT-004"],
            "tenant_tokens_revoked": refused["NT-TENANT-005"],
            "tenant_sessions_ended": self.ended,
            "tenant_is_behind": int(self._is_behind),
        }

    async def open(self) -> None:
        """Keep up with the account and the sessions from now on."""
        self._tasks = [asyncio.create_task(self._look())]
        if self._engine is not None:
            self._tasks.append(asyncio.create_task(self._refresh(self._engine)))

    async def close(self) -> None:
        """Stop keeping up."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    def look(self) -> None:
        """Close the sessions whose user may stay no longer."""
        end_of = self.authenticator.end_of
        for hub in self._hubs:
            for session in list(hub.sessions):
                claims = session.identity.claims
                if not isinstance(claims, dict) or "expires" not in claims:
                    continue
                reason = end_of(claims)
                if reason is not None:
                    self.ended += 1
                    _LOG.info("session of %s at %s closed: %s", session.identity.name, session.remote, reason)
                    session.end(1008, str(reason))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    async def _refresh(self, engine: Engine) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                account = Account.read(await resolver.lookup(engine.nc, self.authenticator.account.public))
            except NatantError as error:
                if not self._is_behind:
                    _LOG.warning(
                        "the doors go on with what they know of tenant %s: %s", self.authenticator.account.name, error
                    )
                self._is_behind = True
                continue
            if account.issuer != self.authenticator.account.issuer:  # an answer that no server of this operator gave
                if not self._is_behind:
                    _LOG.error("the account of tenant %s came signed by %s; not taken", account.name, account.issuer)
                self._is_behind = True
                continue
            self._is_behind = False
            if self.authenticator.update(account):
                _LOG.info("tenant %s has changed", account.name)
                self.look()


def _both(first: Policy, second: Policy) -> Policy:
    def may(identity: Identity, verb: str, node: str, lane: str) -> bool:
        return first(identity, verb, node, lane) and second(identity, verb, node, lane)

    return may
