"""How long reading takes: processor time a message, by rules alone and with a tagger.  ``python bench/read.py [MESSAGES]``."""

from __future__ import annotations

import sys
import time
from itertools import islice

from keepsake.bench.people import SyntheticPerson
from keepsake.record import Message
from keepsake.words import Known, Reader
from keepsake.words.tagger import english

#: read before the clock starts, so that tables are made and models loaded
WARM = 50


def main(count: int) -> None:
    messages = list(islice(SyntheticPerson(size=count + WARM).messages(), count + WARM))
    warm, messages = messages[:WARM], messages[WARM:]
    letters = sum(len(message.body) for message in messages) / len(messages)
    print(f"{len(messages):,} messages of {letters:.0f} letters on average; milliseconds of processor time a message")
    rules = Reader()
    readings = rules.read_all(warm) + rules.read_all(messages)
    names = {
        entity.name.casefold(): (entity.label, entity.name)
        for reading in readings
        for memory in reading.memories
        for entity in memory.entities
    }
    cases: list[tuple[str, Reader, Known]] = [("rules alone", rules, Known())]
    tagger = english()
    if tagger is not None:
        cases += [("tagger, no name known", Reader(tagger), Known())]
        cases += [("tagger, most names known", Reader(tagger), Known(names))]
    for name, reader, known in cases:
        print(f"  {name:<26}{_cost(reader, warm, messages, known):6.2f}")


def _cost(reader: Reader, warm: list[Message], messages: list[Message], known: Known) -> float:
    reader.read_all(warm, known)
    begun = time.process_time()
    for start in range(0, len(messages), 64):
        reader.read_all(messages[start : start + 64], known)
    return (time.process_time() - begun) / len(messages) * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
