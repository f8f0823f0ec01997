"""What a text says: sentences, language, names, dates, areas of life, phrases, facts."""

from keepsake.words.known import Known
from keepsake.words.reader import Reader, Reading

__all__ = ["Known", "Reader", "Reading"]
