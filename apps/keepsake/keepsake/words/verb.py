"""Forms of verbs that no stemmer joins: who asks "where did I meet her?" was told "I met her at the harbour"."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from keepsake.words.term import STOP_WORDS, stem

__all__ = ["FORMS"]

_VERBS: Final = """
arise arose arisen, awake awoke awoken, bear bore borne, beat beaten, become became, begin began begun, bend bent, bind bound, bite bit bitten,
bleed bled, blow blew blown, break broke broken, breed bred, bring brought, build built, burn burnt, buy bought, catch caught, choose chose chosen,
come came, creep crept, deal dealt, dig dug, draw drew drawn, dream dreamt, drink drank drunk, drive drove driven, eat ate eaten, fall fell fallen,
feed fed, feel felt, fight fought, find found, flee fled, fly flew flown, forbid forbade forbidden, forget forgot forgotten, forgive forgave forgiven,
freeze froze frozen, give gave given, go went gone, grow grew grown, hang hung, hear heard, hide hid hidden, hold held, keep kept, kneel knelt,
know knew known, lay laid, lead led, lean leant, leap leapt, learn learnt, leave left, lend lent, light lit, lose lost, make made, mean meant,
meet met, mow mown, pay paid, ride rode ridden, ring rang rung, rise rose risen, run ran, see saw seen, seek sought, sell sold, send sent,
sew sewn, shake shook shaken, shine shone, shoot shot, show shown, shrink shrank shrunk, sing sang sung, sink sank sunk, sit sat, sleep slept,
slide slid, smell smelt, sow sown, speak spoke spoken, spell spelt, spend spent, spill spilt, spin spun, spoil spoilt, stand stood, steal stole stolen,
stick stuck, sting stung, strike struck, swear swore sworn, sweep swept, swim swam swum, swing swung, take took taken, teach taught, tear tore torn,
think thought, throw threw thrown, understand understood, wake woke woken, wear wore worn, weave wove woven, weep wept, win won, wind wound,
write wrote written
"""


def _forms() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for verb in _VERBS.split(","):
        stems = tuple(dict.fromkeys(stem(word) for word in verb.split() if word not in STOP_WORDS))
        found.update({one: tuple(other for other in stems if other != one) for one in stems})
    return found


#: the stem of each form to the stems of the others, as `keepsake.words.term` gives them
FORMS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(_forms())
