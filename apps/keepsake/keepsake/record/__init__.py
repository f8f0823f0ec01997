"""The values that everything here speaks of.  They are plain data: no part of Keepsake is imported here."""

from keepsake.record.answer import Answer, Citation, Question
from keepsake.record.fact import Fact
from keepsake.record.memory import Entity, Memory, Share
from keepsake.record.message import Kind, Message, Source
from keepsake.record.when import Precision, When

__all__ = [
    "Answer",
    "Citation",
    "Entity",
    "Fact",
    "Kind",
    "Memory",
    "Message",
    "Precision",
    "Question",
    "Share",
    "Source",
    "When",
]
