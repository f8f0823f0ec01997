"""Tenants: an account of NATS each, with its users, roles and quota; and the doors of a plane that take the same users.

A client shows who it is with :class:`Credentials`: ``natant.client.connect(url, auth=Credentials.read(Path("ann.creds")).auth)``.
"""

from natant.fabric.nats.credential import Credentials

__all__ = ["Credentials"]
