"""Downlinks one can await and iterate: what the client adds to those of :mod:`natant.link`.

:class:`Followed` is mixed into each kind (see :mod:`natant.client.handle`); :class:`Changes` is one follower's queue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from natant.client.timing import LINK_WAIT_S, MAX_CHANGES
from natant.errors import ClientError
from natant.link.base import Downlink
from natant.link.change import Change
from natant.link.state import State

__all__ = ["Changes", "Followed"]


class Changes:
    """The changes of one downlink since this was made, as an asynchronous iterator.

    It ends when the downlink is closed or unlinked, after what came before.  At most ``MAX_CHANGES`` wait; a slower follower
    loses the oldest and is told by a change of kind ``missed``: the downlink itself is always complete.
    """

    def __init__(self, downlink: Followed) -> None:
        self._downlink = downlink
        self._queue: deque[Change] = deque()
        self._missed = 0
        self._wake = asyncio.Event()

    def put(self, change: Change) -> None:
        """Take one change; the oldest goes where there are too many."""
        if len(self._queue) >= MAX_CHANGES:
            self._queue.popleft()
            self._missed += 1
        self._queue.append(change)
        self._wake.set()

    def wake(self) -> None:
        """Let the iterator look whether it is at its end."""
        self._wake.set()

    def close(self) -> None:
        """Stop following; the downlink stays open."""
        self._downlink._followers.discard(self)

    def __aiter__(self) -> Changes:
        return self

    async def __anext__(self) -> Change:
        while True:
            if self._missed:
                missed, self._missed = self._missed, 0
                return Change("missed", None, missed)
            if self._queue:
                return self._queue.popleft()
            if not self._downlink.is_open:
                self.close()
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()

    async def __aenter__(self) -> Changes:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Followed(Downlink):
    """What a client's downlink has beside what it shows: waiting, following, closing."""

    _followers: set[Changes]
    _moved: asyncio.Event

    def _follow(self) -> Self:
        """Make ready; called once, by the client."""
        self._followers = set()
        self._moved = asyncio.Event()
        self.watch = self._hear
        return self

    def _hear(self, change: Change) -> None:
        for follower in tuple(self._followers):
            follower.put(change)
        if change.kind in ("linked", "synced", "stale", "unlinked"):
            self._moved.set()

    def changes(self) -> Changes:
        """The changes from now on; several may follow one downlink."""
        follower = Changes(self)
        self._followers.add(follower)
        return follower

    def __aiter__(self) -> Changes:
        return self.changes()

    async def linked(self, wait_s: float = LINK_WAIT_S) -> Self:
        """Wait until the host has answered; errors as of :meth:`synced`."""
        await self._until((State.LINKED, State.SYNCING, State.SYNCED), "linked", wait_s)
        return self

    async def synced(self, wait_s: float = LINK_WAIT_S) -> Self:
        """Wait until what is shown is the state of the lane.

        :param wait_s: seconds to wait at most.
        :raises ClientError: ``NT-CLIENT-003`` where the host refuses the link or it was closed, ``NT-CLIENT-004`` where it takes too long.
        """
        await self._until((State.SYNCED,) if self.wants_sync else (State.LINKED,), "synced", wait_s)
        return self

    async def _until(self, states: tuple[State, ...], what: str, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                while self.state not in states:
                    if not self.is_open:
                        raise ClientError(
                            "NT-CLIENT-003",
                            f"the link to {self.node} {self.lane} of {self.source.host} is {self.state.value}"
                            f"{f' ({self.reason})' if self.reason else ''}, so it cannot become {what}. "
                            "Check the node and the lane.",
                            node=self.node,
                            lane=self.lane,
                            reason=self.reason,
                        )
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError as error:
            raise ClientError(
                "NT-CLIENT-004",
                f"the link to {self.node} {self.lane} of {self.source.host} was not {what} within {wait_s:g} s; "
                f"it is {self.state.value}{f' ({self.reason})' if self.reason else ''}. Is the host up?",
                node=self.node,
                lane=self.lane,
            ) from error

    def close(self) -> None:
        """End the link; what is shown stays, and followers end."""
        if self._channel is not None:
            self._channel.close(self)
        self._moved.set()
        for follower in tuple(self._followers):
            follower.wake()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
