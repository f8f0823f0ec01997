"""A time capsule: sealed until a day or an event, and really unreadable before.

The content is encrypted with a key of its own.  The capsule has the content and not the key; the vault has the key and not the
content, gives it to nobody through any door, and releases it to the capsule when its durable timer fires, or when the person says
that the event has come.  Opened capsules tell their person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from natant import Refused, command, lane

from keepsake.agent.home import Home
from keepsake.agent.seal import open_value, seal_value
from keepsake.custody.capsule import open_capsule, seal_capsule

__all__ = ["Capsule", "CapsuleNote", "CapsuleState", "Fill", "Lock", "Vault"]

#: of a capsule's content
CONTENT_CHARACTERS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Fill:
    """What goes into a capsule, and when it may be opened.

    :ivar opens_at: epoch seconds; None: at the event only.
    :ivar event: a word of the person's own, ``graduation``; empty: at the time only.
    """

    text: str
    opens_at: float | None = None
    event: str = ""


@dataclass(frozen=True, slots=True)
class CapsuleState:
    """What can be known of a capsule before it is opened: not even a title.

    :ivar opens_at: epoch seconds; None: not by time.
    :ivar has_event: whether an event opens it.
    """

    sealed_at: float = 0.0
    opens_at: float | None = None
    has_event: bool = False
    opened_at: float | None = None
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class CapsuleNote:
    """What a capsule tells its person."""

    capsule: str
    state: CapsuleState


@dataclass(frozen=True, slots=True)
class Lock:
    """A key on its way into the vault, sealed with the person's key.

    :ivar event: a name of the event that tells nothing of it (`PersonKey.name`); empty: none.
    """

    key: bytes
    opens_at: float | None
    event: str


class Vault(Home, route="/vault/{person}/{capsule}"):
    """Keeps a capsule's key until it is time.  No door leads here."""

    capsule: str

    lock = lane.value(Lock | None, default=None)

    @command
    def keep(self, lock: Lock) -> None:
        """Take a key in; the timer is as durable as the key."""
        if self.lock is None:
            self.lock = lock
            if lock.opens_at is not None:
                self.at(lock.opens_at, self.release, name="release")

    @command
    def event(self, name: str) -> None:
        """An event has come."""
        if self.lock is not None and self.lock.event and self.lock.event == name:
            self.release()

    def release(self) -> None:
        """Give the key to the capsule, for good."""
        if self.lock is not None:
            self.send(f"/person/{self.person}/capsule/{self.capsule}", "unlocked", self.lock.key)
            self.lock = None

    @command
    def destroy(self) -> None:
        """Forget the key: the capsule can never be opened."""
        self.lock = None
        self.cancel("release")


class Capsule(Home, route="/person/{person}/capsule/{capsule}"):
    """A content nobody can read before its time."""

    capsule: str

    state = lane.value(CapsuleState, default=CapsuleState())
    sealed = lane.value(bytes, default=b"")
    unlock = lane.value(bytes, default=b"")
    content = lane.value(str | None, default=None, volatile=True)

    def on_start(self) -> None:
        """Show the content again, where it was opened."""
        if self.unlock and self.house.ring.has(self.person):
            self._open()

    @property
    def _vault(self) -> str:
        return f"/vault/{self.person}/{self.capsule}"

    @command
    def fill(self, what: Fill) -> CapsuleState:
        """Close it; from here on nobody can read it, its owner included, until it is time."""
        if self.state.sealed_at:
            raise Refused(f"KS-AGENT-014  {self.node} is filled already; make another capsule")
        if what.opens_at is None and not what.event:
            raise Refused("KS-AGENT-015  a capsule needs a time or an event at which it may be opened")
        if not 0 < len(what.text) <= CONTENT_CHARACTERS:
            raise Refused(
                f"KS-AGENT-016  a capsule holds 1 to {CONTENT_CHARACTERS} characters; this has {len(what.text)}"
            )
        if what.opens_at is not None and what.opens_at <= self.now():
            raise Refused("KS-AGENT-015  the time at which it may be opened is over; name one to come")
        sealed, key = seal_capsule(what.text.encode(), self.node)
        self.sealed = sealed
        self.state = CapsuleState(self.now(), what.opens_at, bool(what.event))
        locked = seal_value(self.key(), key, self._vault)
        self.send(self._vault, "keep", Lock(locked, what.opens_at, self._event(what.event)))
        self.send(self.owner, "capsule_changed", CapsuleNote(self.capsule, self.state))
        return self.state

    @command
    def event(self, name: str) -> None:
        """Say that an event has come; the vault decides whether it is this capsule's."""
        self.send(self._vault, "event", self._event(name))

    def _event(self, name: str) -> str:
        return self.key().name(f"event/{name}".encode()) if name else ""

    @command
    def unlocked(self, key: bytes) -> None:
        """The vault has released the key."""
        self.unlock = key
        self.state = replace(self.state, opened_at=self.now())
        self._open()
        self.send(self.owner, "capsule_changed", CapsuleNote(self.capsule, self.state))

    def _open(self) -> None:
        key = open_value(self.key(), self.unlock, bytes, self._vault)
        self.content = open_capsule(self.sealed, key, self.node).decode()

    @command
    def destroy(self) -> None:
        """Destroy content and key."""
        self.sealed = b""
        self.unlock = b""
        self.content = None
        self.state = CapsuleState(is_gone=True)
        self.send(self._vault, "destroy")
        self.send(self.owner, "capsule_changed", CapsuleNote(self.capsule, self.state))
