"""Evidence recall, refusal and dates on LoCoMo (Maharana et al., Evaluating Very Long-Term Conversational Memory of LLM Agents, 2024).

The data (github.com/snap-research/locomo, ``data/locomo10.zip``; CC BY-NC 4.0) is the reader's own download: it is no part of
Keepsake, and nothing that ships is trained on it.
"""

from __future__ import annotations

import calendar
import json
import re
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from keepsake.answer import told
from keepsake.bench.held import Held
from keepsake.bench.overlap import token_f1
from keepsake.errors import KeepsakeError
from keepsake.recall.contract import Found
from keepsake.recall.index import MemoryIndex
from keepsake.record import Kind, Memory, Question, Source
from keepsake.store.contract import Vectors
from keepsake.vector.contract import Embedder

__all__ = ["Asking", "Talk", "measure", "talks"]

#: seconds that a turn takes; LoCoMo says only when a session began
TURN_S: Final = 30.0

#: LoCoMo's numbers of its categories
CATEGORIES: Final = {1: "multi-hop", 2: "temporal", 3: "open", 4: "single-hop", 5: "adversarial"}

DEFINITIONS: Final = {
    "recall_at_5": "share of a question's gold turns among the first 5 memories, mean over questions of categories 1-4, one turn a memory, in %",
    "recall_at_10": "the same among the first 10",
    "refusal_auc": "chance that a question of categories 1-4 gets a higher sureness than one of category 5 (ties count half)",
    "temporal_f1": "token F1 of the answers to category 2 after LoCoMo's own normalisation and stems, mean over questions, in %; "
    "the answer is the time that rules tell (keepsake.answer.told), else the first memory as it is; no language model",
}


@dataclass(frozen=True, slots=True)
class Asking:
    """A question of the benchmark, with the ids of the memories that answer it."""

    question: Question
    category: int
    gold: frozenset[str]
    answer: str


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: its turns as memories, and what is asked of it."""

    name: str
    memories: tuple[Memory, ...]
    askings: tuple[Asking, ...]


def _documents(folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The ten files, from a folder that has them or the archive anywhere below it."""
    files = (
        sorted(path for path in folder.rglob("*.json") if re.fullmatch(r"\d+", path.stem)) if folder.is_dir() else []
    )
    for path in files:
        yield path.stem, json.loads(path.read_text(encoding="utf-8"))
    if files:
        return
    archives = [folder] if folder.suffix == ".zip" else sorted(folder.rglob("locomo10*.zip"))
    for archive in archives[:1]:
        with zipfile.ZipFile(archive) as held:
            for name in sorted(held.namelist()):
                if re.search(r"/locomo10_v2/\d+\.json$", "/" + name) and "__MACOSX" not in name:
                    yield Path(name).stem, json.loads(held.read(name))


def talks(folder: Path) -> list[Talk]:
    """The conversations.

    :raises KeepsakeError: ``KS-CLI-020`` where they are not there.
    """
    found = [_talk(name, document) for name, document in _documents(folder)]
    if not found:
        raise KeepsakeError(
            "KS-CLI-020",
            f"no LoCoMo conversations in {folder}: ten files 26.json to 50.json or locomo10.zip were expected. "
            "Download data/locomo10.zip from github.com/snap-research/locomo and set KEEPSAKE_LOCOMO to its folder.",
        )
    return found


