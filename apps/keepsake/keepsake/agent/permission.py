"""Giving and taking back grants, in the person's store.  Both block."""

from __future__ import annotations

import time

from keepsake.agent.value import Give, Granted, GrantState
from keepsake.custody.grant import Scope
from keepsake.custody.permission import Given, Permission
from keepsake.pipeline.house import House
from keepsake.pipeline.shelf import Desk

__all__ = ["give", "revoke", "states"]


def states(desk: Desk) -> dict[str, GrantState]:
    """All grants of a person, by their ids."""
    permission = Permission(desk.store, desk.key, desk.log, time.time)
    return {given.grant.id: _state(given) for given in permission.all()}


def _state(given: Given) -> GrantState:
    return GrantState(given.grant.to, given.grant.expires_at, given.grant.purpose, given.revoked_at)


def give(house: House, person: str, what: Give) -> Granted:
    """Sign a grant and keep it.

    :raises KeepsakeError: ``KS-GRANT-001`` where it cannot be granted.
    """
    scope = Scope(
        verbs=frozenset(what.verbs),
        since=what.said_since,
        until=what.said_until,
        areas=tuple(what.areas),
        names=tuple(what.names),
        streams=tuple(what.streams),
        without=tuple(what.without),
    )
    with house.shelf.desk(person) as desk:
        permission = Permission(desk.store, desk.key, desk.log, time.time)
        with desk.store.write() as writer:
            given = permission.give(writer, what.to, scope, what.until, purpose=what.purpose)
    return Granted(given.grant.id, given.token, _state(given))


def revoke(house: House, person: str, grant: str) -> GrantState:
    """Make a grant worth nothing.

    :raises KeepsakeError: ``KS-GRANT-006`` where there is none.
    """
    with house.shelf.desk(person) as desk:
        permission = Permission(desk.store, desk.key, desk.log, time.time)
        with desk.store.write() as writer:
            permission.revoke(writer, grant)
        given = permission.find(grant)
    assert given is not None
    return _state(given)
