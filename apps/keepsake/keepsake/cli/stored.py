"""Waiting until what was captured is in a person's memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from keepsake.agent.value import StreamState
from keepsake.cli.option import Reach
from keepsake.cli.show import Progress
from keepsake.errors import KeepsakeError

__all__ = ["wait_stored"]

#: between two looks at how far it is
LOOK_S: Final = 0.2


def wait_stored(reach: Reach, person: str, streams: Sequence[str], quiet_s: float) -> None:
    """Until all that streams took in is stored, or aside.

    :param quiet_s: seconds without any progress after which it is given up.
    :raises KeepsakeError: ``KS-CLI-009`` then.
    """
    before, limit = -1, time.monotonic() + quiet_s
    with reach.connect(person) as client, Progress("messages", 1.0) as progress:
        while True:
            states = [
                client.get(f"/person/{person}/stream/{name}", "state", StreamState) or StreamState() for name in streams
            ]
            received, stored = sum(state.received for state in states), sum(state.stored for state in states)
            if received == stored:
                return
            if stored != before:
                before, limit = stored, time.monotonic() + quiet_s
            if time.monotonic() > limit:
                raise KeepsakeError(
                    "KS-CLI-009",
                    f"{stored} of {received} pieces of {person} are stored, and none in the last {quiet_s:.0f} s; is a worker running?",
                )
            progress.show(stored / received, stored, f"{person}: read and stored")
            time.sleep(LOOK_S)
