"""From memories to an answer that quotes them."""

from keepsake.answer.contract import Generator, Memories
from keepsake.answer.reply import LABEL, LEAST_SURE, UNKNOWN, answer
from keepsake.answer.suggest import Suggestion, suggest
from keepsake.answer.when import Told, told

__all__ = [
    "LABEL",
    "LEAST_SURE",
    "UNKNOWN",
    "Generator",
    "Memories",
    "Suggestion",
    "Told",
    "answer",
    "suggest",
    "told",
]