def _talk(name: str, document: Mapping[str, Any]) -> Talk:
    memories: list[Memory] = []
    sessions = sorted(int(key.split("_")[1]) for key in document if re.fullmatch(r"session_\d+", key))
    for number in sessions:
        begun = _time(str(document[f"session_{number}_date_time"]))
        for row, turn in enumerate(document[f"session_{number}"]):
            text = str(turn.get("clean_text") or turn.get("text") or "")
            if turn.get("blip_caption"):
                text = f"{text} [shared a photo: {turn['blip_caption']}]".strip()
            memories.append(
                Memory(
                    id=f"locomo-{name}:{turn['dia_id']}#0",
                    seq=len(memories) + 1,
                    part=0,
                    kind=Kind.TEXT,
                    text=text,
                    said_at=begun + TURN_S * row,
                    speaker=str(turn["speaker"]),
                    language="en",
                    source=Source(app="locomo", channel=f"session {number}"),
                )
            )
    known = {memory.id for memory in memories}
    asked_at = memories[-1].said_at + TURN_S
    askings = []
    for entry in document["qa"]:
        turns = re.findall(r"D:?(\d+):0*(\d+)", " ".join(str(part) for part in entry.get("evidence", [])))
        gold = frozenset(f"locomo-{name}:D{session}:{turn}#0" for session, turn in turns) & known
        answer = str(entry.get("answer", entry.get("adversarial_answer", "")))
        if gold:
            askings.append(Asking(Question(str(entry["question"]), asked_at), int(entry["category"]), gold, answer))
    return Talk(name, tuple(memories), tuple(askings))


def _time(words: str) -> float:
    """``1:56 pm on 8 May, 2023`` in UTC."""
    return float(calendar.timegm(time.strptime(words.replace(",", ""), "%I:%M %p on %d %B %Y")))


def recall(gold: frozenset[str], found: Sequence[str], count: int) -> float:
    """The share of the gold ones among the first so many."""
    return len(gold & set(found[:count])) / len(gold)


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive one is greater than a negative one; ties count half."""
    above = np.searchsorted(np.sort(negative), positive, "left") + np.searchsorted(np.sort(negative), positive, "right")
    return float(np.mean(above) / 2 / max(1, len(negative))) if len(positive) else 0.0


def vectors_of(memories: Sequence[Memory], embedder: Embedder) -> Vectors:
    """The vectors of memories, as the pipeline makes them."""
    return np.concatenate(
        [embedder.embed([memory.text for memory in memories[at : at + 64]]) for at in range(0, len(memories), 64)]
    )


def _means(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return (
        (float(np.mean([pair[0] for pair in pairs])), float(np.mean([pair[1] for pair in pairs])))
        if pairs
        else (0.0, 0.0)
    )


def _answered(question: Question, found: Found) -> str:
    """What rules answer, without sentences around it."""
    time_told = told(question, found.hits)
    if time_told is not None:
        return time_told.text
    return found.hits[0].memory.text if found.hits else ""


def measure(conversations: Sequence[Talk], embedder: Embedder | None) -> dict[str, Any]:
    """Recall by category and refusal, with the shipped priors."""
    shares: dict[int, list[tuple[float, float]]] = {category: [] for category in CATEGORIES}
    sure: dict[bool, list[float]] = {True: [], False: []}
    overlaps: list[float] = []
    times = []
    for talk in conversations:
        index = MemoryIndex(talk.name, embedder)
        index.refresh(Held(talk.memories, None if embedder is None else vectors_of(talk.memories, embedder)))
        for asking in talk.askings:
            begun = time.perf_counter()
            found = index.look(asking.question, limit=10)
            times.append(time.perf_counter() - begun)
            ids = [hit.memory.id for hit in found.hits]
            shares[asking.category].append((recall(asking.gold, ids, 5), recall(asking.gold, ids, 10)))
            sure[asking.category != 5].append(found.sureness)
            if asking.category == 2:
                overlaps.append(token_f1(_answered(asking.question, found), asking.answer))
    answerable = [pair for category in (1, 2, 3, 4) for pair in shares[category]]
    return {
        "recall_at_5": round(100 * _means(answerable)[0], 2),
        "recall_at_10": round(100 * _means(answerable)[1], 2),
        "temporal_f1": round(100 * float(np.mean(overlaps)), 2) if overlaps else 0.0,
        "refusal_auc": round(auc(sure[True], sure[False]), 4),
        "questions": {CATEGORIES[category]: len(shares[category]) for category in CATEGORIES},
        "by_category": {
            CATEGORIES[category]: [round(100 * value, 1) for value in _means(shares[category])]
            for category in CATEGORIES
        },
        "look_p50_ms": round(1000 * float(np.median(times)), 2),
        "embedder": embedder.model if embedder else "none: words alone",
        "definitions": DEFINITIONS,
    }
