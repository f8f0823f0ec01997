"""What natant knows of a tenant besides its keys: quota, users, who is revoked.  Lies as ``tenant.json`` in the operator's folder."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

import msgspec

from natant.errors import TenantError
from natant.tenant.quota import Quota

__all__ = ["TenantRecord", "UserRecord", "check_name"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def check_name(name: str, what: str) -> str:
    """A name that is one token of a subject, one segment of a node and one name of a file.

    :param what: ``tenant`` or ``user``, for the message.
    :raises TenantError: ``NT-TENANT-009``.
    """
    if not _NAME.fullmatch(name):
        raise TenantError(
            "NT-TENANT-009",
            f"{name[:80]!r} is no name for a {what}; it takes 1 to 63 of A-Z a-z 0-9 _ - and begins with none of the last two",
        )
    return name


@dataclass(slots=True)
class UserRecord:
    """A user that has a token.

    :ivar key: its public key.
    :ivar issued: epoch second; :ivar expires: likewise, None for never.
    """

    key: str
    role: str
    issued: int
    expires: int | None = None


@dataclass(slots=True)
class TenantRecord:
    """A tenant.

    :ivar account: public key of its account.
    :ivar partitions: of its planes; the account's mappings count with it.
    :ivar issued: when its account was last signed; rises with each signing, so that a server can tell which is newer.
    :ivar revoked: public key of a user -> (epoch second up to which its tokens are void, when the last of them ends).
    """

    name: str
    account: str
    partitions: int = 64
    issued: int = 0
    quota: Quota = field(default_factory=Quota)
    users: dict[str, UserRecord] = field(default_factory=dict)
    revoked: dict[str, tuple[int, int | None]] = field(default_factory=dict)

    def revoke(self, name: str, now: int) -> UserRecord:
        """Void all tokens of a user that were issued until now.

        :raises TenantError: ``NT-TENANT-012`` where there is no such user.
        """
        user = self.users.pop(name, None)
        if user is None:
            raise TenantError(
                "NT-TENANT-012", f"tenant {self.name} has no user {name!r}; natant user ls {self.name} lists them"
            )
        self.revoked[user.key] = (max(now, user.issued), user.expires)
        return user

    def forget(self, now: int) -> None:
        """Drop what has ended by itself: users, and revocations of tokens that are void anyway."""
        self.users = {name: user for name, user in self.users.items() if user.expires is None or user.expires > now}
        self.revoked = {key: (at, end) for key, (at, end) in self.revoked.items() if end is None or end > now}

    def to_json(self) -> str:
        """As it lies in the folder."""
        return msgspec.json.format(msgspec.json.encode(asdict(self)), indent=2).decode() + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Self:
        """Read it back.

        :raises TenantError: ``NT-TENANT-007`` for a damaged record.
        """
        try:
            value: dict[str, Any] = msgspec.json.decode(text)
            return cls(
                name=value["name"],
                account=value["account"],
                partitions=int(value["partitions"]),
                issued=int(value["issued"]),
                quota=Quota.from_json(value["quota"]),
                users={name: UserRecord(**user) for name, user in value["users"].items()},
                revoked={key: (at, end) for key, (at, end) in value["revoked"].items()},
            )
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise TenantError("NT-TENANT-007", f"{where} is damaged ({error}); put back a copy of the folder") from None
