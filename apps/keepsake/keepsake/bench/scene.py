"""What the synthetic person of `keepsake.bench.people` speaks of: names, things, and ways of saying what happened.

All of it is made up here.  A way of saying has a statement and a question that it answers; ``{who}``, ``{place}``, ``{thing}``,
``{when}`` and ``{coda}`` are filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "AREAS",
    "CHATTER",
    "CODAS",
    "GIVEN",
    "MOODS",
    "OPENINGS",
    "PLACE_HEADS",
    "PLACE_TAILS",
    "PRIVATE",
    "WHENS",
    "Area",
]


@dataclass(frozen=True, slots=True)
class Area:
    """An area of life: things that belong to it, and pairs of a statement and a question."""

    name: str
    things: tuple[str, ...]
    ways: tuple[tuple[str, str], ...]


def _things(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(","))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: Names that a recogniser does not know by itself, beside ones that it does.
GIVEN: Final = _words(
    """Aoife Anselm Bodil Casimir Cosima Dagny Dorothea Eluned Emeric Fenna Ffion Gudrun Hadewych Ilse Ingmar Jorunn Kasimir
    Katell Leocadia Ludmila Maelys Meinrad Nadezhda Niamh Oisin Ottoline Perpetua Quirin Ragnhild Rhiannon Saoirse Severin
    Siobhan Tancred Thyra Ulrika Vasco Wendelin Xanthe Yorick Zdenka Anna David Emma James Laura Mark Peter Sarah Thomas
    Julia Rob Nina Paul Grace Henry Lucy Oliver Ruth Simon Clara"""
)
PLACE_HEADS: Final = _words(
    "Ald Bran Carn Dor Elm Fen Gar Hald Inch Kel Lor Mar Nor Oster Pen Quar Ros Sel Thorn Ul Ver Wick Yar Zel"
)
PLACE_TAILS: Final = _words("wen stead mouth ham beck vale ford haven moor by bridge minster ness combe")

AREAS: Final = (
    Area(
        "work",
        _things(
            """the quarterly report, the migration plan, the new invoice system, the staff survey, the pricing model, the audit of the
            warehouse, the safety review, the hiring plan, the customer portal, the training slides, the tender for the school, the
            packaging redesign, the shift rota, the supplier contract, the annual budget, the trade stand, the press release"""
        ),
        (
            (
                "{who} and I finished {thing} at the {place} office {when}. {coda}",
                "Who helped to finish {thing} in {place}?",
            ),
            (
                "My boss wants {thing} redone after the meeting with {who} in {place} {when}. {coda}",
                "Who was at the {place} meeting about {thing}?",
            ),
            (
                "Presented {thing} to {who} and the {place} team {when}. {coda}",
                "When did I present {thing} to the {place} team?",
            ),
            (
                "{who} has taken over {thing} from me, starting in {place} {when}. {coda}",
                "Who took over {thing} in {place}?",
            ),
        ),
    ),
    Area(
        "health",
        _things(
            """the blood test, my left knee, the hearing check, the flu jab, the physiotherapy, the sleep diary, the eye test, the
            allergy tablets, the half marathon training, the root canal, the blood pressure, the swimming course, the migraine, the back
            pain, the iron tablets, the yoga class"""
        ),
        (
            (
                "Saw doctor {who} in {place} {when} about {thing}. {coda}",
                "Which doctor did I see about {thing} in {place}?",
            ),
            (
                "{thing} is better since {who} at the {place} clinic looked at it {when}. {coda}",
                "Who looked at {thing} in the {place} clinic?",
            ),
            ("Cancelled {thing} in {place} {when}, {who} was ill. {coda}", "Why was {thing} in {place} cancelled?"),
        ),
    ),
    Area(
        "family",
        _things(
            """grandmother's ninetieth birthday, the christening, the family reunion, my sister's wedding, the school play, uncle's
            funeral, the baby's first steps, the inheritance, mother's hip operation, the old photo albums, the family tree, the golden
            wedding, the twins' first day of school, father's stamp collection"""
        ),
        (
            ("We were all in {place} {when} for {thing}, even {who} came. {coda}", "Who came to {place} for {thing}?"),
            (
                "{who} called {when} about {thing}; they are still in {place}. {coda}",
                "Who called about {thing} from {place}?",
            ),
            (
                "My cousin {who} told us in {place} {when} how {thing} really went. {coda}",
                "Who told us in {place} about {thing}?",
            ),
        ),
    ),
    Area(
        "friends",
        _things(
            """the quiz night, the leaving party, a long talk on the pier, the birthday picnic, the book club, the housewarming, the
            barbecue, an argument about nothing, the card game, the reunion of our class, the stag weekend, the street party"""
        ),
        (
            ("{thing} with {who} in {place} {when}. {coda}", "With whom was {thing} in {place}?"),
            (
                "{who} made up with me after {thing} in {place} {when}. {coda}",
                "Who made up with me after {thing} in {place}?",
            ),
            (
                "Met {who} by chance in {place} {when}, on the way to {thing}. {coda}",
                "Whom did I meet in {place} on the way to {thing}?",
            ),
        ),
    ),
    Area(
        "money",
        _things(
            """the mortgage, the car insurance, the tax return, a savings account, the electricity bill, the pension papers, the loan for
            the roof, the deposit, the broken boiler's bill, the dividend, the parking fine, the rent"""
        ),
        (
            (
                "Talked through {thing} with {who} from the bank in {place} {when}. {coda}",
                "Who from the bank in {place} talked about {thing}?",
            ),
            ("Paid {thing} {when}, {who} in {place} had reminded me. {coda}", "Who in {place} reminded me of {thing}?"),
            (
                "{who} lent me the money for {thing} {when} in {place}. {coda}",
                "Who lent me money for {thing} in {place}?",
            ),
        ),
    ),
    Area(
        "home",
        _things(
            """the kitchen shelves, the leaking gutter, the apple tree, the attic, the blue bedroom, the garden wall, the chimney, the
            front door, the compost heap, the bathroom tiles, the cellar light, the beehives, the greenhouse, the fence"""
        ),
        (
            (
                "{who} came over from {place} {when} to help with {thing}. {coda}",
                "Who came from {place} to help with {thing}?",
            ),
            (
                "Painted {thing} {when} in the colour that {who} brought from {place}. {coda}",
                "Who brought the colour for {thing} from {place}?",
            ),
            (
                "The builder {who} of {place} looked at {thing} {when}. {coda}",
                "Which builder of {place} looked at {thing}?",
            ),
        ),
    ),
    Area(
        "learning",
        _things(
            """the cello lessons, the Welsh course, the pottery class, the statistics lectures, the sailing certificate, the first aid
            course, the bookbinding workshop, the driving theory, the astronomy evening, the essay on bees, the Portuguese exam"""
        ),
        (
            (
                "Passed {thing} in {place} {when}, thanks to {who}. {coda}",
                "Thanks to whom did I pass {thing} in {place}?",
            ),
            ("{who} teaches {thing} in {place} and let me try {when}. {coda}", "Who teaches {thing} in {place}?"),
            (
                "Signed up {when} for {thing} in {place} together with {who}. {coda}",
                "With whom did I sign up for {thing} in {place}?",
            ),
        ),
    ),
    Area(
        "travel",
        _things(
            """the night train, the ferry, a walk along the cliffs, the small hotel by the harbour, the lost suitcase, the lighthouse, the
            mountain hut, the old synagogue, the market hall, the hire car, the salt marshes, the castle ruin"""
        ),
        (
            (
                "Took {who} to {place} {when}; {thing} was the best of it. {coda}",
                "Whom did I take to {place}, with {thing}?",
            ),
            ("In {place} {when} with {who}: {thing}. {coda}", "With whom was I in {place}, {thing} and all?"),
            ("{who} has booked {thing} in {place} for us {when}. {coda}", "Who booked {thing} in {place}?"),
        ),
    ),
    Area(
        "leisure",
        _things(
            """the model railway, the choir concert, the chess evening, the jazz record, the crossword, the kite, the
            stamp fair, the telescope, the detective series, the watercolour of the mill, the football match"""
        ),
        (
            (
                "{who} and I spent the afternoon on {thing} in {place} {when}. {coda}",
                "With whom did I spend an afternoon on {thing} in {place}?",
            ),
            ("Showed {who} {thing} {when} in {place}. {coda}", "Whom did I show {thing} in {place}?"),
            ("{who} won a prize for {thing} in {place} {when}. {coda}", "Who won a prize for {thing} in {place}?"),
        ),
    ),
    Area(
        "food",
        _things(
            """the lentil soup, the sourdough starter, the fish pie, the new noodle place, the plum jam, a tasting menu, the burnt lasagne,
            the coffee roaster, the cheese stall, the saffron buns, a vegan stew, the wedding cake, the oyster bar"""
        ),
        (
            ("Ate {thing} with {who} in {place} {when}. {coda}", "With whom did I eat {thing} in {place}?"),
            (
                "{who} gave me the recipe for {thing} in {place} {when}. {coda}",
                "Who gave me the recipe for {thing} in {place}?",
            ),
            (
                "Cooked {thing} for {who} {when}, as we had it in {place}. {coda}",
                "For whom did I cook {thing} as in {place}?",
            ),
        ),
    ),
)

