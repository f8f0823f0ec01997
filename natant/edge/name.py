"""The subjects between edges and their hub.

They lie outside the plane's own root, which does not cross the cable: an edge and its hub may run the same plane.

==========================================  ==============================================================
subject                                     what
==========================================  ==============================================================
``natant-edge.PLANE.in.EDGE``               parcels; the hub's stream ``natant-P-AGG`` holds them
``natant-edge.PLANE.new.EDGE``              a parcel has come
``natant-edge.PLANE.ask.EDGE``              what an edge asks the hub, JSON
``natant-edge.PLANE.ack.EDGE.NUMBER``       answers to it
``natant-edge.PLANE.keep.OUTBOX``           bundles; the edge's stream ``natant-P-EDGE`` holds them, they stay at the edge
==========================================  ==============================================================
"""

from __future__ import annotations

import re
from typing import Final

from natant.errors import EdgeError
from natant.fabric.nats.subject import Subjects, text_of, token

__all__ = ["SOURCE", "EdgeNames", "check_name"]

#: the name of the source at the hub
SOURCE: Final = "natant:edge"
#: an edge's name is a user of the hub's server and a token of subjects
_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}").fullmatch


def check_name(edge: str) -> str:
    """``edge`` itself.

    :raises EdgeError: ``NT-EDGE-007`` where it cannot be the name of an edge.
    """
    if _name(edge) is None:
        raise EdgeError(
            "NT-EDGE-007",
            f"{edge[:80]!r} cannot be the name of an edge; it takes 1 to 64 letters, digits, '-' and '_', and begins with a "
            "letter or digit",
        )
    return edge


class EdgeNames:
    """All subjects of one plane's edges.

    :param plane: the plane's name; the same at the edges and at the hub.
    """

    __slots__ = ("root",)

    def __init__(self, plane: str) -> None:
        self.root = Subjects(plane).edge_root

    def parcels(self, edge: str = "*") -> str:
        """Where an edge's parcels go; of all edges without a name."""
        return f"{self.root}.in.{edge}"

    def news(self, edge: str = "*") -> str:
        """Where an edge says that it has sent one."""
        return f"{self.root}.new.{edge}"

    def questions(self, edge: str = "*") -> str:
        """Where an edge asks."""
        return f"{self.root}.ask.{edge}"

    def answers(self, edge: str) -> str:
        """What the subjects of answers begin with."""
        return f"{self.root}.ack.{edge}"

    def bundles(self, outbox: str = "*") -> str:
        """Where what an outbox holds for the hub is kept."""
        return f"{self.root}.keep.{outbox if outbox == '*' else token(outbox)}"

    def edge_of(self, subject: str) -> str:
        """The edge that a subject is about."""
        return text_of(subject.split(".")[3])
