"""Requests to JetStream whose answer is JSON, asked again while the servers elect, restart or are away.

Invariants: what is asked again is the very same, so that a message id or an expected sequence tells the server; a refusal that
cannot change is raised at once.  Called by :mod:`natant.fabric.nats.journal` and :mod:`natant.fabric.nats.archive`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from natant.errors import FabricError

if TYPE_CHECKING:
    from nats.aio.client import Client

    from natant.fabric.nats.courier import Courier

__all__ = [
    "IS_THERE",
    "NO_MESSAGE",
    "NO_STREAM",
    "RETRY_FOR_S",
    "WRONG_LAST",
    "Refusal",
    "ask",
    "patiently",
    "refused",
    "unanswered",
]

_Answer = TypeVar("_Answer")

#: how long the answer to one request is waited for; then it is asked again
ANSWER_S: Final = 1.0
#: how long a request is asked again before it counts as failed: longer than an election, which takes 4 to 9 s
RETRY_FOR_S: Final = 12.0
#: pauses between two tries where nobody answered at all
FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.5

#: numbers of JetStream's errors
NO_MESSAGE: Final = 10037
IS_THERE: Final = 10058
NO_STREAM: Final = 10059
WRONG_LAST: Final = 10071
#: there is no room: of the stream, the account, the server
_FULL: Final = frozenset({10002, 10023, 10028, 10047, 10077})
#: no leader at present, an election, another append of ours still under way
_PASSING: Final = frozenset({10005, 10008, 10009, 10041, 10118, 10158, 10164})


class Refusal(Exception):
    """What JetStream answered instead of doing it.

    :ivar number: JetStream's own number of the error.
    """

    def __init__(self, number: int, text: str) -> None:
        super().__init__(number, text)
        self.number = number
        self.text = text

    def __str__(self) -> str:
        return f"{self.text} (JetStream error {self.number})"


async def ask(
    client: Client | Courier, subject: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """One request, once.

    :raises Refusal: what the server said.
    :raises OSError: no answer; it may be asked again.  nats-py has errors of its own for that.
    :raises FabricError: ``NT-FABRIC-106`` where the connection was closed for good.
    """
    if client.is_closed:
        raise unanswered(subject, "the connection to NATS was closed")
    message = await client.request(subject, body, timeout=ANSWER_S, headers=headers)
    answer: dict[str, Any] = json.loads(message.data)
    if (error := answer.get("error")) is not None:
        raise Refusal(error.get("err_code", 0), error.get("description", "no description"))
    return answer


async def patiently(
    attempt: Callable[[], Awaitable[_Answer]], what: str, *, again: Callable[[], object] | None = None
) -> _Answer:
    """What ``attempt`` gives, called again while the trouble may pass.

    :param what: is attempted, for the error.
    :param again: told of each further try.
    :raises FabricError: ``NT-FABRIC-106`` where nobody answered for ``RETRY_FOR_S`` seconds; it is not known whether it was done.
    :raises Refusal: which no further try can change.
    """
    from nats import errors

    loop = asyncio.get_running_loop()
    deadline = loop.time() + RETRY_FOR_S
    pause = FIRST_PAUSE_S
    while True:
        try:
            return await attempt()
        except Refusal as refusal:
            if refusal.number not in _PASSING:
                raise
            trouble = str(refusal)
        except (errors.Error, OSError, ValueError) as error:
            trouble = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if loop.time() + pause > deadline:
            raise unanswered(what, trouble)
        await asyncio.sleep(pause)
        if again is not None:
            again()
        pause = min(2 * pause, LONGEST_PAUSE_S)


def unanswered(what: str, cause: str) -> FabricError:
    """The error for something whose outcome is not known."""
    return FabricError(
        "NT-FABRIC-106",
        f"NATS did not answer: {what} ({cause}). It is not known whether it was done; it is tried again, and does no harm twice. "
        "Look at the servers with `natant doctor`.",
    )


def refused(refusal: Refusal, what: str) -> FabricError:
    """Our error for what the server said."""
    if refusal.number in _FULL:
        return FabricError(
            "NT-FABRIC-105",
            f"no room in JetStream: {what} was refused ({refusal}). Nothing was written; give the account or the stream more, "
            "or free some space, and it goes on by itself.",
        )
    return FabricError(
        "NT-FABRIC-107", f"JetStream refused: {what} ({refusal}). Look at the servers with `natant doctor`."
    )
