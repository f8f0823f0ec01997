"""Makes up people who talk: conversations and diaries with questions, the turns that answer them, and questions that nothing answers.

Everything comes from ``frame.txt`` and ``vocabulary.txt`` and a seed; no model writes anything.  The shipped priors are learned from
this alone.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keepsake.bench.locomo import Asking, Talk
from keepsake.recall.sign import Sign, signs_of
from keepsake.record import Kind, Memory, Question
from keepsake.words.term import STOP_WORDS, words

__all__ = ["Book", "invent"]

#: the share of stories that are of somebody else, and who that is
OF_OTHERS: Final = 0.12
OTHERS: Final = (
    "Marlene",
    "Pablo",
    "Aisha",
    "Viktor",
    "Sunita",
    "Declan",
    "Noemi",
    "Gregor",
    "Lucille",
    "Akira",
    "Delphine",
    "Bashir",
)

#: slots whose words say when, how often or why, and not of what
SLOT_OF_FORM: Final = re.compile("ago|soon|span|often|number|amount|reason|weather|feeling")

HERE: Final = Path(__file__).parent
DAY_S: Final = 86_400.0
BEGUN: Final = 1_640_000_000.0

NAMES: Final = """
Ada Bruno Carla Dario Elena Farid Greta Hugo Irene Jamal Katya Luis Maya Nils Oriol Petra Quentin Ruth Silas Tessa Umar Vera Wanda Xenia
Yusuf Zoe Amara Bastian Celeste Dominic Esther Florian Gemma Harriet Ivo Judith Kofi Lena Miguel Nadia Oscar Paloma Ravi Stella Theo Uma
""".split()  # noqa: SIM905 a list of names reads better as words

OPENERS: Final = (
    "Hey <O>! {How are you|How have you been|What's new|Long time no see|It's been a while}{?|!}",
    "Hi <O>, {good to hear from you|how's life|what's up|how was your week}{!|?}",
    "{Morning|Evening|Hello}, <O>! {Anything exciting going on?|Hope you're well.|I was just thinking of you.}",
)
ANSWERS: Final = (
    "Hey <O>! {All good here|Can't complain|Busy as ever|A bit tired, but fine|Pretty good, thanks}. {And you?|What about you?|You?|}",
    "Hi! {Same old|Work is crazy|So much has happened|I've been well}. {How are things with you?|Tell me about you.|}",
)
CLOSERS: Final = (
    "{Talk soon|Take care|Bye for now|See you|Catch you later}, <O>!",
    "{Thanks for listening|This was nice|It was great catching up}, <O>. {Bye!|Talk to you soon!|Have a good one!}",
    "{I have to run|Gotta go|Dinner is ready}, {talk later|speak soon|bye}!",
)
FILLERS: Final = (
    "{That's so true|Totally|I know, right|Absolutely|Couldn't agree more}. {Life is funny.|We should appreciate these things.|}",
    "{I'm glad to hear that|That makes me happy|You deserve it}, <O>. {Keep it up!|Really.|}",
    "{Same here|I feel that way too sometimes|It happens to all of us}. {One day at a time.|}",
    "{Thanks, <O>|Thank you so much|That means a lot}! {Your support is everything.|You always know what to say.|}",
    "{Anyway|By the way|So}, {how is your family?|did you see the news?|what are you doing this weekend?|any plans for tonight?}",
    "{Nothing special|The usual|Not much}, {just work and sleep|some laundry|a quiet evening at home}. {And you?|}",
    "{Haha|Lol|Oh dear}, {you're funny|that's so you|never change}!",
)
BEFORE: Final = (
    "{Thanks, <O>|Thank you, <O>|Appreciate it|Aw, thanks}! ", "{Yeah|Yes|Well|Actually|Hmm|Oh}, ", "{Good question|Funny that you ask}! ", "<O>, ",
    "{I've been busy|Life is good|It's been a week}. ",
)  # fmt: skip
AFTER: Final = (
    " {It was so much fun.|I'm so happy.|It means a lot to me.|Such a good time.|I can't explain it.|Never a dull moment.}",
    " {What about you?|How about you, <O>?|Have you done anything like that?|What do you think?|Do you have something like that?}",
    " {You should try it.|I'll tell you more next time.|I'll send you a picture.|Wish you had been there.}",
    " {I learned a lot.|It made me think.|It takes time, but it's worth it.|Every day is a gift.|Small steps.}",
)
LATER_ASK: Final = (
    "{How is it going with|Any news about|What happened with|Are you still into|Tell me more about} {the |}<X>?",
    "{I was thinking about|You once mentioned} {the |your |}<X>. {How's that?|Still going well?}",
)
LATER_SAY: Final = (
    "{Oh, the <X>!|The <X>?} {Going well, thanks|Better than before|Still the same|So so|We'll see}{.| I'm happy with it.| Not much time for it.}",
    "{All fine|Good, thanks for asking|Don't ask}{.| The <X> keeps me busy.| I love it more each day.}",
)
DWELL: Final = (
    "{I keep thinking about|I still remember|There's something about|I could talk for hours about} the <X> and the <Y>.",
    "{With|Because of} the <X>, {the <Y> is a whole different thing|even the <Y> feels new|I forget about the <Y>}.",
    "{Was|Is} the <X> {hard|expensive|nice|fun|what you expected}? {And the <Y>?|I'd love to hear more.|}",
    "{Everyone asks about|My friends love|People underestimate} the <X>{, and the <Y> too|}. {It's a lot of work.|It pays off.|}",
    "{The <X>|All that <Y>} {taught me patience|was worth it|made my week|keeps surprising me}. {Next time will be even better.|}",
    "I {read|heard|saw something} about <X> {and <Y> |}{the other day|on the radio|online}. {It made me think of you.|Interesting stuff.}",
    "{How|Why} does <X> {work|matter|go} with <Y>? {I never understood it.|Explain it to me.|}",
    "{Wow|Cool|Nice}, {the <X> sounds great|I love the <Y>|so much <X>}! {You seem happy about it.|You must be proud.|}",
    "{No|Not really|Sort of}, the <X> was {fine|okay|a bit much}, but the <Y> {got better|made up for it|I don't know}.",
)
RICHER: Final = (
    " {It's the <X> that I love.|Without the <X> it wouldn't be the same.|The <X> and the <Y> go so well together.}",
    " {You know how I am with <X>.|We talked about the <X> a lot.|I took the <X> along.|There was a <X>, too.}",
)
CLOZE: Final = {
    Sign.TIME: "When did <S> {|talk about }<W>?", Sign.NUMBER: "How many <W> did <S> {have|mention|see}?",
    Sign.PLACE: "Where did <S> <W>?", Sign.PERSON: "Who {|did <S> }<W>{| with <S>}?", Sign.REASON: "Why {did|does} <S> <W>?",
    Sign.FEELING: "How {does|did} <S> feel about <W>?", Sign.PLAN: "What does <S> plan {with|for|about} <W>?",
    Sign.TITLE: "Which <W> did <S> mention?",
}  # fmt: skip
CLOZE_ANY: Final = (
    "What did <S> {say about|do with|think of|mention about} <W>?", "What {was|is} <S>'s <W>?", "What kind of <W> did <S> {have|like|see}?",
    "How did <S> <W>?", "What {did|does} <S> <W>?", "Which <W> does <S> {like|have|mention}?",
)  # fmt: skip
#: the same told to the other one, and of somebody else
TO_YOU: Final = (
    (r"\bI'm\b", "you're"), (r"\bI've\b", "you've"), (r"\bI'll\b", "you'll"), (r"\bI'd\b", "you'd"), (r"\b(?:My|my)\b", "your"),
    (r"\bme\b", "you"), (r"\bI was\b", "you were"), (r"\b(?:I|We|we)\b", "you"), (r"\bour\b", "your"),
)  # fmt: skip
OF_ANOTHER: Final = (
    (r"\bI'm\b", "<P> is"), (r"\bI've\b", "<P> has"), (r"\bI'll\b", "<P> will"), (r"\bI'd\b", "<P> would"), (r"\b(?:My|my|our)\b", "<P>'s"),
    (r"\bme\b", "<P>"), (r"\b(?:I|We)\b", "<P>"), (r"\bwe\b", "they"),
)  # fmt: skip
FIRST_PERSON: Final = (
    (r"\b(did|does|do|will|has|is|was|are) <S>(?!')", {"does": "do I", "has": "have I", "is": "am I", "are": "am I"}),
    (r"<S>'s", "my"),
    (r"\b(of|for|by|with|to|from|about|than) <S>\b", r"\1 me"),
    (r"<S>", "I"),
)


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that is said."""

    label: str
    tags: tuple[str, ...]
    text: str