WHENS: Final = (
    "today", "yesterday", "last night", "this morning", "last Tuesday", "on Friday", "last weekend", "two weeks ago", "in March", "this week",
)  # fmt: skip

CODAS: Final = _things(
    """It rained all day, I was tired afterwards, We laughed a lot, It cost more than we thought, I want to do it again, Nobody had told
    me, It took three hours, We had soup afterwards, I forgot my umbrella, The dog came along, Somebody had left the door open, I took
    photos, There was no signal, We were late, It was worth it, I wrote it all down, The lift was broken, I had a headache, We sang on the
    way back, The light was beautiful"""
)

MOODS: Final = ("great", "so-so", "tired", "fine", "a bit lost", "hopeful", "restless", "calm")

OPENINGS: Final = (
    "",
    "",
    "",
    "So, ",
    "Well. ",
    "Note to self: ",
    "You know what? ",
    "Anyway, ",
    "By the way: ",
    "Finally. ",
)

CHATTER: Final = _things(
    """ok see you at {hour}, on my way, running ten minutes late sorry, haha yes, can you bring {food}, good night, thanks a lot {who}, no
    idea honestly, sounds good to me, call me when you are out, did you get home all right, same here, feeling {mood} right now, let's do
    {hour} then, we are out of {food}, happy birthday {who}!, what a day, {who} says hello, will do, could you feed the cat, I left my keys
    at yours, is {hour} still fine for you, buying {food} on the way, ask {who}"""
)

#: Names of the person's own for things that no general model can know: category, then words said of it.
PRIVATE: Final = (
    ("side project", ("Atlas has moved its deadline again", "sent the Atlas drawings to the printer", "Atlas needs another investor", "late call about Atlas", "Atlas demo crashed twice")),
    ("pets", ("Rex ate half a cushion", "Rex was at the vet for his paw", "walked Rex along the river", "Rex barked at the postman", "new lead for Rex")),
    ("reading group", ("the circle met at mine", "the circle read the second chapter", "made cake for the circle", "the circle quarrelled over the ending", "the circle has a new member")),
)  # fmt: skip
