"""What a small machine needs: the memory of processes that keep and answer with words alone, and that hear with Whisper tiny.en too.

Each is measured in a process of its own, over messages of a made-up person (`keepsake.bench.people`), with ``MALLOC_ARENA_MAX=1``: glibc
else keeps memory for each thread that ever needed some.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from keepsake.answer import answer
from keepsake.bench.people import SyntheticPerson
from keepsake.bench.sound import LIBRIVOX, SPARING, resident
from keepsake.pipeline.read import keep
from keepsake.pipeline.setting import Setting
from keepsake.pipeline.setup import make_house

__all__ = ["measure"]

#: messages that are kept in one transaction, as the queue has them
_BATCH: Final = 64
#: questions that are asked
_QUESTIONS: Final = 20
_PERSON: Final = "edge"


def measure(messages: int = 2_000, folder: Path = LIBRIVOX) -> dict[str, Any]:
    """Megabytes of each process, at most.

    :raises KeepsakeError: ``KS-SOUND-006`` where there is no recorded speech.
    """
    return {
        "messages": messages,
        "words_only_mb": _alone(messages),
        "hear_tiny_en_mb": resident("whisper-tiny.en", folder),
    }


def _alone(messages: int) -> int:
    code = f"from keepsake.bench.edge import live; live({messages})"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=SPARING)  # noqa: S603 (ourselves)
    return int(json.loads(told.stdout.splitlines()[-1]))


def live(messages: int) -> None:
    """What a measured process does: keeps messages, answers questions, prints its greatest size."""
    import natant.server  # noqa: F401 (a plane is part of what an edge runs)

    setting = Setting(recogniser="none", embedder="none", names=False, language="en")
    someone = SyntheticPerson(size=messages)
    with tempfile.TemporaryDirectory() as folder:
        house = make_house(Path(folder), setting)
        house.ring.make(_PERSON)
        with house.shelf.desk(_PERSON) as desk:
            for start in range(1, messages + 1, _BATCH):
                keep(
                    desk.store,
                    list(someone.messages(start, min(start + _BATCH, messages + 1))),
                    reader=house.reader,
                    embedder=None,
                    model=desk.model,
                    log=desk.log,
                    folder=desk.folder,
                    by="bench",
                )
            index = desk.index()
            for asked in someone.questions(_QUESTIONS):
                answer(asked.question, index.look(asked.question), desk.store, desk.model)
        house.shelf.close()
    sys.stdout.write(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
