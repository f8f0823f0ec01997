"""When a text means: each time that it speaks of, as an interval with the precision it was said with, and how to tell it."""

from keepsake.words.date.scan import Spot, resolve, spots
from keepsake.words.date.tell import tell, tell_day

__all__ = ["Spot", "resolve", "spots", "tell", "tell_day"]
