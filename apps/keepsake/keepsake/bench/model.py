"""A person's model, measured: how long it takes to make all anew from the messages, and what each part gains by learning.

The person is made up (`keepsake.bench.people`), with what each message tells and what answers each question known.  Time is true;
quality shows that the machinery learns what can be learnt, and how much the gate lets through, not how good it is for people.
"""

from __future__ import annotations

import platform
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from keepsake.bench.locomo import auc
from keepsake.bench.people import Asked, SyntheticPerson
from keepsake.bench.scene import PRIVATE
from keepsake.model import Placed, Rated, feedback, learn
from keepsake.model.area import Areas
from keepsake.model.lexicon import Lexicon
from keepsake.pipeline.house import House
from keepsake.pipeline.rebuild import rebuild
from keepsake.pipeline.setup import make_house
from keepsake.pipeline.shelf import Desk
from keepsake.store.contract import Store
from keepsake.vector.contract import Embedder

__all__ = ["measure"]

PERSON: Final = "synthetic"
#: messages in one transaction while they are captured
CAPTURE: Final = 1_000
#: questions that are rated, and others that are only asked
RATED: Final = 240
TESTED: Final = 160
#: hits that are looked at for a question
HITS: Final = 30
#: memories whose areas are corrected at most, and others that are only judged
CORRECTIONS: Final = (0, 10, 30, 100)
JUDGED: Final = 300
#: names that a recogniser is given
HOTWORDS: Final = 40

Progress = Callable[[float, str], None]


def measure(folder: Path, size: int = 100_000, progress: Progress = lambda share, what: None) -> dict[str, Any]:
    """All figures.

    :param folder: an empty one; it holds the person's data afterwards.
    :param size: messages of the person.
    """
    person = SyntheticPerson(size=size)
    house = make_house(folder)
    house.ring.make(PERSON)
    with house.shelf.desk(PERSON) as desk:
        captured_s = _capture(desk.store, person)
        began, busy = time.perf_counter(), time.process_time()
        rebuild(house, desk, lambda share, what: progress(0.8 * share, what))
        read_s = time.perf_counter() - began
        began = time.perf_counter()
        learned = learn(desk.store, house.embedder, lambda share, what: progress(0.8 + 0.1 * share, what))
        learn_s = time.perf_counter() - began
        core_s = time.process_time() - busy
        desk.refresh()
        progress(0.9, "asking")
        parts = {
            "lexicon": _lexicon(desk.store, person),
            "areas": _areas(house.embedder, person) if house.embedder is not None else {},
            **_asking(house, desk, person),
        }
        again = learned.state.parts["voice"]
        parts["voice"] = {
            "bits_a_character_of_others": again.champion,
            "bits_a_character_own": again.challenger,
            "judged": again.held_out,
        }
        kept = desk.store.size()
    progress(1.0, "measured")
    return {
        "messages": size,
        "minutes_to_rebuild": round((read_s + learn_s) / 60, 2),
        "core_seconds_a_1000": round(1000 * core_s / size, 1),
        "messages_a_second": round(size / read_s, 1),
        "seconds": {"capture": round(captured_s, 1), "read": round(read_s, 1), "learn": round(learn_s, 1)},
        "store_bytes_a_message": round(kept / size),
        "parts": parts,
        "embedder": "none" if house.embedder is None else house.embedder.model,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }


def _capture(store: Store, person: SyntheticPerson) -> float:
    began = time.perf_counter()
    for start in range(1, person.size + 1, CAPTURE):
        with store.write() as writer:
            for message in person.messages(start, min(start + CAPTURE, person.size + 1)):
                writer.add_message(message)
    return time.perf_counter() - began


def _lexicon(store: Store, person: SyntheticPerson) -> dict[str, float]:
    """How many names of the last tenth were known from what was said before it, and how many were among the likely ones."""
    until = person.size * 9 // 10
    lexicon = Lexicon()
    after = 0
    while page := [memory for memory in store.memories(after=after) if memory.seq <= until]:
        lexicon.count(page)
        after = page[-1].seq
    spellings, likely = lexicon.spellings(), set(lexicon.likely(HOTWORDS))
    known, hot, count = 0, 0, 0
    for number in range(until + 1, person.size + 1):
        event = person.event(number)
        for name in (event.who, event.place) if event is not None and event.who else ():
            count += 1
            known += name.casefold() in spellings
            hot += name in likely
    return {
        "names_said_later": count,
        "known_before_%": round(100 * known / max(1, count), 1),
        f"among_{HOTWORDS}_likely_%": round(100 * hot / max(1, count), 1),
        f"{HOTWORDS}_at_random_%": round(100 * HOTWORDS / len(person.names), 1),
    }


