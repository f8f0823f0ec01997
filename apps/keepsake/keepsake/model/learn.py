"""Learning: a challenger for each part from all that is stored of the person, and the gate that decides whether it goes live.

What the parts learn is a function of the person's stored messages and feedback and of what is shipped, of nothing else: after a
deletion the same is learnt as if what was deleted had never been there (`keepsake.model.forget`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from keepsake.custody.record import Action
from keepsake.errors import KeepsakeError
from keepsake.model.area import Areas
from keepsake.model.feedback import Given, Placed, Rated, Worded, given
from keepsake.model.gate import HELD_OUT_LIMIT, Verdict, is_held_out, judge
from keepsake.model.lexicon import Lexicon
from keepsake.model.pace import best_step, calibrated
from keepsake.model.person import PersonModel
from keepsake.model.state import KIND, ModelState, PartState, document_name, put_state
from keepsake.model.voice import Voice
from keepsake.recall.feature import NAMES
from keepsake.recall.rank import Ranker
from keepsake.recall.refusal import SIGNS, Refusal
from keepsake.record import Memory
from keepsake.store.contract import Store, Vectors, Writer
from keepsake.vector.contract import Embedder

__all__ = ["Learned", "Log", "Progress", "learn"]

#: told how much is done, 0 to 1, and what is being done
Progress = Callable[[float, str], None]

#: memories read from the store at once
PAGE: Final = 1_000
#: the newest memories, by which a voice is judged before it counts them
VOICE_HELD_OUT: Final = 300
#: times that ratings are gone through, and the latest that are learnt from
ROUNDS: Final = 4
RATING_LIMIT: Final = 2_000
#: corrections of areas that a judgement takes, and parts that they are cut into for it
LEAST_CORRECTIONS: Final = 3
FOLDS: Final = 5
#: shares of the progress: counting what was said, then the rest
COUNTED: Final = 0.7


class Log(Protocol):
    """Of `keepsake.custody.Log`, what learning needs."""

    def append(
        self, writer: Writer, action: Action, about: str, content: bytes = b"", *, by: str, grant: str = ""
    ) -> int:
        """Append a record within a transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning.

    :ivar state: the version that is live now.
    :ivar changed: the parts that went live with it; empty: nothing did better, and the version is the one there was.
    """

    state: ModelState
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Challenge:
    """A part that wants to go live."""

    part: str
    is_better: bool
    data: Callable[[], bytes]
    told: PartState


def learn(
    store: Store,
    embedder: Embedder | None,
    progress: Progress = lambda share, what: None,
    *,
    is_whole: bool = False,
    log: Log | None = None,
    by: str = "service/learn",
    now: Callable[[], float] = time.time,
) -> Learned:
    """Learn from what the person's store has; what does better goes live, in one transaction with its record of custody.

    Killed at any moment, it has changed nothing.  100,000 memories that were never counted take about ten seconds, new ones
    only themselves.

    :param is_whole: count again what was counted before, since memories were made anew.
    :raises KeepsakeError: ``KS-MODEL-001`` where another learning finished meanwhile; nothing is changed then.
    """
    began = now()
    present = PersonModel.load(store, embedder)
    head = store.head()
    counted = (Lexicon(), Voice()) if is_whole else (present.lexicon, present.voice)
    challenges = _count(store, *counted, lambda share, what: progress(COUNTED * share, what))
    ratings = [one for one in given(store, Rated) if isinstance(one.feedback, Rated)][-RATING_LIMIT:]
    placed = [one for one in given(store, Placed) if isinstance(one.feedback, Placed)]
    progress(COUNTED, "learning areas")
    challenges.append(_areas(embedder, present, placed))
    progress(COUNTED + 0.1, "learning what answers questions")
    challenges += [_ranker(present, ratings), _refusal(present, ratings)]
    everything = store.documents("feedback")
    changed = tuple(one.part for one in challenges if one.is_better)
    version = present.version + bool(changed)
    parts = dict(present.state.parts)
    for one in challenges:
        old = parts[one.part]
        kept = replace(one.told, version=old.version, learnt_from=old.learnt_from, last=old.last)
        parts[one.part] = replace(one.told, version=version) if one.is_better else kept
    state = ModelState(
        version,
        head,
        len(everything),
        everything[-1] if everything else "",
        began,
        round(now() - began, 3),
        parts,
    )
    with store.write() as writer:
        if PersonModel.live(store) != present.version:
            raise KeepsakeError(
                "KS-MODEL-001",
                f"another learning of {store.person!r} finished meanwhile; nothing was changed, learn again",
            )
        for one in challenges:
            if one.is_better:
                writer.put_document(KIND, document_name(one.part, version), one.data())
        data = put_state(store, writer, state)
        writer.set_built("model", head)
        if log is not None and changed:
            about = f"model/{version}: messages 1 to {head}, {len(everything)} pieces of feedback"
            log.append(writer, Action.TRAINED, about, data, by=by)
    progress(1.0, "learnt")
    return Learned(state, changed)


def _pages(store: Store, after: int) -> Iterator[list[Memory]]:
    while page := store.memories(after=after, limit=PAGE):
        yield page
        after = page[-1].seq


def _count(store: Store, names: Lexicon, champion: Voice, progress: Progress) -> list[_Challenge]:
    """Lexicon and voice, in one pass over what they have not counted."""
    # Copies: the present ones are in use.
    lexicon, voice = names.copy(), Voice.unpack(champion.pack())
    head = max(store.head(), 1)
    waiting: list[Memory] = []
    fresh = 0
    for page in _pages(store, min(lexicon.built_to, voice.built_to)):
        fresh += sum(memory.seq > names.built_to for memory in page)
        lexicon.count(page)
        waiting += page
        cut = max(len(waiting) - VOICE_HELD_OUT, 0)
        while cut and waiting[cut - 1].seq == waiting[cut].seq:
            cut -= 1  # a message is not torn
        voice.count(waiting[:cut])
        waiting = waiting[cut:]
        progress(page[-1].seq / head, "counting names and words")
    voice.hear((one.name, one.feedback.kept) for one in given(store, Worded) if isinstance(one.feedback, Worded))
    told = PartState(learnt_from=lexicon.built_to, reason=f"{len(lexicon.names)} names, counted to {lexicon.built_to}")
    return [_Challenge("lexicon", fresh > 0, lexicon.pack, told), _voice(champion, voice, waiting)]


def _voice(champion: Voice, challenger: Voice, waiting: Sequence[Memory]) -> _Challenge:
    latest = [memory for memory in waiting if memory.seq > champion.built_to]
    own = [memory.text for memory in latest if not memory.speaker and memory.kind != "web"]
    # Until there is a voice, the person is taken to talk like those who talk to them.
    old = champion.bits if champion.is_known else challenger.bits_of_others
    verdict = judge([old(text) for text in own], [challenger.bits(text) for text in own])
    challenger.count(waiting)
    is_better = verdict.is_better and challenger.is_known
    told = _told(verdict, challenger.characters, "bits a character of what the person said next")
    return _Challenge("voice", is_better, challenger.pack, told)


def _told(verdict: Verdict, learnt_from: int, measure: str) -> PartState:
    return PartState(
        learnt_from=learnt_from,
        measure=measure,
        champion=round(verdict.champion, 4),
        challenger=round(verdict.challenger, 4),
        held_out=verdict.pairs,
        reason=verdict.reason,
    )


def _areas(embedder: Embedder | None, present: PersonModel, placed: Sequence[Given]) -> _Challenge:
    """Areas: the corrections that the present ones have not seen are each judged without having been learnt."""
    corrections = [one.feedback for one in placed if isinstance(one.feedback, Placed)]
    since = present.state.parts["areas"].last
    measure = "share of what a memory belongs to that is missed"
    if embedder is None or not corrections:
        told = PartState(measure=measure, reason="no corrections" if embedder else "no embedder")
        return _Challenge("areas", False, present.head.pack, told)
    challenger = Areas.learn(embedder, corrections)
    seen = [place for place, one in enumerate(placed) if one.name > since]
    judged = seen[-HELD_OUT_LIMIT:]
    vectors = embedder.embed([corrections[place].text for place in judged])
    old, new = [], []
    for fold in range(FOLDS):
        apart = judged[fold::FOLDS]
        if apart:
            rows, texts = vectors[fold::FOLDS], [corrections[place].text for place in apart]
            out = {corrections[place].memory for place in apart}
            others = [correction for correction in corrections if correction.memory not in out]
            names = [corrections[place].area for place in apart]
            old += _missed(present.head, rows, texts, names)
            new += _missed(Areas.learn(embedder, others, names), rows, texts, names)
    verdict = judge(old, new, least=LEAST_CORRECTIONS)
    told = replace(_told(verdict, len(corrections), measure), last=placed[-1].name)
    return _Challenge("areas", verdict.is_better, challenger.pack, told)


def _missed(areas: Areas, vectors: Vectors, texts: Sequence[str], wanted: Sequence[str]) -> list[float]:
    chances = areas.chances(vectors, texts)
    return [
        1.0 - float(row[areas.names.index(name)]) if name in areas.names else 1.0
        for row, name in zip(chances, wanted, strict=True)
    ]


def _rows(rating: Rated) -> list[int]:
    """Where the right ones stand among the hits."""
    return [place for place, memory in enumerate(rating.hits) if memory in rating.right]


def _ranker(present: PersonModel, ratings: Sequence[Given]) -> _Challenge:
    """The ranker, from the shipped one, by all ratings that are not held out."""
    useful = [(one.digest, one.feedback) for one in ratings if isinstance(one.feedback, Rated) and _rows(one.feedback)]
    learning = [rating for digest, rating in useful if not is_held_out(digest)]
    judging = [rating for digest, rating in useful if is_held_out(digest)][-HELD_OUT_LIMIT:]
    challenger = best_step(_taught_ranker, learning, _misplaced)
    verdict = judge(
        [_misplaced(present.ranker, one) for one in judging], [_misplaced(challenger, one) for one in judging]
    )
    told = _told(verdict, len(learning), "1 less the reciprocal rank of what was right")
    return _Challenge("ranker", verdict.is_better, challenger.dumps, told)


def _taught_ranker(learning: Sequence[Rated], step: float) -> Ranker:
    prior = taught = Ranker.prior()
    for _ in range(ROUNDS if step else 0):
        for rating in learning:
            taught = taught.learn(rating.features_as(NAMES), _rows(rating), step=step, origin=prior)
    return taught


def _misplaced(ranker: Ranker, rating: Rated) -> float:
    scores = ranker.score(rating.features_as(NAMES))
    best = max(float(scores[row]) for row in _rows(rating))
    return 1.0 - 1.0 / (1 + int((scores > best).sum()))


def _refusal(present: PersonModel, ratings: Sequence[Given]) -> _Challenge:
    """Sureness, from the shipped one, by all ratings that are not held out.

    Both kinds of questions weigh the same, however few nothing answers: or it would be best to be sure of everything.
    """
    useful = [(one.digest, one.feedback) for one in ratings if isinstance(one.feedback, Rated)]
    learning = [rating for digest, rating in useful if not is_held_out(digest)]
    judging = [rating for digest, rating in useful if is_held_out(digest)][-HELD_OUT_LIMIT:]
    if min(len({one.is_known for one in part}) for part in (learning, judging)) < 2:
        told = PartState(learnt_from=len(learning), reason="it takes questions with an answer and without one")
        return _Challenge("refusal", False, present.refusal.dumps, told)
    weights = _balance(learning)
    challenger = best_step(_taught_refusal, learning, lambda part, one: weights[one.is_known] * _unsure(part, one))
    weights = _balance(judging)
    old, new = (
        [weights[one.is_known] * _unsure(part, one) for one in judging] for part in (present.refusal, challenger)
    )
    verdict = judge(old, new)
    told = _told(verdict, len(learning), "squared error of how sure an answer is (Brier), known and not known alike")
    return _Challenge("refusal", verdict.is_better, challenger.dumps, told)


def _balance(ratings: Sequence[Rated]) -> dict[bool, float]:
    """What a rating of each kind weighs, so that both weigh the same."""
    known = sum(one.is_known for one in ratings)
    return {True: len(ratings) / (2 * max(1, known)), False: len(ratings) / (2 * max(1, len(ratings) - known))}


def _taught_refusal(learning: Sequence[Rated], step: float) -> Refusal:
    """First how sure is sure for this person, which keeps the order; then, with a step, which signs tell it."""
    signs = [rating.signs_as(SIGNS) for rating in learning]
    known = [rating.is_known for rating in learning]
    weights = _balance(learning)
    taught = calibrated(Refusal.prior(), signs, known, [weights[is_known] for is_known in known])
    for _ in range(ROUNDS if step else 0):
        for row, is_known in zip(signs, known, strict=True):
            taught = taught.learn(row, is_known, step=step * weights[is_known])
    return taught


def _unsure(refusal: Refusal, rating: Rated) -> float:
    return (refusal.sureness(rating.signs_as(SIGNS)) - float(rating.is_known)) ** 2