@dataclass(slots=True)
class Frame:
    """A story with questions."""

    name: str
    beats: list[Beat] = field(default_factory=list)
    questions: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    lists: list[tuple[str, str]] = field(default_factory=list)


class Book:
    """The frames and the vocabulary."""

    def __init__(self, folder: Path = HERE) -> None:
        self.words: dict[str, list[list[str]]] = {}
        for line in _lines(folder / "vocabulary.txt"):
            slot, _, rest = line.partition(":")
            self.words[slot] = [entry.strip().split("/") for entry in re.split(r",(?=\s)", rest)]
        self.frames: list[Frame] = []
        for line in _lines(folder / "frame.txt"):
            head, _, text = line.partition(" ")
            if head == "=":
                self.frames.append(Frame(text))
            elif head == "?":
                gold, _, asked = text.partition(" ")
                self.frames[-1].questions.append((tuple(gold.split(",")), asked))
            elif head.startswith("?+"):
                self.frames[-1].lists.append((head[2:], text))
            else:
                label, *tags = head.split("+")
                self.frames[-1].beats.append(Beat(label, tuple(tags), text))

    def fill(self, text: str, bound: dict[str, list[str]], rng: random.Random, *, first: bool = True) -> str:
        """A text with its choices made and its slots filled, <S> and <O> left as they are."""
        while found := re.search(r"\{([^{}]*)\}", text):
            text = text[: found.start()] + rng.choice(found[1].split("|")) + text[found.end() :]

        def word(slot: re.Match[str]) -> str:
            name, other = slot[1], slot[2]
            if name not in bound:
                kind = re.sub(r"\d$", "", name)
                taken = [held[0] for key, held in bound.items() if re.sub(r"\d$", "", key) == kind]
                bound[name] = rng.choice([entry for entry in self.words[kind] if entry[0] not in taken])
            forms = bound[name]
            return forms[0] if not other or len(forms) == 1 or rng.random() < 0.55 else rng.choice(forms[1:])

        return re.sub(r"<([a-z]+\d?)(~?)>", word, text)


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