def _areas(embedder: Embedder, person: SyntheticPerson) -> dict[str, Any]:
    """Top-1 of areas of life after so many corrections; of the person's own categories after one and three each."""
    rng = random.Random("areas")
    own = {name for name, _ in PRIVATE}
    generic: list[tuple[str, str]] = []
    private: list[tuple[str, str]] = []
    for number in rng.sample(range(1, person.size + 1), min(person.size, 6_000)):
        event = person.event(number)
        if event is not None:
            (private if event.area in own else generic).append((person.body(number), event.area))
    generic, apart = generic[:JUDGED], generic[JUDGED:]
    vectors = embedder.embed([text for text, _ in generic])
    curve = {count: _top1(Areas.learn(embedder, _placed(apart[:count])), vectors, generic) for count in CORRECTIONS}
    taught: dict[int, float] = {}
    harmed: dict[int, float] = {}
    for count in (0, 1, 3):
        shown = [pair for name in sorted(own) for pair in [one for one in private if one[1] == name][:count]]
        texts = {text for text, _ in shown}
        rest = [pair for pair in private if pair[0] not in texts][:JUDGED]
        areas = Areas.learn(embedder, _placed(shown), sorted(own))
        taught[count] = _top1(areas, embedder.embed([text for text, _ in rest]), rest)
        harmed[count] = _top1(areas, vectors, generic)
    return {
        "areas_of_life_%_by_corrections": curve,
        "own_categories_%_by_corrections_each": taught,
        "areas_of_life_%_then": harmed,
    }


def _placed(pairs: Sequence[tuple[str, str]]) -> list[Placed]:
    return [Placed(float(at), f"shown:{at}#0", text, area) for at, (text, area) in enumerate(pairs)]


def _top1(areas: Areas, vectors: np.ndarray, pairs: Sequence[tuple[str, str]]) -> float:
    chances = areas.chances(vectors, [text for text, _ in pairs])
    right = [areas.names[int(row.argmax())] == area for row, (_, area) in zip(chances, pairs, strict=True)]
    return round(100 * float(np.mean(right)), 1)


def _asking(house: House, desk: Desk, person: SyntheticPerson) -> dict[str, Any]:
    """Recall and refusal before and after ratings, on questions that were never rated."""
    asked = person.questions(RATED + TESTED)
    before = _asked(desk, asked[RATED:])
    with desk.store.write() as writer:
        for place, one in enumerate(asked[:RATED]):
            found = desk.index().look(one.question, limit=HITS)
            right = tuple(hit.memory.id for hit in found.hits if hit.memory.message in one.gold)
            if found.hits and (right or not one.gold):
                rows = np.array([hit.features for hit in found.hits], np.float32)
                hits = tuple(hit.memory.id for hit in found.hits)
                told = Rated(float(place), one.question.text, hits, rows, found.signs, right, bool(right))
                feedback(writer, told)
    learned = learn(desk.store, house.embedder)
    desk.refresh()
    after = _asked(desk, asked[RATED:])
    went_live = {name: name in learned.changed for name in ("ranker", "refusal")}
    return {"asking": {"before": before, "after": after, "went_live": went_live, "look_ms": _look_ms(desk, asked)}}


def _asked(desk: Desk, asked: Sequence[Asked]) -> dict[str, float]:
    index = desk.index()
    first: list[bool] = []
    among: list[float] = []
    sure: list[float] = []
    unsure: list[float] = []
    for one in asked:
        found = index.look(one.question, limit=HITS)
        messages = [hit.memory.message for hit in found.hits]
        (sure if one.gold else unsure).append(found.sureness)
        if one.gold:
            first.append(messages[:1] != [] and messages[0] in one.gold)
            among.append(len(set(messages[:5]) & set(one.gold)) / min(5, len(one.gold)))
    return {
        "first_is_right_%": round(100 * float(np.mean(first)), 1),
        "recall_at_5_%": round(100 * float(np.mean(among)), 1),
        "refusal_auc": round(auc(sure, unsure), 3),
    }


def _look_ms(desk: Desk, asked: Sequence[Asked]) -> dict[str, float]:
    index = desk.index()
    times = []
    for one in asked:
        began = time.perf_counter()
        index.look(one.question)
        times.append(1000 * (time.perf_counter() - began))
    return {"p50": round(float(np.percentile(times, 50)), 1), "p99": round(float(np.percentile(times, 99)), 1)}
