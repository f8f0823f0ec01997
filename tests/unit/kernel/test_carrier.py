"""What leaves the kernel: carried once its record is durable, carried again until it is dropped, under a number of its own."""

from __future__ import annotations

import pytest

import natant.testing
from natant import Agent, Plane, command
from natant.errors import NatantError
from natant.host import Host
from natant.kernel.turn import Send
from natant.testing import TestPlane


class Sender(Agent, route="/sender/{id}"):
    @command
    def ask(self, what: int) -> None:
        self.send("/there", "do", what, host="far:side")


APP = Plane("carrier", [Sender])


class Carrier:
    """A far side that remembers what it was given."""

    def __init__(self) -> None:
        self.hosts: list[Host] = []
        self.got: list[tuple[int, int]] = []
        self.sends: list[Send] = []
        self.is_taking = True

    def attach(self, host: Host) -> None:
        self.hosts.append(host)
        host.kernel.outbox.carriers["far"] = self.take

    def take(self, send: Send) -> None:
        self.got.append((send.number, send.body))
        if self.is_taking:
            self.hosts[-1].kernel.outbox.drop(send)
        else:
            self.sends.append(send)


def plane(carrier: Carrier, *, volatile: bool = False) -> TestPlane:
    return natant.testing.plane(APP, attachments=[carrier.attach], volatile=volatile)


@pytest.mark.parametrize("is_volatile", [False, True])
async def test_a_carrier_gets_each_send_once_in_order(is_volatile: bool) -> None:
    carrier = Carrier()
    async with plane(carrier, volatile=is_volatile) as p:
        for what in range(5):
            await p.command("/sender/1", "ask", what)
        assert [body for _, body in carrier.got] == [0, 1, 2, 3, 4]
        numbers = [number for number, _ in carrier.got]
        assert numbers == sorted(set(numbers))


async def test_what_was_not_dropped_comes_again_with_its_number() -> None:
    carrier = Carrier()
    carrier.is_taking = False
    async with plane(carrier) as p:
        await p.command("/sender/1", "ask", 1)
        await p.command("/sender/1", "ask", 2)
        first = list(carrier.got)
        identity = p.host.kernel.identity
        await p.crash()
        assert carrier.got == first * 2
        assert p.host.kernel.identity == identity
        carrier.is_taking = True
        await p.restart()
        assert carrier.got == first * 3
        await p.restart()
        assert carrier.got == first * 3


async def test_numbers_are_never_used_again() -> None:
    carrier = Carrier()
    async with plane(carrier) as p:
        for what in range(3):
            await p.command("/sender/1", "ask", what)
            await p.crash()
    numbers = [number for number, _ in carrier.got]
    assert numbers == sorted(set(numbers))


async def test_nothing_is_carried_before_it_is_durable() -> None:
    carrier = Carrier()
    async with plane(carrier) as p:
        kernel = p.host.kernel
        seen: list[int] = []
        apply = p.store.apply

        def watched(batch: object) -> None:
            seen.append(len(carrier.got))
            apply(batch)

        p.store.apply = watched
        await p.command("/sender/1", "ask", 1)
        assert seen[0] == 0
        assert len(carrier.got) == 1
        assert kernel.journal.is_idle


async def test_a_carrier_that_is_behind_refuses_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("natant.kernel.outbox.CARRIED_LIMIT", 2)
    carrier = Carrier()
    carrier.is_taking = False
    async with plane(carrier) as p:
        await p.command("/sender/1", "ask", 1)
        await p.command("/sender/1", "ask", 2)
        with pytest.raises(NatantError, match="NT-LINK-009"):
            await p.command("/sender/1", "ask", 3)
        p.host.kernel.outbox.drop_all(carrier.sends)
        await p.command("/sender/1", "ask", 4)
        assert [body for _, body in carrier.got] == [1, 2, 4]


async def test_a_carrier_that_raises_is_asked_again_after_a_start() -> None:
    carrier = Carrier()

    def broken(send: Send) -> None:
        raise RuntimeError("no way")

    async with plane(carrier) as p:
        p.host.kernel.outbox.carriers["far"] = broken
        await p.command("/sender/1", "ask", 1)
        assert p.host.counters.faults == 1
        await p.restart()
        assert [body for _, body in carrier.got] == [1]