@dataclass(slots=True)
class _Told:
    """A frame that somebody has told."""

    frame: Frame
    speaker: int
    bound: dict[str, list[str]]
    other: str = ""
    places: dict[str, int] = field(default_factory=dict)


def _put(text: str, changes: tuple[tuple[str, str], ...]) -> str:
    for pattern, new in changes:
        text = re.sub(pattern, new, text)
    return text


class _Talk:
    """A conversation in the making."""

    def __init__(self, name: str, book: Book, rng: random.Random) -> None:
        self.name, self.book, self.rng = name, book, rng
        self.is_diary = rng.random() < 0.2
        self.people = rng.sample(NAMES, 2)
        self.memories: list[Memory] = []
        self.told: list[_Told] = []
        self.tags: dict[tuple[int, str], list[int]] = defaultdict(list)
        self.now = BEGUN + rng.random() * 1000 * DAY_S

    def say(self, speaker: int, text: str) -> int:
        """A turn; gives its place."""
        text = text.replace("<S>", self.people[speaker]).replace("<O>", self.people[1 - speaker]).strip()
        self.now += self.rng.uniform(10, 90)
        place = len(self.memories)
        self.memories.append(
            Memory(
                id=f"{self.name}:{place + 1}#0", seq=place + 1, part=0, kind=Kind.TEXT, text=text[:1].upper() + text[1:], said_at=self.now,
                speaker="" if self.is_diary else self.people[speaker], language="en",
            )
        )  # fmt: skip
        return place

    def chat(self, speaker: int, lines: tuple[str, ...]) -> None:
        """Something that answers nothing."""
        if not self.is_diary:
            self.say(speaker, self.book.fill(self.rng.choice(lines), {}, self.rng))

    def tell(self, frame: Frame, speaker: int) -> None:
        """A frame, told by a speaker, with what gets into a talk besides."""
        told, rng = _Told(frame, speaker, {}), self.rng
        if rng.random() < OF_OTHERS:
            told.other = rng.choice((rng.choice(OTHERS), f"my {rng.choice(self.book.words['kin'])[0]}"))
        for beat in frame.beats:
            text = self.book.fill(beat.text, told.bound, rng)
            if beat.label == "o":
                if not self.is_diary and rng.random() < 0.92:
                    self.say(1 - speaker, text.replace("<S>", "<o>").replace("<O>", "<S>").replace("<o>", "<O>"))
                continue
            if rng.random() < 0.35 and not self.is_diary:
                text = self.book.fill(rng.choice(BEFORE), {}, rng) + text
            if rng.random() < 0.35:
                text += self.book.fill(rng.choice(AFTER[:1] + AFTER[-1:] if self.is_diary else AFTER), {}, rng)
            if rng.random() < 0.3:
                text += self.about(told, RICHER)
            who = speaker
            if told.other:
                text = _put(text, OF_ANOTHER).replace(
                    "<P>", told.other if not told.places or rng.random() < 0.4 else rng.choice(("she", "he"))
                )
                text = re.sub(r"\bhe's\b", "his", re.sub(r"\bshe's\b", "her", text))
            elif not self.is_diary and rng.random() < 0.1:
                text, who = _put(text, TO_YOU), 1 - speaker
            place = self.say(who, text)
            told.places[beat.label[1:]] = place
            for tag in beat.tags if not told.other else ():
                self.tags[speaker, tag].append(place)
            if rng.random() < 0.15:
                self.chat(1 - speaker, FILLERS)
            for _ in range(rng.choice((0, 0, 1, 2))):
                self.say(0 if self.is_diary else rng.randrange(2), self.about(told, DWELL))
        self.told.append(told)

    def about(self, told: _Told, lines: tuple[str, ...]) -> str:
        """Something said with words of a frame that tells nothing new."""
        rng = self.rng
        said = " ".join(beat.text for beat in told.frame.beats) + " ".join(text for _, text in told.frame.questions)
        topical = [word for word in re.findall(r"(?<![<{])\b[a-z]{4,}\b(?![>~])", said) if word not in STOP_WORDS]
        bound = [rng.choice(forms) for slot, forms in told.bound.items() if not SLOT_OF_FORM.match(slot)]
        pick = [rng.choice(bound) if bound and rng.random() < 0.6 else rng.choice(topical) for _ in range(2)]
        return self.book.fill(rng.choice(lines), {}, rng).replace("<X>", pick[0]).replace("<Y>", pick[1])

    def return_to(self, told: _Told) -> None:
        """Something told before comes up again, and nothing new is said."""
        nouns = [forms for slot, forms in told.bound.items() if not SLOT_OF_FORM.match(slot)]
        if nouns and not self.is_diary:
            word = self.rng.choice(self.rng.choice(nouns))
            for speaker, lines in ((1 - told.speaker, LATER_ASK), (told.speaker, LATER_SAY)):
                self.say(speaker, self.book.fill(self.rng.choice(lines), {}, self.rng).replace("<X>", word))

    def run(self, sittings: int, frames: list[Frame]) -> None:
        """All sittings."""
        rng, plan = self.rng, []
        for frame in frames:
            first = 0 if self.is_diary else rng.randrange(2)
            plan.append((frame, first))
            if rng.random() < 0.35 and not self.is_diary:
                plan.append((frame, 1 - first))
        rng.shuffle(plan)
        for sitting in range(sittings):
            self.now += rng.uniform(1, 25) * DAY_S
            speaker = rng.randrange(2)
            self.chat(speaker, OPENERS)
            self.chat(1 - speaker, ANSWERS)
            for frame, who in plan[sitting::sittings]:
                self.tell(frame, who)
                if rng.random() < 0.4:
                    self.chat(rng.randrange(2), FILLERS)
            if self.told and rng.random() < 0.8:
                self.return_to(rng.choice(self.told))
            self.chat(speaker, CLOSERS)

    def asked(self, text: str, speaker: int, other: str = "") -> str:
        """A question in its final words.

        :param other: whom it is about where that is neither of the two.
        """
        if other:
            about = other if not other.startswith("my ") or self.is_diary else f"{self.people[speaker]}'s {other[3:]}"
            text = text.replace("<S>", about)
        if self.is_diary:
            for pattern, new in FIRST_PERSON:
                replace = (lambda found, new=new: new.get(found[1], f"{found[1]} I")) if isinstance(new, dict) else new
                text = re.sub(pattern, replace, text)
        text = text.replace("<S>", self.people[speaker]).replace("<O>", self.people[1 - speaker])
        return text[:1].upper() + text[1:]

    def questions(self, absent: list[Frame]) -> Iterator[Asking]:
        """What can be asked, and what cannot be known (category 5)."""
        rng, told_by = self.rng, {(told.frame.name, told.speaker) for told in self.told}
        lists: set[tuple[int, str, str]] = set()
        for told in self.told:
            for gold, text in told.frame.questions:
                # a question may be about the one who asked: "what did <O> get advised?"
                places = [told.places[label] for label in gold if label in told.places]
                if rng.random() < 0.5 and places:
                    yield self._asking(
                        self.asked(self.book.fill(text, told.bound, rng), told.speaker, told.other), places, 4
                    )
                if (
                    rng.random() < 0.3
                    and not self.is_diary
                    and (told.frame.name, 1 - told.speaker) not in told_by
                    and not told.other
                ):
                    yield self._asking(
                        self.asked(self.book.fill(text, told.bound, rng), 1 - told.speaker), places or [0], 5
                    )
            for place in told.places.values():
                if rng.random() < 0.45:
                    speaker = told.speaker
                    category = 4
                    if rng.random() < 0.25 and not self.is_diary and (told.frame.name, 1 - speaker) not in told_by:
                        speaker, category = 1 - speaker, 5
                    if asked := self.cloze(place):
                        yield self._asking(
                            self.asked(asked, speaker, told.other if category == 4 else ""), [place], category
                        )
            for tag, text in told.frame.lists if not told.other else ():
                if (told.speaker, tag, told.frame.name) not in lists and rng.random() < 0.5:
                    lists.add((told.speaker, tag, told.frame.name))
                    yield self._asking(
                        self.asked(self.book.fill(text, told.bound, rng), told.speaker), self.tags[told.speaker, tag], 1
                    )
        for frame in absent:
            for _, text in frame.questions[:1]:
                if rng.random() < 0.5:
                    yield self._asking(self.asked(self.book.fill(text, {}, rng), rng.randrange(2)), [0], 5)

    def cloze(self, place: int) -> str:
        """A question made from the words of a turn, less those that answer it (Lewis et al., Unsupervised QA by Cloze Translation, 2019)."""
        rng, text = self.rng, self.memories[place].text
        kinds = [sign for sign in CLOZE if sign in signs_of(text)]
        kind = rng.choice(kinds) if kinds and rng.random() < 0.75 else None
        names = {name.lower() for name in self.people}
        told = [
            word for word in words(text) if word not in STOP_WORDS and word not in names and not re.match(r"\d", word)
        ]
        if kind is not None:  # the answer is not in the question
            told = [word for word in told if kind not in signs_of(word)]
        if len(told) < 2:
            return ""
        first = rng.randrange(len(told))
        wanted = [word for word in told[first : first + rng.randint(2, 6)] if rng.random() < 0.8]
        if rng.random() < 0.35:  # a word that the turn does not have, as when it is put in other words
            other = list(words(rng.choice(self.memories).text))
            wanted.insert(
                rng.randrange(len(wanted) + 1), rng.choice([word for word in other if word not in STOP_WORDS] or told)
            )
        if not wanted:
            return ""
        form = self.book.fill(CLOZE[kind] if kind is not None else rng.choice(CLOZE_ANY), {}, rng)
        return form.replace("<W>", " ".join(wanted))

    def _asking(self, text: str, places: list[int], category: int) -> Asking:
        gold = frozenset(self.memories[place].id for place in places)
        return Asking(Question(text, self.now + DAY_S), category, gold, "")


def invent(count: int, seed: int, *, frames: list[Frame] | None = None) -> list[Talk]:
    """So many talks of made-up people.

    :param frames: what they may tell; all there is by default.  Held-out frames make a fair validation set.
    """
    book = Book()
    talks = []
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        talk = _Talk(f"invented-{seed}-{number}", book, rng)
        chosen = rng.sample(frames or book.frames, min(len(frames or book.frames), rng.randint(24, 44)))
        talk.run(rng.randint(14, 28), chosen)
        absent = [frame for frame in (frames or book.frames) if frame.name not in {held.name for held in chosen}]
        talks.append(Talk(talk.name, tuple(talk.memories), tuple(talk.questions(absent))))
    return talks
