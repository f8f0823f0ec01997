"""The model of one person: its parts, how they learn, and which version is live."""

from keepsake.model.feedback import Feedback, Given, Named, Placed, Rated, Worded, feedback, given
from keepsake.model.forget import forget, reset
from keepsake.model.gate import Verdict, judge
from keepsake.model.learn import Learned, Progress, learn
from keepsake.model.person import PersonModel
from keepsake.model.state import ModelState, PartState, history, state

__all__ = [
    "Feedback",
    "Given",
    "Learned",
    "ModelState",
    "Named",
    "PartState",
    "PersonModel",
    "Placed",
    "Progress",
    "Rated",
    "Verdict",
    "Worded",
    "feedback",
    "forget",
    "given",
    "history",
    "judge",
    "learn",
    "reset",
    "state",
]
