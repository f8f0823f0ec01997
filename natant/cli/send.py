"""Sending a command and telling what became of it; for ``command``, ``set`` and ``parked``."""

from __future__ import annotations

import secrets

from natant.cli.remote import WAIT_S, Remote
from natant.cli.show import put_json, put_value, talk
from natant.cli.target import Target
from natant.cli.value import Sent

__all__ = ["send_acknowledged", "send_plain"]


def send_acknowledged(
    target: Target, value: Sent, command_id: str | None, is_json: bool, *, wait_s: float = WAIT_S
) -> None:
    """Send a command, wait for its commit, print its answer."""
    with Remote(target.address, wait_s=wait_s) as remote:
        answer = remote.command(target.node, target.lane, value, command_id or f"cli-{secrets.token_hex(12)}")
    facts = answer.json()
    if is_json:
        put_json({"value": facts["value"], "sequence": facts["sequence"], "duplicate": answer.is_duplicate})
        return
    if facts["value"] is not None:
        put_value(facts["value"])
    if answer.is_duplicate:
        talk("done before: a command with this id was committed already, nothing was done again")
    elif facts["sequence"]:
        talk(f"committed, sequence {facts['sequence']}")
    else:
        talk("done; nothing had to be kept")


def send_plain(target: Target, value: Sent) -> None:
    """Send a command by WARP and do not wait for what becomes of it."""
    import asyncio

    from natant.cli.follow import connected

    async def send() -> None:
        async with connected(target.address) as connection:
            connection.channel.command(target.node, target.lane, value.as_recon())

    asyncio.run(send())
    talk("sent; whether it was taken is not known")
