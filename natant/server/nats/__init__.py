"""NATS as an interface to a plane: command, read, list and follow by subject, from any NATS client.

``address.py`` has the subjects, ``ask.py`` the headers, ``verb.py`` what is done, ``follow.py`` the events, ``door.py`` the whole.
"""

from natant.server.nats.door import NatsDoor
from natant.server.nats.limit import NatsLimit

__all__ = ["NatsDoor", "NatsLimit"]
