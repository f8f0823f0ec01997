"""Credentials of a user: its token and its seed in one file, as all clients of NATS read it; and tokens for the doors, made of them.

A user's token alone is no secret in NATS: a server sends a nonce, and only who holds the seed can sign it.  At the doors of a plane, where
one HTTP request carries all there is, the holder signs a *door token* instead: "I, now, for this tenant", valid for minutes, around the
user's token.  It is made offline, needs no round trip and no memory at the server, and works at any worker.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from natant.errors import TenantError
from natant.fabric.nats import jwt
from natant.fabric.nats.nkey import USER, KeyPair
from natant.fabric.nats.private import write_private

__all__ = ["DOOR_TYPE", "TOKEN_LIFE_MAX_S", "TOKEN_LIFE_S", "Credentials"]

#: the type in the claims of a door token
DOOR_TYPE: Final = "natant_door"
#: how long a door token is good where nobody says otherwise, and at most
TOKEN_LIFE_S: Final = 300
TOKEN_LIFE_MAX_S: Final = 3_600

_FILE: Final = """\
-----BEGIN NATS USER JWT-----
{token}
------END NATS USER JWT------

The seed below is a secret: who has it is this user.

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""
_PART: Final = re.compile(r"-{3,}BEGIN ([A-Z ]+)-{3,}\s*(\S+)\s*-{3,}END \1-{3,}")


@dataclass(slots=True)
class Credentials:
    """A user's token and key.

    :ivar token: the user's JWT.
    """

    token: str
    key: KeyPair
    #: the door token of :meth:`auth`, and when another is made
    _door: tuple[str, float] = field(default=("", 0.0), init=False, repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Those in a ``.creds`` file.

        :raises TenantError: ``NT-TENANT-001``.
        """
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TenantError("NT-TENANT-001", f"the credentials {path} cannot be read: {error}") from None
        parts = dict(_PART.findall(text))
        if set(parts) != {"NATS USER JWT", "USER NKEY SEED"}:
            raise TenantError(
                "NT-TENANT-001", f"{path} is no .creds file: it takes a NATS USER JWT and a USER NKEY SEED"
            )
        return cls(parts["NATS USER JWT"], KeyPair.read(parts["USER NKEY SEED"], USER))

    def text(self) -> str:
        """As it stands in a ``.creds`` file."""
        return _FILE.format(token=self.token, seed=self.key.seed)

    def write(self, path: Path) -> None:
        """Write the file, readable by its owner only."""
        write_private(path, self.text())

    @property
    def claims(self) -> dict[str, Any]:
        """What the user's token says; not verified."""
        return jwt.peek(self.token)

    def auth(self) -> dict[str, Any]:
        """``{"token": ...}`` with a door token that is fresh enough: ``natant.client.connect(url, auth=credentials.auth)``."""
        now = time.time()
        if now >= self._door[1]:
            self._door = self.door_token(now), now + TOKEN_LIFE_S / 2
        return {"token": self._door[0]}

    def door_token(self, now: float, life_s: int = TOKEN_LIFE_S) -> str:
        """A token for the WebSocket and HTTP doors of the tenant's planes.

        :param now: epoch seconds.
        :param life_s: seconds that it is good for.
        :raises TenantError: ``NT-TENANT-003`` for a life that no door takes.
        """
        if not 1 <= life_s <= TOKEN_LIFE_MAX_S:
            raise TenantError(
                "NT-TENANT-003",
                f"a door token lives 1 to {TOKEN_LIFE_MAX_S} seconds, not {life_s}; make a new one when it ends",
            )
        at = int(now)
        claims = {
            "sub": self.key.public,
            "aud": self.claims.get("nats", {}).get("issuer_account", ""),
            "iat": at,
            "exp": at + life_s,
            "nats": {"type": DOOR_TYPE, "version": 2, "user": self.token},
        }
        return jwt.write(claims, self.key)
