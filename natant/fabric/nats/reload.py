"""Having a server read its configuration anew, through its system account.

A server that reloads lets users in that are new, and clients go that are known no more; but leaf nodes it keeps.  So these are ended by
hand; those that may come back in half a second.
"""

from __future__ import annotations

import json
from typing import Any, Final

from natant.errors import FabricError
from natant.fabric.nats.connect import connect, safe_url

__all__ = ["reload_server"]

#: time for each answer of the server
ANSWER_S: Final = 5.0


async def reload_server(url: str, *, ends_leafs: bool) -> None:
    """Reload the one server at ``url``.

    :param url: with the user of the system account.
    :param ends_leafs: end the connections of leaf nodes afterwards.
    :raises FabricError: ``NT-FABRIC-004`` not reached, ``-008`` credentials refused, ``-002`` the configuration is refused.
    """
    from nats.errors import Error as NatsError

    client = await connect(url, name="natant reload")
    try:
        found = await _ask(client, "PING.LEAFZ", {})
        server = found["server"]["id"]
        done = await _ask(client, f"{server}.RELOAD", {})
        if "error" in done:
            raise FabricError(
                "NT-FABRIC-002", f"the NATS server at {safe_url(url)} refuses its configuration: {done['error']}"
            )
        if ends_leafs:
            for leaf in found["data"].get("leafs") or ():
                await _ask(client, f"{server}.KICK", {"cid": leaf["id"]})
    except NatsError as error:
        raise FabricError(
            "NT-FABRIC-004", f"the NATS server at {safe_url(url)} does not answer its system account: {error!r}"
        ) from error
    finally:
        await client.close()


async def _ask(client: Any, what: str, question: dict[str, Any]) -> dict[str, Any]:
    answer = await client.request(f"$SYS.REQ.SERVER.{what}", json.dumps(question).encode(), timeout=ANSWER_S)
    found: dict[str, Any] = json.loads(answer.data)
    return found
