"""Keys: one a person, wrapped by the service's master key.  Whoever destroys a person's key destroys what was sealed with it."""

from keepsake.key.person import PersonKey
from keepsake.key.ring import Ring
from keepsake.key.token import Token, Tokens

__all__ = ["PersonKey", "Ring", "Token", "Tokens"]
