"""What an edge asks its hub, and how: JSON objects with a ``verb``; an answer with a ``code`` is an error."""

from __future__ import annotations

import json
from typing import Any

from natant.errors import EdgeError
from natant.fabric.nats.wire import Wire

__all__ = ["ask_hub"]


async def ask_hub(wire: Wire, subject: str, question: dict[str, Any]) -> dict[str, Any]:
    """The hub's answer.

    :raises EdgeError: ``NT-EDGE-001`` where the hub is away; what it refuses with; ``-005`` where the answer cannot be read.
    """
    data = (await wire.ask(subject, json.dumps(question).encode())).data
    try:
        answer = json.loads(data)
        if not isinstance(answer, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        raise EdgeError(
            "NT-EDGE-005",
            f"the answer of the hub to {question['verb']!r} cannot be read: {error}; both sides need the same natant",
        ) from None
    if "code" in answer:
        raise EdgeError(str(answer["code"]), str(answer.get("message")))
    return answer
